/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cgroups made, of version 2: what tells the path of one that is gone again when
 * the events of its processes are read.
 */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup___root {
	struct cgroup_root *root;
};

#pragma clang attribute pop

static __always_inline int on_cgroup(struct cgroup *cgroup, const char *path, __u32 hook,
				     __u32 tier)
{
	struct cgroup_record *rec;
	struct slot *slot;

	if (READ((struct cgroup___root *)cgroup, root, hierarchy_id))
		return 0;
	slot = record_begin(KIND_cgroup_make, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->id = READ(cgroup, kn, id);
	append_string(slot, &rec->path, path, false);
	return record_end(slot, 0, LANE_OF_cgroup_make);
}

SEC("?tp_btf/cgroup_mkdir")
int PROGRAM(cgroup_tp, struct cgroup *cgroup, const char *path)
{
	return on_cgroup(cgroup, path, HOOK_cgroup_tp, 1);
}

SEC("?raw_tp/cgroup_mkdir")
int PROGRAM(cgroup_raw, struct cgroup *cgroup, const char *path)
{
	return on_cgroup(cgroup, path, HOOK_cgroup_raw, 2);
}
