/* SPDX-License-Identifier: GPL-2.0 */
/* More of the kernel's types, of processes and their memory; how: kernel.h. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cpu_vfs_cap_data {
	__u32 magic_etc;
	kernel_cap_t permitted, inheritable;
};

struct group_info {
	int ngroups;
	kgid_t gid[1]; /* a flexible array in the kernel */
};

struct fown_struct {
	kuid_t uid;
};

struct seccomp_filter {
	struct bpf_prog *prog;
};

struct vm_area_struct {
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	struct file *vm_file;
	void *anon_vma;
	unsigned long vm_start, vm_end;
};

struct linux_binprm {
	struct vm_area_struct *vma;
	char buf[256];
	struct file *file;
	unsigned int secureexec : 1;
	int argc;
	const char *filename;
	const char *interp;
};

struct kernel_siginfo {
	int si_signo, si_errno, si_code;
};

#pragma clang attribute pop
