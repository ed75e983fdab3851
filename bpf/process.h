/* SPDX-License-Identifier: GPL-2.0 */
/* fork and exit. */
#pragma once

#define SIGNAL_GROUP_EXIT 4

static __always_inline int on_fork(struct task_struct *child, __u32 hook, __u32 tier)
{
	struct fork_record *rec;
	struct slot *slot;

	if (READ(child, pid) != READ(child, tgid)) /* a thread */
		return 0;
	slot = record_begin(KIND_fork, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	key_fill(&rec->child, child, ADDRESS);
	key_fill(&rec->child_parent, READ(child, real_parent), ADDRESS);
	namespaces_fill(&rec->child_ns, child, ADDRESS);
	rec->child_ns_tgid = namespace_tgid(child, ADDRESS);
	rec->child_cgroup_id = cgroup_id(child, ADDRESS);
	return record_end(slot, 0, LANE_OF_fork);
}

SEC("?tp_btf/sched_process_fork")
int PROGRAM(fork_tp, struct task_struct *parent, struct task_struct *child)
{
	return on_fork(child, HOOK_fork_tp, 1);
}

SEC("?raw_tp/sched_process_fork")
int PROGRAM(fork_raw, struct task_struct *parent, struct task_struct *child)
{
	return on_fork(child, HOOK_fork_raw, 2);
}

static __always_inline int on_exit(struct task_struct *task, __u32 hook, __u32 tier)
{
	struct exit_record *rec;
	struct slot *slot;

	if (READ(task, signal, live.counter)) /* other threads are left */
		return 0;
	slot = record_begin(KIND_exit, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->run_ns = bpf_ktime_get_boot_ns() - READ(task, group_leader, start_boottime);
	if (READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		rec->exit_code = READ(task, signal, group_exit_code);
	else
		rec->exit_code = READ(task, exit_code);
	return record_end(slot, 0, LANE_OF_exit);
}

SEC("?tp_btf/sched_process_exit")
int PROGRAM(exit_tp, struct task_struct *task)
{
	return on_exit(task, HOOK_exit_tp, 1);
}

SEC("?raw_tp/sched_process_exit")
int PROGRAM(exit_raw, struct task_struct *task)
{
	return on_exit(task, HOOK_exit_raw, 2);
}
