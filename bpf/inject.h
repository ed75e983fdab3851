/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process does to another one.  Access to its memory or descriptors passes
 * one check, whichever way it goes (ptrace, /proc/PID/mem, process_vm_writev,
 * pidfd_getfd); checks for mere looking, as ps makes them, are left out.
 */
#pragma once

#define PTRACE_MODE_ATTACH 2
#define PIDTYPE_SID	   3
#define SI_USER		   0
#define SI_QUEUE	   -1
#define SI_TKILL	   -6
#define SI_SIGIO	   -5
#define POLL_HUP	   6 /* the last of the codes that say what became of a descriptor */
#define SIGCHLD		   17
#define SIGIO		   29

static __always_inline void target_fill(struct target *to, struct task_struct *task)
{
	key_fill(&to->key, task, ADDRESS);
	to->uid = READ(task, real_cred, uid.val);
	bpf_core_read_str(to->comm, sizeof(to->comm), &task->comm);
}

/* Which of the ways it is tells the system call; the rest are files in /proc. */
#if defined(__TARGET_ARCH_x86)
#define EITHER(native, compat) (is_32bit ? (compat) : (native))
#define NR_PTRACE	       EITHER(101, 26)
#define NR_VM_READV	       EITHER(310, 347)
#define NR_VM_WRITEV	       EITHER(311, 348)
#elif defined(__TARGET_ARCH_arm64)
#define EITHER(native, compat) (is_32bit ? (compat) : (native))
#define NR_PTRACE	       EITHER(117, 26)
#define NR_VM_READV	       EITHER(270, 376)
#define NR_VM_WRITEV	       EITHER(271, 377)
#endif
#define NR_X32_PTRACE	   521
#define NR_X32_VM_READV	   539
#define NR_X32_VM_WRITEV   540
#define NR_PIDFD_GETFD	   438
#define NR_PROCESS_MADVISE 440

static __always_inline __u32 access_operation(__u32 nr, bool is_32bit)
{
	if (nr == NR_PTRACE || nr == NR_X32_PTRACE)
		return ACCESS_PTRACE;
	if (nr == NR_VM_READV || nr == NR_X32_VM_READV)
		return ACCESS_MEMORY_READ;
	if (nr == NR_VM_WRITEV || nr == NR_X32_VM_WRITEV)
		return ACCESS_MEMORY_WRITE;
	return nr == NR_PIDFD_GETFD ? ACCESS_DESCRIPTOR : ACCESS_OPEN;
}

static __always_inline void access_call(struct access_record *rec, REGS *regs)
{
	bool is_32bit = current_is_compat();
	struct call call = {};

	call_arguments(&call, regs, ADDRESS, is_32bit);
	rec->call = call_number(regs);
	rec->request = call.arg[0];
	rec->operation = access_operation(rec->call, is_32bit);
	if (call_is_x32(regs))
		rec->record.flags |= RECORD_COMPAT;
}

static __always_inline int on_access(struct task_struct *task, __u32 mode, int result, __u32 hook)
{
	struct slot *slot =
		record_begin(KIND_process_access, hook, 1, sizeof(struct access_record));
	struct access_record *rec;
	REGS *regs;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	target_fill(&rec->target, task);
	rec->mode = mode;
	rec->call = -1;
	regs = current_regs();
	if (regs)
		access_call(rec, regs);
	if (hook == HOOK_traceme_exit)
		rec->operation = ACCESS_TRACE_ME;
	return record_end(slot, result, LANE_OF_process_access);
}

/* Threads whose refusal was told where the security modules are asked. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u32);
} access_refused SEC(".maps");

SEC("?fexit/security_ptrace_access_check")
int PROGRAM(ptrace_exit, struct task_struct *child, unsigned int mode, int result)
{
	__u64 who = bpf_get_current_pid_tgid();
	__u32 one = 1;

	if (!(mode & PTRACE_MODE_ATTACH))
		return 0;
	if (result)
		bpf_map_update_elem(&access_refused, &who, &one, BPF_ANY);
	return on_access(child, mode, result, HOOK_ptrace_exit);
}

/* The whole answer, with that of the function above at its end: here those that users and groups,
 * or a memory that is not dumpable, refuse before. */
SEC("?fexit/__ptrace_may_access")
int PROGRAM(may_access_exit, struct task_struct *child, unsigned int mode, int result)
{
	__u64 who = bpf_get_current_pid_tgid();

	if (!result || !(mode & PTRACE_MODE_ATTACH))
		return 0;
	if (!bpf_map_delete_elem(&access_refused, &who))
		return 0;
	return on_access(child, mode, result, HOOK_may_access_exit);
}

/* The other way round: a process lets its parent trace it. */
SEC("?fexit/security_ptrace_traceme")
int PROGRAM(traceme_exit, struct task_struct *parent, int result)
{
	return on_access(parent, 0, result, HOOK_traceme_exit);
}

