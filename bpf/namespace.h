/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A running process changes its namespaces.  One that is made in other ones
 * (clone flags) is told by its fork event.  What it had before waits from entry
 * to exit.
 */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct namespace_ids);
} namespaces_before SEC(".maps");

static __always_inline int before_namespace(void)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct namespace_ids ids = {};

	namespaces_fill(&ids, (void *)bpf_get_current_task(), ADDRESS);
	bpf_map_update_elem(&namespaces_before, &who, &ids, BPF_ANY);
	return 0;
}

static __always_inline int on_namespace(struct call *call, __u32 how, __u32 flags)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct task_struct *task = (void *)bpf_get_current_task();
	struct namespace_ids *old = bpf_map_lookup_elem(&namespaces_before, &who);
	struct slot *slot = call_begin(call, KIND_namespace, sizeof(struct namespace_record));
	struct namespace_record *rec;

	if (slot) {
		rec = (void *)slot->data;
		rec->how = how;
		rec->flags = flags;
		rec->old_known = !!old;
		if (old)
			rec->old = *old;
		namespaces_fill(&rec->now, task, ADDRESS);
		rec->pid_for_children = READ(task, nsproxy, pid_ns_for_children, ns.inum);
		record_end(slot, call->result, LANE_OF_namespace);
	}
	if (old)
		bpf_map_delete_elem(&namespaces_before, &who);
	return 0;
}

#define CLONE_NEWTIME 0x80
#define CLONE_NEWANY  0x7e020000 /* ns, cgroup, uts, ipc, user, pid, net */

SEC("?fentry/ksys_unshare")
int PROGRAM(unshare_enter, unsigned long flags)
{
	return flags & (CLONE_NEWANY | CLONE_NEWTIME) ? before_namespace() : 0;
}

/* Other flags only part threads or processes from what they share. */
static __always_inline int on_unshare(struct call *call)
{
	if (!(call->arg[0] & (CLONE_NEWANY | CLONE_NEWTIME)))
		return 0;
	return on_namespace(call, NAMESPACE_UNSHARE, call->arg[0]);
}

SEC("?fexit/ksys_unshare")
int PROGRAM(unshare_exit, unsigned long flags, int result)
{
	struct call call = {.result = result, .hook = HOOK_unshare_exit, .tier = 1};

	call.arg[0] = flags;
	return on_unshare(&call);
}

static __always_inline int on_setns(struct call *call)
{
	return on_namespace(call, NAMESPACE_SETNS, call->arg[1]);
}

SEC("?fentry/" CALL_FUNCTION "setns")
int PROGRAM(setns_enter, REGS *regs)
{
	return before_namespace();
}

#if defined(__TARGET_ARCH_x86)
SEC("?fentry/__ia32_sys_setns")
int PROGRAM(setns_enter_ia32, REGS *regs)
{
	return before_namespace();
}
#endif

CALL_EXIT(setns, on_setns)
