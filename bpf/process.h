/* SPDX-License-Identifier: GPL-2.0 */
/* exec, fork, exit, credentials. */
#pragma once

#define SIGNAL_GROUP_EXIT 4

static __always_inline void read_user(struct slot *slot, struct bytes_ref *ref, __u64 from,
				      __u32 len)
{
	void *to = append_at(slot, ref, RECORD_PATH_MAX);

	if (!to || !len || len > RECORD_PATH_MAX)
		return;
	if (!bpf_probe_read_user(to, len, (void *)from))
		append_done(slot, ref, len);
}

#define ARGS_HEAD (RECORD_ARGS_MAX - RECORD_ARGS_TAIL)

/*
 * The argument area as exec has just laid it out: whole when it fits, else head
 * and tail.  First variable value of the record, so its place is a constant.
 */
static __always_inline void append_args(struct slot *slot, struct exec_record *rec,
					struct mm_struct *mm)
{
	__u64 start = READ(mm, arg_start), end = READ(mm, arg_end);
	__u64 total = end > start ? end - start : 0;
	__u32 len = total > ARGS_HEAD ? ARGS_HEAD : total;

	rec->args.off = sizeof(*rec);
	rec->args.total = total;
	barrier_var(len);
	if (len > ARGS_HEAD)
		return;
	if (bpf_probe_read_user(slot->data + sizeof(*rec), len, (void *)start))
		return;
	append_done(slot, &rec->args, len);
	if (total <= ARGS_HEAD)
		return;
	len = total - ARGS_HEAD > RECORD_ARGS_TAIL ? RECORD_ARGS_TAIL : total - ARGS_HEAD;
	barrier_var(len);
	if (len > RECORD_ARGS_TAIL)
		return;
	rec->args_tail.off = sizeof(*rec) + ARGS_HEAD;
	if (bpf_probe_read_user(slot->data + sizeof(*rec) + ARGS_HEAD, len, (void *)(end - len)))
		return;
	append_done(slot, &rec->args_tail, len);
}

static __always_inline int on_exec(struct task_struct *task, pid_t old_pid,
				   struct linux_binprm *bprm, __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(KIND_exec, hook, tier, sizeof(struct exec_record));
	struct mm_struct *mm = READ(task, mm);
	const char *filename = READ(bprm, filename), *interp = READ(bprm, interp);
	struct exec_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	append_args(slot, rec, mm);
	file_fill(slot, &rec->file, READ(mm, exe_file));
	append_string(slot, &rec->filename, filename, false);
	if (interp != filename)
		append_string(slot, &rec->interpreter, interp, false);
	append_path(slot, &rec->cwd, READ(task, fs, pwd.mnt), READ(task, fs, pwd.dentry));
	rec->argc = READ(bprm, argc);
	rec->old_tid = old_pid != READ(task, pid) ? old_pid : 0;
	rec->secure = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);
	return record_end(slot, 0, LANE_OF_exec);
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(exec_tp, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	return on_exec(task, old_pid, bprm, HOOK_exec_tp, 1);
}

SEC("?raw_tp/sched_process_exec")
int BPF_PROG(exec_raw, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	return on_exec(task, old_pid, bprm, HOOK_exec_raw, 2);
}

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
	key_fill(&rec->child, child);
	key_fill(&rec->child_parent, READ(child, real_parent));
	namespaces_fill(&rec->child_ns, child);
	rec->child_ns_tgid = namespace_tgid(child);
	rec->child_cgroup_id = cgroup_id(child);
	return record_end(slot, 0, LANE_OF_fork);
}

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(fork_tp, struct task_struct *parent, struct task_struct *child)
{
	return on_fork(child, HOOK_fork_tp, 1);
}

SEC("?raw_tp/sched_process_fork")
int BPF_PROG(fork_raw, struct task_struct *parent, struct task_struct *child)
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
int BPF_PROG(exit_tp, struct task_struct *task)
{
	return on_exit(task, HOOK_exit_tp, 1);
}

SEC("?raw_tp/sched_process_exit")
int BPF_PROG(exit_raw, struct task_struct *task)
{
	return on_exit(task, HOOK_exit_raw, 2);
}

static __always_inline bool cred_differ(const struct cred *a, const struct cred *b)
{
	struct cred_ids x = {}, y = {};

	cred_fill(&x, a);
	cred_fill(&y, b);
	return x.uid != y.uid || x.gid != y.gid || x.euid != y.euid || x.egid != y.egid ||
	       x.suid != y.suid || x.sgid != y.sgid || x.fsuid != y.fsuid || x.fsgid != y.fsgid ||
	       x.cap_effective != y.cap_effective || x.cap_permitted != y.cap_permitted ||
	       x.cap_inheritable != y.cap_inheritable || x.cap_ambient != y.cap_ambient;
}

/* Every change of credentials ends here, in exec too; current still has the old ones. */
SEC("?fentry/commit_creds")
int BPF_PROG(creds_enter, struct cred *new)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *old = READ(task, real_cred);
	struct cred_change_record *rec;
	struct slot *slot;

	if (!cred_differ(old, new))
		return 0;
	slot = record_begin(KIND_cred_change, HOOK_creds_enter, 1, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	cred_fill(&rec->old, old);
	cred_fill(&rec->record.actor.cred, new);
	rec->old_known = 1;
	return record_end(slot, 0, LANE_OF_cred_change);
}