/* One of the sensor's processes, or of the forwarder's. */
static __always_inline bool is_sensor(__u32 tgid)
{
	struct control *c = control_get();

	if (!c || !tgid)
		return false;
	for (int i = 0; i < PROTECTED_MAX; i++)
		if (c->protected[i] == tgid)
			return true;
	return false;
}

#define SIGNAL_BIT(n)	 (1u << (n))
#define SIGNALS_HARMLESS (SIGNAL_BIT(17) | SIGNAL_BIT(18) | SIGNAL_BIT(23) | SIGNAL_BIT(28))

/*
 * Any signal to another user's process; and those that end or stop one that does not
 * handle them (all but CHLD, CONT, URG, WINCH), but for a child in the same session,
 * which is a shell's or make's daily work.
 */
static __always_inline bool signal_matters(struct task_struct *to, int sig)
{
	struct task_struct *from = (void *)bpf_get_current_task();

	if (sig <= 0 || READ(to, tgid) == READ(from, tgid))
		return false;
	if (is_sensor(READ(to, tgid)))
		return true;
	if (READ(to, real_cred, uid.val) != READ(from, real_cred, uid.val))
		return true;
	if (sig < 32 && SIGNALS_HARMLESS & SIGNAL_BIT(sig))
		return false;
	return READ(to, real_parent, tgid) != READ(from, tgid) ||
	       READ(to, signal, pids[PIDTYPE_SID]) != READ(from, signal, pids[PIDTYPE_SID]);
}

static __always_inline int on_signal(struct task_struct *to, int sig, struct kernel_siginfo *info,
				     int result, __u32 hook, __u32 tier)
{
	struct signal_record *rec;
	struct slot *slot;

	if (!signal_matters(to, sig))
		return 0;
	slot = record_begin(KIND_signal, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	target_fill(&rec->target, to);
	rec->signal = sig;
	rec->to_sensor = is_sensor(rec->target.key.tgid);
	if ((unsigned long)info > 2) /* SEND_SIG_NOINFO, SEND_SIG_PRIV */
		rec->code = READ(info, si_code);
	return record_end(slot, result, LANE_OF_signal);
}

/* Only signals that a process sends come here, and only those that it may send. */
SEC("?fexit/security_task_kill")
int PROGRAM(kill_exit, struct task_struct *to, struct kernel_siginfo *info, int sig,
	    const struct cred *cred, int result)
{
	return result ? 0 : on_signal(to, sig, info, 0, HOOK_kill_exit, 1);
}

/* The whole answer, that of the function above in it: here those that were refused, and the
 * canary's, which no rights of the sensor make the kernel refuse. */
SEC("?fexit/check_kill_permission")
int PROGRAM(refused_exit, int sig, struct kernel_siginfo *info, struct task_struct *to, int result)
{
	struct control *c = control_get();

	if (!c || (!result && !is_canary(c)))
		return 0;
	return on_signal(to, sig, info, result, HOOK_refused_exit, 1);
}

/*
 * A signal that a descriptor sends because somebody asked for it (F_SETOWN, F_SETSIG).
 * It comes in whatever process, or interrupt, the descriptor became ready: that one is
 * the actor when it runs as the user that asked, else nobody is; what a user asked for
 * and gets is left out.
 */
SEC("?fexit/security_file_send_sigiotask")
int PROGRAM(sigio_exit, struct task_struct *to, struct fown_struct *owner, int sig, int result)
{
	struct task_struct *from = (void *)bpf_get_current_task();
	__u32 asked = READ(owner, uid.val), known = READ(from, real_cred, uid.val) == asked;
	struct signal_record *rec;
	struct slot *slot;

	sig = sig ? sig : SIGIO;
	if (result || !signal_matters(to, sig) || (!known && READ(to, real_cred, uid.val) == asked))
		return 0;
	slot = record_begin(KIND_signal, HOOK_sigio_exit, 1, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (!known)
		rec->record.flags |= RECORD_NO_ACTOR;
	target_fill(&rec->target, to);
	rec->signal = sig;
	rec->code = SI_SIGIO;
	rec->to_sensor = is_sensor(rec->target.key.tgid);
	return record_end(slot, 0, LANE_OF_signal);
}

/* Those of timers and children come here too, in whatever process they interrupt: told by their
 * code. */
SEC("?tp_btf/signal_generate")
int PROGRAM(signal_tp, int sig, struct kernel_siginfo *info, struct task_struct *to)
{
	int code = SI_USER;

	if ((unsigned long)info == 1)
		return 0;
	if ((unsigned long)info > 2)
		code = READ(info, si_code);
	if (code != SI_USER && code != SI_QUEUE && code != SI_TKILL && code != SI_SIGIO &&
	    (code < 0 || code > POLL_HUP || sig == SIGCHLD))
		return 0;
	return on_signal(to, sig, info, 0, HOOK_signal_tp, 2);
}
