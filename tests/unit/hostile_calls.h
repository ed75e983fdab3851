/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that no process of ours makes, by what an attacker would do next. */
#pragma once

#include <sys/syscall.h>

/* clang-format off */
#define HOSTILE_CALLS \
	SYS_execve, \
	SYS_execveat, \
	SYS_ptrace, \
	SYS_process_vm_readv, \
	SYS_process_vm_writev, \
	SYS_pidfd_getfd, \
	SYS_bpf, \
	SYS_perf_event_open, \
	SYS_userfaultfd, \
	SYS_mount, \
	SYS_umount2, \
	SYS_move_mount, \
	SYS_open_tree, \
	SYS_fsopen, \
	SYS_fsconfig, \
	SYS_fsmount, \
	SYS_mount_setattr, \
	SYS_pivot_root, \
	SYS_chroot, \
	SYS_setns, \
	SYS_unshare, \
	SYS_init_module, \
	SYS_finit_module, \
	SYS_delete_module, \
	SYS_kexec_load, \
	SYS_kexec_file_load, \
	SYS_setresuid, \
	SYS_capset
/* clang-format on */
