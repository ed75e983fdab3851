/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of credentials. */
#pragma once

#define EPERM 1

static __always_inline __u64 bounding(const struct cred *cred)
{
	__u64 set = 0;

	bpf_core_read(&set, sizeof(set), &cred->cap_bset);
	return set;
}

static __always_inline bool cred_differ(const struct cred *a, const struct cred *b)
{
	struct cred_ids x = {}, y = {};

	cred_fill(&x, a, ADDRESS);
	cred_fill(&y, b, ADDRESS);
	return x.uid != y.uid || x.gid != y.gid || x.euid != y.euid || x.egid != y.egid ||
	       x.suid != y.suid || x.sgid != y.sgid || x.fsuid != y.fsuid || x.fsgid != y.fsgid ||
	       x.cap_effective != y.cap_effective || x.cap_permitted != y.cap_permitted ||
	       x.cap_inheritable != y.cap_inheritable || x.cap_ambient != y.cap_ambient ||
	       READ(a, group_info) != READ(b, group_info) ||
	       READ(a, securebits) != READ(b, securebits) || bounding(a) != bounding(b);
}

static __always_inline void rest_fill(struct cred_rest *to, const struct cred *cred)
{
	to->cap_bounding = bounding(cred);
	to->securebits = READ(cred, securebits);
	to->groups = READ(cred, group_info, ngroups);
	to->user_ns = READ(cred, user_ns, ns.inum);
}

static __always_inline void append_groups(struct slot *slot, struct cred_change_record *rec,
					  const struct cred *cred)
{
	void *to = append_at(slot, &rec->groups, GROUPS_MAX * 4);
	struct group_info *groups = READ(cred, group_info);
	__u32 len = rec->rest.groups;

	if (len > GROUPS_MAX)
		len = GROUPS_MAX;
	len *= 4;
	barrier_var(len);
	if (!to || !len || len > GROUPS_MAX * 4)
		return;
	if (!bpf_probe_read_kernel(to, len, (void *)groups + bpf_core_field_offset(groups->gid)))
		append_done(slot, &rec->groups, len);
}

/*
 * A change that was refused: which system call, and what it asked for (creds_refused.h).
 */
static __always_inline int on_creds_refused(__s64 result, __u32 asked, __u32 hook, __u32 tier)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = READ(task, real_cred);
	struct cred_change_record *rec;
	struct slot *slot;
	REGS *regs;

	if (result != -EPERM)
		return 0;
	slot = record_begin(KIND_cred_change, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	cred_fill(&rec->old, cred, ADDRESS);
	rec->old_known = rec->rest_known = 1;
	rest_fill(&rec->rest, cred);
	rest_fill(&rec->old_rest, cred);
	rec->asked = asked;
	regs = current_regs();
	if (regs)
		rec->call = call_number(regs);
	return record_end(slot, result, LANE_OF_cred_change);
}

/* Of several ids the first that is to change. */
#define FIRST_ID(a, b) ((__u32)(a) != (__u32)-1 ? (__u32)(a) : (__u32)(b))

/* Every change of credentials ends here, in exec too; current still has the old ones. */
SEC("?fentry/commit_creds")
int PROGRAM(creds_enter, struct cred *new)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *old = READ(task, real_cred);
	struct cred_change_record *rec;
	struct slot *slot;

	if (!cred_differ(old, new))
		return 0;
	before_remember(task, old);
	slot = record_begin(KIND_cred_change, HOOK_creds_enter, 1, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	cred_fill(&rec->old, old, ADDRESS);
	cred_fill(&rec->record.actor.cred, new, ADDRESS);
	rec->record.actor.ns.user = READ(new, user_ns, ns.inum);
	rec->old_known = rec->rest_known = 1;
	rest_fill(&rec->old_rest, old);
	rest_fill(&rec->rest, new);
	append_groups(slot, rec, new);
	return record_end(slot, 0, LANE_OF_cred_change);
}
