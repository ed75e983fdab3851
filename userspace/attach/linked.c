// SPDX-License-Identifier: Apache-2.0
/*
 * Are the links still there, each with its program?  Of our kinds the kernel detaches none for
 * others, but a descriptor can be closed by whoever gets into the process, and the program of an
 * iterator's link be replaced by whoever may use bpf(2).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/internal.h"
#include "base/fdinfo.h"

static const char *const numbers[] = {"link_id", "prog_id"};

static void look(const struct linked *linked, uint64_t is[2])
{
	if (fdinfo_numbers(linked->info, numbers, 2, is))
		is[0] = is[1] = 0;
}

static void note(struct attach *attach, const char *name, int fd)
{
	struct linked *linked = &attach->linked[attach->nlinked];

	linked->name = name;
	linked->info = fd < 0 ? -1 : fdinfo_open(fd);
	if (linked->info < 0)
		return;
	look(linked, linked->is);
	attach->nlinked++;
}

void linked_note(struct attach *attach)
{
	for (unsigned i = 0; i < attach->nlinks; i++)
		note(attach, attach->link_names[i], attach->links[i]);
	note(attach, "tasks", attach->tasks_link);
	note(attach, "flows", attach->flows_link);
}

void linked_close(struct attach *attach)
{
	while (attach->nlinked)
		close(attach->linked[--attach->nlinked].info);
}

static void say(char text[ATTACH_LINK_TEXT], const uint64_t is[2])
{
	if (is[0])
		snprintf(text, ATTACH_LINK_TEXT, "link %llu, program %llu",
			 (unsigned long long)is[0], (unsigned long long)is[1]);
	else
		snprintf(text, ATTACH_LINK_TEXT, "no link");
}

const char *attach_check_link(struct attach *attach, char was[ATTACH_LINK_TEXT],
			      char is[ATTACH_LINK_TEXT])
{
	for (unsigned i = 0; i < attach->nlinked; i++) {
		struct linked *linked = &attach->linked[i];
		uint64_t now[2];

		look(linked, now);
		if (!memcmp(now, linked->is, sizeof(now)))
			continue;
		say(was, linked->is);
		say(is, now);
		memcpy(linked->is, now, sizeof(now));
		return linked->name;
	}
	return NULL;
}
