/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of the system call that a task is in: which call, through which of the kernel's
 * tables. */
#pragma once

#define THREAD_BYTES 16384 /* of a kernel stack, on x86-64 and arm64 */
#define PF_IO_WORKER 0x10
#define PF_KTHREAD   0x200000

#define REGS	     struct pt_regs___call

#if defined(__TARGET_ARCH_x86)
#define X32_BIT		  0x40000000
#define CALL_NUMBER(regs) ((regs)->orig_ax) /* where the verifier knows the type */
#define CALL_FUNCTION	  "__x64_sys_"
#elif defined(__TARGET_ARCH_arm64)
#define X32_BIT		  0
#define CALL_NUMBER(regs) ((regs)->syscallno)
#define CALL_FUNCTION	  "__arm64_sys_"
#endif

static __always_inline __u32 call_number(REGS *regs)
{
#if defined(__TARGET_ARCH_x86)
	return READ(regs, orig_ax) & ~X32_BIT;
#else
	return READ(regs, syscallno);
#endif
}

/* Only where the kernel has x32: elsewhere the bit makes a number that does not exist. */
static __always_inline bool call_is_x32(REGS *regs)
{
#if defined(__TARGET_ARCH_x86)
	return settings.x32 && READ(regs, orig_ax) & X32_BIT;
#else
	return false;
#endif
}

/* Registers of the system call that the current task is in; NULL for a kernel thread. */
static __always_inline REGS *current_regs(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (READ(task, flags) & (PF_KTHREAD | PF_IO_WORKER))
		return NULL;
	/* from 5.15 on (dd6e10fbd9fb); since 6.9 some x86 kernels leave room above the registers */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (REGS *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return READ(task, stack) + THREAD_BYTES - bpf_core_type_size(REGS);
}

/* A 32-bit or x32 program asks. */
static __always_inline bool call_is_foreign(void)
{
	return current_is_compat() || (settings.x32 && call_is_x32(current_regs()));
}

#define NR_READ_32BIT	3
#define NR_READV_32BIT	145
#define NR_WRITE_32BIT	4 /* on i386 and 32-bit arm */
#define NR_WRITEV_32BIT 146
#define NR_MKNOD_32BIT	14
#if defined(__TARGET_ARCH_x86)
#define NR_READ		    0
#define NR_READV	    19
#define NR_READV_X32	    515
#define NR_WRITE	    1
#define NR_WRITEV	    20
#define NR_WRITEV_X32	    516
#define NR_MKNOD	    133
#define NR_MKNODAT	    259
#define NR_MKNODAT_32BIT    297
#define NR_SETSOCKOPT	    54
#define NR_SETSOCKOPT_32BIT 366
#define NR_SETSOCKOPT_X32   541
#elif defined(__TARGET_ARCH_arm64)
#define NR_READ		    63
#define NR_READV	    65
#define NR_READV_X32	    65
#define NR_WRITE	    64
#define NR_WRITEV	    66
#define NR_WRITEV_X32	    66
#define NR_MKNOD	    33
#define NR_MKNODAT	    33
#define NR_MKNODAT_32BIT    324
#define NR_SETSOCKOPT	    208
#define NR_SETSOCKOPT_32BIT 294
#define NR_SETSOCKOPT_X32   208
#endif

static __always_inline bool is_write(__u32 nr, bool is_32bit)
{
	return nr == (is_32bit ? NR_WRITE_32BIT : NR_WRITE);
}

static __always_inline bool is_read(__u32 nr, bool is_32bit)
{
	return nr == (is_32bit ? NR_READ_32BIT : NR_READ);
}

static __always_inline bool is_readv(__u32 nr, bool is_32bit)
{
	if (is_32bit)
		return nr == NR_READV_32BIT;
	return nr == NR_READV || nr == NR_READV_X32;
}

static __always_inline bool is_setsockopt(__u32 nr, bool is_32bit)
{
	if (is_32bit)
		return nr == NR_SETSOCKOPT_32BIT;
	return nr == NR_SETSOCKOPT || nr == NR_SETSOCKOPT_X32;
}

static __always_inline bool is_writev(__u32 nr, bool is_32bit)
{
	if (is_32bit)
		return nr == NR_WRITEV_32BIT;
	return nr == NR_WRITEV || nr == NR_WRITEV_X32;
}

static __always_inline bool is_mknod(__u32 nr, bool is_32bit)
{
	if (is_32bit)
		return nr == NR_MKNOD_32BIT || nr == NR_MKNODAT_32BIT;
	return nr == NR_MKNOD || nr == NR_MKNODAT;
}
