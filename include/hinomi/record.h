/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What the kernel side writes into the rings and userspace/decode reads: plain
 * structs, naturally aligned, variable bytes behind an offset and a length.
 * Both sides are always built from the same tree; there is no other reader.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif
#include "kinds.h"

#define RECORD_BYTES_MAX 65536 /* a whole record; longer values are cut and say so */
#define RECORD_PATH_MAX	 4096
#define RECORD_NAME_MAX	 256
#define RECORD_ARGS_MAX	 40960 /* arguments in one exec record: head and tail */
#define RECORD_ARGS_TAIL 8192
#define CPU_SENSOR	 0xffffffffu /* Event.cpu of the sensor's own events */

/* bytes of this record: len of them at off from its start; total were there */
struct bytes_ref {
	__u32 off;
	__u32 len;
	__u32 total;
};

struct process_key {
	__u64 start_ns;
	__u64 exec_id;
	__u32 tgid;
	__u32 pad;
};

struct namespace_ids {
	__u32 mnt, pid, net, user, uts, ipc, cgroup;
};

struct cred_ids {
	__u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	__u64 cap_effective, cap_permitted, cap_inheritable, cap_ambient;
};

/* the process that did it, as it is at that moment */
struct actor {
	struct process_key key;
	struct process_key parent;
	struct cred_ids cred;
	__u64 cgroup_id;
	struct namespace_ids ns;
	__u32 tid;
	__u32 ns_tgid;
	__u32 login_uid;
	__u32 session_id;
	__u32 pad;
	char comm[16];
};

#define RECORD_COMPAT	      1 /* 32-bit or x32 system call */
#define RECORD_RESULT_UNKNOWN 2 /* seen before its outcome */
#define RECORD_NO_ACTOR	      4 /* nobody knows whose it is: actor is empty */

struct record {
	__u32 size; /* of the whole record, trailing bytes included */
	__u16 kind;
	__u8 lane;
	__u8 tier;
	__u32 cpu;
	__u32 flags;
	__u64 seq;     /* per cpu and lane, from 1, assigned before ring space is asked for */
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__s32 result;
	__u16 hook; /* which program saw it: enum hook_id of bpf/, for the canaries */
	__u16 pad;
	struct actor actor;
};

#define FILE_DELETED	    1
#define FILE_MEMORY	    2 /* on the kernel's internal tmpfs mount: memfd */
#define FILE_PATH_AS_ASKED  4 /* path is the caller's argument, not resolved */
#define FILE_PATH_TRUNCATED 8 /* leading components are missing */

struct file_ref {
	__u64 inode;
	__u64 size;
	__u64 changed_ns;
	__u32 device; /* kernel's dev_t: major << 20 | minor */
	__u32 generation;
	__u32 mode;
	__u32 uid, gid;
	__u32 links;
	__u32 magic;
	__u32 flags;
	struct bytes_ref path;
	__u32 pad;
};

struct exec_record {
	struct record record;
	struct file_ref file;
	struct bytes_ref filename;
	struct bytes_ref interpreter;
	struct bytes_ref args;	    /* NUL-terminated strings; total is the true size */
	struct bytes_ref args_tail; /* set when args were too long for one piece */
	struct bytes_ref cwd;
	__u32 argc;
	__u32 old_tid;
	__u32 secure;
	__u32 pad;
};

struct fork_record {
	struct record record;
	struct process_key child;
	struct process_key child_parent;
	__u64 child_cgroup_id;
	struct namespace_ids child_ns;
	__u32 child_ns_tgid;
};

struct exit_record {
	struct record record;
	__u64 run_ns;
	__u32 exit_code; /* as wait(2) has it */
	__u32 pad;
};

struct cred_change_record {
	struct record record;
	struct cred_ids old;
	__u32 old_known;
	__u32 pad;
};

/* file_create, file_open */
struct open_record {
	struct record record;
	struct file_ref file;
	__u32 flags;
	__u32 pad;
};

struct unlink_record {
	struct record record;
	struct file_ref file;
};

struct rename_record {
	struct record record;
	struct file_ref file;
	struct file_ref replaced; /* inode 0: nothing was there */
	struct bytes_ref old_path;
	__u32 old_path_flags; /* FILE_PATH_* */
	__u32 flags;
	__u32 pad;
};

struct link_record {
	struct record record;
	struct file_ref file;
	struct bytes_ref target;
	__u32 symbolic;
};

/* file_mode, file_owner */
struct attr_record {
	struct record record;
	struct file_ref file; /* as it is afterwards */
	__u32 mode, old_mode;
	__u32 uid, gid, old_uid, old_gid;
	__u32 old_known;
	__u32 pad;
};

#define ADDRESS_RAW_MAX 108 /* sun_path; no address family needs more */

struct address {
	__u16 family;
	__u16 port; /* host order */
	__u16 len;  /* bytes of data in use */
	__u16 mapped;
	__u32 scope_id;
	__u8 data[ADDRESS_RAW_MAX]; /* 4 or 16 of IP, the unix name, or what it is */
};

