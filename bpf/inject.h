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

static __always_inline void target_fill(struct target *to, struct task_struct *task)
{
	key_fill(&to->key, task);
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
	bool is_32bit = is_compat((void *)bpf_get_current_task());
	struct call call = {};

	call_arguments(&call, regs, is_32bit);
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

SEC("?fexit/security_ptrace_access_check")
int BPF_PROG(ptrace_exit, struct task_struct *child, unsigned int mode, int result)
{
	return mode & PTRACE_MODE_ATTACH ? on_access(child, mode, result, HOOK_ptrace_exit) : 0;
}

/* The other way round: a process lets its parent trace it. */
SEC("?fexit/security_ptrace_traceme")
int BPF_PROG(traceme_exit, struct task_struct *parent, int result)
{
	return on_access(parent, 0, result, HOOK_traceme_exit);
}

static __always_inline bool is_sensor(__u32 tgid)
{
	struct control *c = control_get();

	return c && tgid && c->own_tgid == tgid;
}

#define SIGNAL_BIT(n) (1u << (n))
#define SIGNALS_ENDING                                                                   \
	(SIGNAL_BIT(1) | SIGNAL_BIT(2) | SIGNAL_BIT(3) | SIGNAL_BIT(6) | SIGNAL_BIT(9) | \
	 SIGNAL_BIT(11) | SIGNAL_BIT(15) | SIGNAL_BIT(19))

/*
 * Any signal to another user's process; and those that end or stop one (HUP, INT,
 * QUIT, ABRT, KILL, SEGV, TERM, STOP), but for a child in the same session, which
 * is a shell's or make's daily work.
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
	if (sig >= 32 || !(SIGNALS_ENDING & SIGNAL_BIT(sig)))
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
int BPF_PROG(kill_exit, struct task_struct *to, struct kernel_siginfo *info, int sig,
	     const struct cred *cred, int result)
{
	return result ? 0 : on_signal(to, sig, info, 0, HOOK_kill_exit, 1);
}

/* The whole answer, that of the function above in it: here those that were refused, and the
 * canary's, which no rights of the sensor make the kernel refuse. */
SEC("?fexit/check_kill_permission")
int BPF_PROG(refused_exit, int sig, struct kernel_siginfo *info, struct task_struct *to, int result)
{
	struct control *c = control_get();

	if (!c || (!result && !is_canary(c)))
		return 0;
	return on_signal(to, sig, info, result, HOOK_refused_exit, 1);
}

/* Those of timers come here too, in whatever process they interrupt: told by their code. */
SEC("?tp_btf/signal_generate")
int BPF_PROG(signal_tp, int sig, struct kernel_siginfo *info, struct task_struct *to)
{
	int code = SI_USER;

	if ((unsigned long)info == 1)
		return 0;
	if ((unsigned long)info > 2)
		code = READ(info, si_code);
	if (code != SI_USER && code != SI_QUEUE && code != SI_TKILL)
		return 0;
	return on_signal(to, sig, info, 0, HOOK_signal_tp, 2);
}
