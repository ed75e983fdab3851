/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that none of our programs makes once it runs, nor a library of theirs: only somebody
 * else. */
#pragma once

#define TELLTALE_CALLS(X)    \
	X(execve)            \
	X(execveat)          \
	X(ptrace)            \
	X(process_vm_readv)  \
	X(process_vm_writev) \
	X(pidfd_getfd)       \
	X(bpf)               \
	X(perf_event_open)   \
	X(userfaultfd)       \
	X(mount)             \
	X(umount2)           \
	X(move_mount)        \
	X(mount_setattr)     \
	X(open_tree)         \
	X(fsopen)            \
	X(fspick)            \
	X(fsconfig)          \
	X(fsmount)           \
	X(pivot_root)        \
	X(chroot)            \
	X(setns)             \
	X(unshare)           \
	X(init_module)       \
	X(finit_module)      \
	X(delete_module)     \
	X(kexec_load)        \
	X(kexec_file_load)   \
	X(reboot)            \
	X(swapon)            \
	X(swapoff)           \
	X(acct)              \
	X(sethostname)       \
	X(setdomainname)     \
	X(settimeofday)      \
	X(clock_settime)     \
	X(setuid)            \
	X(setgid)            \
	X(setreuid)          \
	X(setregid)          \
	X(setresuid)         \
	X(setresgid)         \
	X(setfsuid)          \
	X(setfsgid)          \
	X(setgroups)         \
	X(capset)