/* connect, accept, listen, bind */
struct socket_record {
	struct record record;
	struct address local;
	struct address peer; /* family 0: none */
	__u64 cookie;
	__u16 family, type;
	__u16 protocol, pad;
	__u32 net_ns;
	__u32 backlog;
	__u32 peer_tgid;
	__u32 pad2;
};

/* Why a connection ended, of struct tcp_close_record; numbers of TcpClose.Reason. */
enum tcp_end {
	TCP_END_UNSPECIFIED,
	TCP_END_NORMAL, /* both sides closed */
	TCP_END_RESET,	/* by the peer */
	TCP_END_TIMEOUT,
	TCP_END_REFUSED, /* it never came to be */
	TCP_END_ABORTED, /* by this side, with a reset or before it was established */
	TCP_END_ERROR,	 /* record.result says which */
};

struct tcp_close_record {
	struct socket_record socket;
	__u64 start_ns; /* of connect or accept; 0: not seen */
	__u64 bytes_sent, bytes_acked, bytes_received;
	__u32 segments_sent, segments_received, segments_retransmitted;
	__u16 reason; /* enum tcp_end */
	__u16 state;  /* TCP_* that it had before */
	__u16 role;   /* enum tcp_role */
	__u16 pad[3];
};

enum tcp_role { TCP_ROLE_UNKNOWN, TCP_ROLE_CLIENT, TCP_ROLE_SERVER };

/* What went between a process and a peer since its last record, this message included. */
struct udp_flow_record {
	struct socket_record socket;
	__u64 from_ns; /* 0: this is the first message */
	__u64 sent, received, failed;
	__u64 bytes_sent, bytes_received;
};

#define RECORD_DNS_MAX 512

/* A message to or from port 53. */
struct dns_record {
	struct socket_record socket;
	struct bytes_ref message; /* its first RECORD_DNS_MAX bytes */
	__u32 sent;		  /* else received */
};

enum filter_action {
	FILTER_ATTACH = 1, /* classic BPF */
	FILTER_ATTACH_BPF,
	FILTER_DETACH,
	FILTER_LOCK,
};

struct socket_filter_record {
	struct socket_record socket;
	struct bytes_ref program; /* classic: struct sock_filter each */
	__u32 action;		  /* enum filter_action */
	__u32 instructions;
	__u32 program_id;
	__u8 tag[8];
	__u32 reuseport;
};

struct exec_failed_record {
	struct record record;
	struct file_ref file; /* inode 0: it could not be opened */
	struct bytes_ref filename;
	__u32 pad;
};

/* the process that something is done to */
struct target {
	struct process_key key;
	__u32 uid; /* real user id */
	__u32 pad;
	char comm[16];
};

enum access_operation {
	ACCESS_PTRACE = 1,
	ACCESS_TRACE_ME,
	ACCESS_MEMORY_READ,
	ACCESS_MEMORY_WRITE,
	ACCESS_OPEN,
	ACCESS_DESCRIPTOR,
};

struct access_record {
	struct record record;
	struct target target;
	__u64 request;	 /* first argument of the system call */
	__u32 operation; /* enum access_operation */
	__u32 mode;	 /* PTRACE_MODE_* */
	__s32 call;	 /* system call that led here, -1: none */
	__u32 pad;
};

struct signal_record {
	struct record record;
	struct target target;
	__u32 signal;
	__s32 code; /* si_code */
};

enum mount_action { MOUNT_MOUNT = 1, MOUNT_MOVE, MOUNT_UMOUNT, MOUNT_PIVOT_ROOT };

/* mount, chroot */
struct mount_record {
	struct record record;
	struct file_ref target;
	struct bytes_ref source;
	struct bytes_ref type;
	__u64 flags;
	__u32 action; /* enum mount_action */
	__u32 pad;
};

enum namespace_how { NAMESPACE_UNSHARE = 1, NAMESPACE_SETNS };

struct namespace_record {
	struct record record;
	struct namespace_ids old, now;
	__u32 pid_for_children;
	__u32 flags; /* CLONE_NEW* */
	__u32 how;   /* enum namespace_how */
	__u32 old_known;
};

/* a running process, written by the iterator to its reader, never to a ring */
struct task_record {
	struct record record; /* actor: the process */
	struct file_ref file;
	struct bytes_ref args;
	__u32 argc;
};

/* Outcome counters of one class on one cpu, in the map `ledger`, index cpu * KINDS_MAX + kind.
 * Every event that a hook begins ends in exactly one of the last four. */
struct ledger_cell {
	__u64 seen;
	__u64 emitted; /* given to a ring */
	__u64 filtered;
	__u64 aggregated;
	__u64 lost_ring;    /* no ring space */
	__u64 lost_scratch; /* no scratch slot or number: too many programs nested on one cpu */
	__u64 pad[2];
};

