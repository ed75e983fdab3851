/* SPDX-License-Identifier: GPL-2.0 */
/* A system call on its way out: number, arguments, result, as the registers have them. */
#pragma once

#define AT_FDCWD    -100
#define PIDFS_MAGIC 0x50494446

struct call {
	long result;
	__u64 arg[5];
	__u32 what; /* enum tap */
	__u16 hook;
	__u8 tier;
	bool compat; /* its arguments are those of a 32-bit or x32 program */
};

#if defined(__TARGET_ARCH_x86)
static __always_inline void call_arguments(struct call *call, REGS *regs, enum pointer how,
					   bool is_32bit)
{
	if (is_32bit) {
		call->arg[0] = (__u32)GET(how, regs, bx);
		call->arg[1] = (__u32)GET(how, regs, cx);
		call->arg[2] = (__u32)GET(how, regs, dx);
		call->arg[3] = (__u32)GET(how, regs, si);
		call->arg[4] = (__u32)GET(how, regs, di);
		return;
	}
	call->arg[0] = GET(how, regs, di);
	call->arg[1] = GET(how, regs, si);
	call->arg[2] = GET(how, regs, dx);
	call->arg[3] = GET(how, regs, r10);
	call->arg[4] = GET(how, regs, r8);
}

/* One argument, for who may need no other. */
static __always_inline __u64 call_second(REGS *regs, enum pointer how, bool is_32bit)
{
	return is_32bit ? (__u32)GET(how, regs, cx) : GET(how, regs, si);
}

static __always_inline __u64 call_sixth(REGS *regs, bool is_32bit)
{
	return is_32bit ? (__u32)READ(regs, bp) : READ(regs, r9);
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline void call_arguments(struct call *call, REGS *regs, enum pointer how,
					   bool is_32bit)
{
	call->arg[0] = GET(how, regs, orig_x0);
	call->arg[1] = GET(how, regs, regs[1]);
	call->arg[2] = GET(how, regs, regs[2]);
	call->arg[3] = GET(how, regs, regs[3]);
	call->arg[4] = GET(how, regs, regs[4]);
}

static __always_inline __u64 call_second(REGS *regs, enum pointer how, bool is_32bit)
{
	return GET(how, regs, regs[1]);
}

static __always_inline __u64 call_sixth(REGS *regs, bool is_32bit)
{
	return READ(regs, regs[5]);
}
#endif

/* The registers that the function of a system call takes.  Some kernels describe what these
 * functions take in a unit that does not know the registers: ctx does not give them away there. */
#define CALL_REGISTERS(call, ctx, is_32bit)                                                        \
	({                                                                                         \
		if (settings.typed_calls)                                                          \
			call_arguments(call, (REGS *)ARGUMENT(ctx, 0), TYPED, is_32bit);           \
		else                                                                               \
			call_arguments(call, (REGS *)argument_untyped(ctx, 0), ADDRESS, is_32bit); \
	})

/*
 * A record at the exit of the function that is system call NAME, for operations
 * whose outcome no other function knows: NAME_exit, and where 32-bit programs
 * have a function of their own NAME_ia32, which no canary of ours can reach.
 */
#define CALL_EXIT_ONE(program, hook_name, section, is_32bit, tap, fn) \
	SEC(section)                                                  \
	int PROGRAM_CTX(program)                                      \
	{                                                             \
		struct call call = {.result = ARGUMENT(ctx, 1),       \
				    .what = tap,                      \
				    .hook = HOOK_##hook_name,         \
				    .tier = 1};                       \
                                                                      \
		CALL_REGISTERS(&call, ctx, is_32bit);                 \
		return fn(&call);                                     \
	}
#define CALL_EXIT_AT(prefix, name, suffix, is_32bit, tap, fn) \
	CALL_EXIT_ONE(name##suffix, name##_exit, "?fexit/" prefix #name, is_32bit, tap, fn)
/* NAME is what the programs are called, NR the system call */
#define CALL_EXIT_NATIVE_AS(name, nr, fn) \
	CALL_EXIT_ONE(name##_exit, name##_exit, "?fexit/" CALL_FUNCTION #nr, false, TAP_NONE, fn)

#if defined(__TARGET_ARCH_x86)
#define CALL_EXIT_BOTH(name, ia32, tap, fn)                      \
	CALL_EXIT_AT(CALL_FUNCTION, name, _exit, false, tap, fn) \
	CALL_EXIT_AT(ia32, name, _ia32, true, tap, fn)
#define CALL_EXIT_AS(name, nr, fn)        \
	CALL_EXIT_NATIVE_AS(name, nr, fn) \
	CALL_EXIT_ONE(name##_ia32, name##_exit, "?fexit/__ia32_sys_" #nr, true, TAP_NONE, fn)
#else
#define CALL_EXIT_BOTH(name, ia32, tap, fn) CALL_EXIT_AT(CALL_FUNCTION, name, _exit, false, tap, fn)
#define CALL_EXIT_AS(name, nr, fn)	    CALL_EXIT_NATIVE_AS(name, nr, fn)
#endif

#define CALL_EXIT(name, fn) CALL_EXIT_BOTH(name, "__ia32_sys_", TAP_NONE, fn)
/* one of several calls that share fn, and are told by call->what */
#define CALL_EXIT_TAP(name, tap, fn) CALL_EXIT_BOTH(name, "__ia32_sys_", tap, fn)
/* 32-bit programs have a call with other structures */
#if defined(__TARGET_ARCH_x86)
#define CALL_EXIT_COMPAT(name, tap, fn) CALL_EXIT_BOTH(name, "__ia32_compat_sys_", tap, fn)
#else
#define CALL_EXIT_COMPAT(name, tap, fn)                          \
	CALL_EXIT_AT(CALL_FUNCTION, name, _exit, false, tap, fn) \
	CALL_EXIT_AT("__arm64_compat_sys_", name, _ia32, true, tap, fn)
#endif

static __always_inline struct slot *call_begin(struct call *call, __u32 kind, __u32 size)
{
	struct slot *slot = record_begin(kind, call->hook, call->tier, size);

	if (slot && call->compat)
		((struct record *)slot->data)->flags |= RECORD_COMPAT;
	return slot;
}

/* Does the class rest on the exit tap? */
static __always_inline bool tapped(__u32 kind)
{
	struct control *c = control_get();

	return c && c->tapped[kind];
}

/* Since 6.9 a pidfd is an inode of its own (cb12fd8e0dab). */
static __always_inline __u32 tgid_of_pidfd(int fd)
{
	struct file *file = file_of_fd(fd);
	struct pid *pid;

	if (!file)
		return 0;
	if (READ(file, f_inode, i_sb, s_magic) == PIDFS_MAGIC)
		pid = READ(file, f_inode, i_private);
	else
		pid = READ(file, private_data);
	return READ(pid, numbers[0].nr);
}
