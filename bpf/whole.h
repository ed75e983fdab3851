/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program runs whole: while it is at work no other process gets its cpu.  The kernel
 * does not run a program on a cpu that is in the middle of it; where it may be
 * preempted there (always from 7.0 on), what the next process does is skipped.  Kernels
 * from 6.10 on let a program hold preemption off, and from 6.15 on call global functions
 * meanwhile.  Whoever wants the cpu would get it as soon as preemption is on again, in
 * the program still; with interrupts off as well, not before the kernel has left it.
 *
 * It costs some 90 ns, so not where the kernel leaves programs alone (try_whole() in
 * userspace/attach/probe.c), and not before it is known that there is work.
 */
#pragma once

/* Functions of the kernel's own, which have no number: userspace/attach/rewrite.c puts them in. */
static void (*const preempt_off)(void) = (void *)REWRITE_PREEMPT_OFF;
static void (*const preempt_on)(void) = (void *)REWRITE_PREEMPT_ON;
static void (*const irq_off)(unsigned long *flags) = (void *)REWRITE_IRQ_OFF;
static void (*const irq_on)(unsigned long *flags) = (void *)REWRITE_IRQ_ON;

#define WHOLE(work)                   \
	({                            \
		unsigned long flags_; \
                                      \
		preempt_off();        \
		work;                 \
		irq_off(&flags_);     \
		preempt_on();         \
		irq_on(&flags_);      \
	})

#define PROGRAM_AS(name, call, ...)                                     \
	name(unsigned long long *ctx);                                  \
	static __always_inline int name##_whole(__VA_ARGS__);           \
	int name(unsigned long long *ctx)                               \
	{                                                               \
		_Pragma("GCC diagnostic push");                         \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\""); \
		WHOLE(name##_whole(call));                              \
		_Pragma("GCC diagnostic pop");                          \
		return 0;                                               \
	}                                                               \
	static __always_inline int name##_whole(__VA_ARGS__)

/* int PROGRAM(name, what the function takes and, at its exit, gives) { ... }; BPF_PROG where there
 * is next to nothing to do. */
#define PROGRAM(name, args...) \
	PROGRAM_AS(name, ___bpf_ctx_cast(args), unsigned long long *ctx, ##args)
/* The same of what differs from kernel to kernel: the words at ctx. */
#define PROGRAM_CTX(name) PROGRAM_AS(name, ctx, __u64 *ctx)
