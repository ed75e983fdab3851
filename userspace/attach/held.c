// SPDX-License-Identifier: Apache-2.0
/* The sensor's own programs, maps and links, by the numbers under which others may get at them. */
#include <bpf/bpf.h>

#include "attach/internal.h"

static void held_add(const struct attach *attach, enum held what, uint32_t id)
{
	struct bpf_map *map = bpf_object__find_map_by_name(attach->object, "held");
	uint64_t key = (uint64_t)what << 32 | id;
	uint32_t one = 1;

	if (map)
		bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY);
}

void held_objects(const struct attach *attach)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, attach->object)
	{
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (bpf_program__fd(program) >= 0 &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			held_add(attach, HELD_PROGRAM, info.id);
	}
	bpf_object__for_each_map(map, attach->object)
	{
		struct bpf_map_info info = {0};
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size))
			held_add(attach, HELD_MAP, info.id);
	}
}

void held_link(const struct attach *attach, int fd)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	if (attach->object && !bpf_obj_get_info_by_fd(fd, &info, &size))
		held_add(attach, HELD_LINK, info.id);
}