/* Sequence counters, in the map `sequences`, index cpu. */
struct sequence_cell {
	__u64 next[LANES];
	__u64 busy; /* a number is being taken; used where the kernel has no fetching atomics */
	__u64 pad[5];
};

/* Functions whose signature differs between kernels; their number of arguments tells which one it
 * is. */
enum nargs_of {
	NARGS_UNLINK,
	NARGS_RMDIR,
	NARGS_RENAME,
	NARGS_LINK,
	NARGS_SYMLINK,
	NARGS_OPEN_ROOT,
	NARGS_BPRM,
	NARGS_UDP_RECEIVE,
	NARGS_MAX
};

/* What a system call is to the exit tap (tier 2). */
enum tap {
	TAP_NONE,
	TAP_OPEN,	/* path, flags */
	TAP_OPENAT,	/* dfd, path, flags */
	TAP_OPENAT2,	/* dfd, path, how */
	TAP_OPENHANDLE, /* dfd, handle, flags */
	TAP_CREAT,	/* path */
	TAP_UNLINK,	/* path */
	TAP_UNLINKAT,	/* dfd, path */
	TAP_RENAME,	/* old, new */
	TAP_RENAMEAT,	/* dfd, old, dfd, new */
	TAP_RENAMEAT2,	/* dfd, old, dfd, new, flags */
	TAP_LINK,	/* old, new */
	TAP_LINKAT,	/* dfd, old, dfd, new */
	TAP_SYMLINK,	/* text, new */
	TAP_SYMLINKAT,	/* text, dfd, new */
	TAP_CHMOD,	/* path, mode */
	TAP_FCHMOD,	/* fd, mode */
	TAP_FCHMODAT,	/* dfd, path, mode */
	TAP_CHOWN,	/* path, uid, gid */
	TAP_FCHOWN,	/* fd, uid, gid */
	TAP_FCHOWNAT,	/* dfd, path, uid, gid */
	TAP_CONNECT,	/* fd, address */
	TAP_ACCEPT,	/* -> fd */
	TAP_LISTEN,	/* fd, backlog */
	TAP_BIND,	/* fd, address */
	TAP_CREDS,	/* setuid family, capset */
	TAP_SOCKETCALL, /* which, its arguments; i386 only */
	TAP_SOCKET,	/* family, type, protocol -> fd */
	TAP_SETSOCKOPT, /* fd, level, option */
	TAP_SENDTO,	/* fd, bytes, length, flags, address -> length */
	TAP_SENDMSG,	/* fd, message, flags -> length */
	TAP_SENDMMSG,	/* fd, messages, count, flags -> count */
	TAP_RECVFROM,
	TAP_RECVMSG,
	TAP_RECVMMSG,
	TAP_EXECVE,	 /* path */
	TAP_EXECVEAT,	 /* dfd, path */
	TAP_PTRACE,	 /* request, pid */
	TAP_VM_ACCESS,	 /* pid: process_vm_readv, process_vm_writev */
	TAP_PIDFD_GETFD, /* pidfd */
	TAP_MOUNT,	 /* source, target, type, flags */
	TAP_MOVE_MOUNT,	 /* dfd, from, dfd, to, flags */
	TAP_UMOUNT,	 /* target, flags */
	TAP_PIVOT_ROOT,	 /* new root, put old */
	TAP_CHROOT,	 /* path */
	TAP_UNSHARE,	 /* flags */
	TAP_SETNS,	 /* fd, flags */
};

#define TAP_SYSCALLS 512 /* system call numbers that the tap's tables hold */

/* Set before load, frozen after: the verifier prunes what is off. */
struct settings {
	__u32 cpus;
	__u32 has_scope;	/* only the cgroup in map `scope`, and below */
	__u32 slots;		/* scratch slots per cpu */
	__u32 fetching_atomics; /* the kernel has them; else next() was rewritten */
	__u32 nargs[NARGS_MAX];
	__u32 wake_bytes[LANES]; /* wake the reader when this much waits */
};

/* Shared memory with the reader while programs run. */
struct control {
	__u32 own_tgid;	   /* the sensor itself, which is not observed; 0: observe it too */
	__u32 canary_tgid; /* observed whatever the scope says, with its children */
	__u32 sleeping;	   /* the reader waits for a wakeup */
	__u32 pad;
	__u8 rings_id[16];	       /* made with the maps, kept as long as they are */
	__u64 lost_told[KINDS_MAX];    /* the reader\'s own note: lost_ring that gaps on disk have
					  named */
	__u8 tap_native[TAP_SYSCALLS]; /* enum tap by system call number */
	__u8 tap_compat[TAP_SYSCALLS]; /* the same for 32-bit system calls */
	__u8 tapped[KINDS_MAX];	       /* classes that rest on the tap */
	__u32 flush;		       /* every flow that has something to tell does so now */
	__u32 pad2;
};
