/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How records of the classes about the kernel begin.  Those are to be kept
 * whatever happens, so what a process without privileges asks for, and may ask
 * for without end, becomes a record of a class of its own in the other lane.
 */
#pragma once

static __always_inline bool is_privileged(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = READ(task, cred);
	__u64 caps = 0;

	bpf_core_read(&caps, sizeof(caps), &cred->cap_effective);
	return caps && READ(cred, user_ns, ns.inum) == FIRST_USER_NS;
}

static __always_inline void attempt(struct call *call, __u32 kind, __u32 operation,
				    const struct dentry *name)
{
	__u32 tier = tier_of(KIND_kernel_attempt);
	struct attempt_record *rec;
	struct slot *slot;

	if (!tier)
		return;
	slot = record_begin(KIND_kernel_attempt, call->hook, tier, sizeof(*rec));
	if (!slot)
		return;
	rec = (void *)slot->data;
	rec->what = kind;
	rec->operation = operation;
	if (call->compat)
		rec->record.flags |= RECORD_COMPAT;
	if (name)
		append_path(slot, &rec->name, NULL, (void *)name);
	record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_kernel_attempt);
}

/* NULL also where another tier has the class, or the process has no privileges. */
static __always_inline struct slot *kernel_begin(struct call *call, __u32 kind, __u32 size,
						 __u32 operation)
{
	if (tier_of(kind) != call->tier)
		return NULL;
	if (is_privileged())
		return call_begin(call, kind, size);
	attempt(call, kind, operation, NULL);
	return NULL;
}
