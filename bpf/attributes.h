/* SPDX-License-Identifier: GPL-2.0 */
/* What a process says of itself: its name, and prctl(2) where that helps or hinders those who look.
 */
#pragma once

#define PR_SET_DUMPABLE		     4
#define PR_SET_KEEPCAPS		     8
#define PR_SET_MM		     35
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SET_MDWE		     65
#define PR_SET_PTRACER		     0x59616d61

/* The name of a process is that of its first thread; exec gives it another one, and tells so. */
static __always_inline int on_rename_task(struct task_struct *task, const char *now, __u32 hook,
					  __u32 tier)
{
	struct task_struct *self = (void *)bpf_get_current_task();
	struct name_record *rec;
	struct slot *slot;

	if (READ(task, pid) != READ(task, tgid) || READ(task, flags) & PF_KTHREAD)
		return 0;
	if (BPF_CORE_READ_BITFIELD_PROBED(self, in_execve))
		return 0;
	slot = record_begin(KIND_process_name, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	bpf_core_read_str(rec->old, sizeof(rec->old), &task->comm);
	bpf_probe_read_kernel_str(rec->now, sizeof(rec->now), now);
	__builtin_memcpy(rec->record.actor.comm, rec->now, sizeof(rec->now));
	return record_end(slot, 0, LANE_OF_process_name);
}

SEC("?tp_btf/task_rename")
int PROGRAM(rename_tp, struct task_struct *task, const char *now)
{
	return on_rename_task(task, now, HOOK_rename_tp, 1);
}

SEC("?raw_tp/task_rename")
int PROGRAM(rename_raw, struct task_struct *task, const char *now)
{
	return on_rename_task(task, now, HOOK_rename_raw, 2);
}

static __always_inline int on_prctl(struct call *call)
{
	struct prctl_record *rec;
	struct slot *slot;

	switch ((__u32)call->arg[0]) {
	case PR_SET_DUMPABLE:
	case PR_SET_KEEPCAPS:
	case PR_SET_MM:
	case PR_SET_SYSCALL_USER_DISPATCH:
	case PR_SET_MDWE:
	case PR_SET_PTRACER:
		break;
	default:
		return 0;
	}
	slot = call_begin(call, KIND_prctl, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->option = call->arg[0];
	rec->value = call->arg[1];
	rec->address = call->arg[2];
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_prctl);
}

CALL_EXIT(prctl, on_prctl)
