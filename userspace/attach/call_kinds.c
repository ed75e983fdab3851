/* SPDX-License-Identifier: Apache-2.0 */
/* Which classes a system call can make. */
#include "attach/calls.h"

#include <hinomi/kinds.h>

/* Of a call that changes a file; 0 for none. */
static unsigned change_kind(unsigned tap)
{
	switch (tap) {
	case TAP_SETXATTR ... TAP_REMOVEXATTRAT:
		return KIND_file_xattr;
	case TAP_FILE_SETATTR:
		return KIND_file_flags;
	case TAP_TRUNCATE ... TAP_FTRUNCATE64:
		return KIND_file_truncate;
	case TAP_UTIME ... TAP_UTIMENSAT_TIME64:
		return KIND_file_times;
	case TAP_MKDIR ... TAP_MKNODAT:
		return KIND_file_make;
	default:
		return 0;
	}
}

/* Of a call about processes alone; how many kinds. */
static unsigned process_kinds(unsigned tap, unsigned kinds[TAP_KINDS_MAX])
{
	switch (tap) {
	case TAP_KILL ... TAP_PIDFD_SIGNAL:
		kinds[0] = KIND_signal;
		return 1;
	case TAP_PRCTL:
		kinds[0] = KIND_cred_change;
		kinds[1] = KIND_sandbox;
		kinds[2] = KIND_prctl;
		return 3;
	case TAP_SECCOMP:
		kinds[0] = KIND_sandbox;
		return 1;
	case TAP_MMAP ... TAP_MMAP_OLD:
		kinds[0] = KIND_file_map;
		kinds[1] = KIND_image_load;
		kinds[2] = KIND_memory_exec;
		return 3;
	case TAP_MPROTECT:
		kinds[0] = KIND_memory_exec;
		return 1;
	case TAP_USERFAULTFD:
		kinds[0] = KIND_userfaultfd;
		return 1;
	case TAP_MADVISE:
		kinds[0] = KIND_process_access;
		return 1;
	default:
		return 0;
	}
}

/* Of a call about the kernel itself; 0 for none. */
static unsigned system_kind(unsigned tap)
{
	switch (tap) {
	case TAP_BPF:
		return KIND_bpf;
	case TAP_PERF_EVENT:
		return KIND_probe;
	case TAP_INIT_MODULE ... TAP_FINIT_MODULE:
		return KIND_module_load;
	case TAP_DELETE_MODULE:
		return KIND_module_unload;
	case TAP_ADD_KEY ... TAP_KEYCTL:
		return KIND_keyring;
	default:
		return KIND_system;
	}
}

/* Of a call about processes or the kernel; 0 for none. */
static unsigned kernel_kind(unsigned tap)
{
	switch (tap) {
	case TAP_EXECVE ... TAP_EXECVEAT:
		return KIND_exec_failed;
	case TAP_PTRACE ... TAP_PIDFD_GETFD:
		return KIND_process_access;
	case TAP_MOUNT ... TAP_PIVOT_ROOT:
		return KIND_mount;
	case TAP_CHROOT:
		return KIND_chroot;
	case TAP_UNSHARE ... TAP_SETNS:
		return KIND_namespace;
	default:
		return tap >= TAP_BPF ? system_kind(tap) : change_kind(tap);
	}
}

static unsigned net_kinds(unsigned tap, unsigned kinds[TAP_KINDS_MAX])
{
	switch (tap) {
	case TAP_CONNECT:
		kinds[0] = KIND_connect;
		return 1;
	case TAP_ACCEPT:
		kinds[0] = KIND_accept;
		return 1;
	case TAP_LISTEN:
		kinds[0] = KIND_listen;
		return 1;
	case TAP_BIND:
		kinds[0] = KIND_bind;
		return 1;
	case TAP_SOCKET:
		kinds[0] = KIND_socket_special;
		return 1;
	case TAP_SETSOCKOPT:
		kinds[0] = KIND_socket_filter;
		kinds[1] = KIND_net_change;
		return 2;
	case TAP_IOCTL:
		kinds[0] = KIND_file_flags;
		kinds[1] = KIND_net_change;
		kinds[2] = KIND_bpf;
		return 3;
	case TAP_SENDTO ... TAP_SENDMMSG:
		kinds[0] = KIND_connect; /* fast open */
		kinds[1] = KIND_udp_flow;
		kinds[2] = KIND_dns;
		kinds[3] = KIND_tls_hello;
		kinds[4] = KIND_metadata_request;
		kinds[5] = KIND_net_change;
		kinds[6] = KIND_audit_change;
		return 7;
	case TAP_RECVFROM ... TAP_RECVMMSG:
		kinds[0] = KIND_udp_flow;
		kinds[1] = KIND_dns;
		kinds[2] = KIND_file_received;
		return 3;
	default:
		return 0;
	}
}

unsigned tap_kinds(unsigned tap, unsigned kinds[TAP_KINDS_MAX])
{
	switch (tap) {
	case TAP_OPEN ... TAP_CREAT:
		kinds[0] = KIND_file_create;
		kinds[1] = KIND_file_open;
		kinds[2] = KIND_file_read;
		kinds[3] = KIND_sysctl; /* whose files a process opened */
		kinds[4] = KIND_system; /* its memory as a file */
		return 5;
	case TAP_UNLINK ... TAP_UNLINKAT:
		kinds[0] = KIND_file_unlink;
		break;
	case TAP_RENAME ... TAP_RENAMEAT2:
		kinds[0] = KIND_file_rename;
		break;
	case TAP_LINK ... TAP_SYMLINKAT:
		kinds[0] = KIND_file_link;
		break;
	case TAP_CHMOD ... TAP_FCHMODAT:
		kinds[0] = KIND_file_mode;
		break;
	case TAP_CHOWN ... TAP_FCHOWNAT:
		kinds[0] = KIND_file_owner;
		break;
	case TAP_SOCKETCALL:
		kinds[0] = KIND_connect;
		kinds[1] = KIND_accept;
		kinds[2] = KIND_listen;
		kinds[3] = KIND_bind;
		kinds[4] = KIND_udp_flow;
		kinds[5] = KIND_socket_special;
		kinds[6] = KIND_socket_filter;
		kinds[7] = KIND_dns;
		kinds[8] = KIND_tls_hello;
		kinds[9] = KIND_metadata_request;
		kinds[10] = KIND_net_change;
		kinds[11] = KIND_audit_change;
		kinds[12] = KIND_file_received;
		return 13;
	case TAP_CREDS:
	case TAP_GROUPS:
		kinds[0] = KIND_cred_change;
		break;
	case TAP_WRITE:
		kinds[0] = KIND_login;
		kinds[1] = KIND_sysctl;
		return 2;
	default:
		kinds[0] = kernel_kind(tap);
		if (kinds[0])
			return 1;
		return net_kinds(tap, kinds) ?: process_kinds(tap, kinds);
	}
	return 1;
}
