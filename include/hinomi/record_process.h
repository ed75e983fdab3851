/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records about processes. */
#pragma once

#include "record.h"

#define EXEC_LEVELS_MAX	 5 /* the kernel follows no more */
#define EXEC_LEVEL_PATH	 256
#define EXEC_ENVIRONMENT 4096 /* of its head, and of its tail */

/* a file that another one was asked to interpret */
struct exec_level {
	struct file_ref file; /* path.off: from the start of path below */
	char path[EXEC_LEVEL_PATH];
};

/* what a standard descriptor is */
struct stdio_ref {
	__u64 inode;
	__u32 device; /* of a device node the one it stands for */
	__u32 mode;   /* 0: closed */
	__u16 family; /* of a socket */
	__u16 type;
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
	struct bytes_ref environment; /* head; total is the true size */
	struct bytes_ref environment_tail;
	struct bytes_ref levels; /* struct exec_level each */
	__u32 argc;
	__u32 old_tid;
	__u32 secure;
	__u32 directory_mode;
	__u32 directory_gid;
	__u32 pad;
	__u32 executable_stack;
	__u32 before_known;
	__u32 file_effective;
	__u32 peer_of; /* descriptor that peer belongs to, and each with the same inode */
	__u64 modified_ns;
	__u64 file_permitted, file_inheritable;
	struct cred_ids before;
	struct stdio_ref stdio[3];
	struct address peer;
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
	__u32 rest_known; /* of old_rest */
	struct cred_rest {
		__u64 cap_bounding;
		__u32 securebits;
		__u32 groups;
		__u32 user_ns;
		__u32 pad;
	} rest, old_rest;
	struct bytes_ref groups; /* __u32 each */
	__u32 pad;
	__u32 call;  /* that was refused: number of the system call, */
	__u32 asked; /* and the id that it asked for; -1: it asks for none */
};

#define LOGINUID_MAX 35 /* bytes that the kernel takes: a sign and many zeros may lead */

/* login: actor is as it is afterwards */
struct login_record {
	struct record record;
	struct address peer;	      /* family 0: no connection */
	char asked[LOGINUID_MAX + 1]; /* as written, ended by a NUL */
};
#define GROUPS_MAX 256 /* told by number; more are counted */

struct exec_failed_record {
	struct record record;
	struct file_ref file; /* inode 0: it could not be opened */
	struct bytes_ref filename;
	__u32 pad;
};

enum access_operation {
	ACCESS_PTRACE = 1,
	ACCESS_TRACE_ME,
	ACCESS_MEMORY_READ,
	ACCESS_MEMORY_WRITE,
	ACCESS_OPEN,
	ACCESS_DESCRIPTOR,
	ACCESS_FILE_WRITE,
	ACCESS_ADVISE,
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
	__u32 to_sensor;
	__u32 pad;
};

enum sandbox_change { SANDBOX_NO_NEW_PRIVS = 1, SANDBOX_STRICT, SANDBOX_FILTER };

struct sandbox_record {
	struct record record;
	__u32 change; /* enum sandbox_change */
	__u32 flags;  /* SECCOMP_FILTER_FLAG_* */
	__u32 listener;
	__u32 instructions;
	__u32 filters;		  /* of the process, with this one */
	struct bytes_ref program; /* struct sock_filter each */
};

struct name_record {
	struct record record;
	char old[16], now[16];
};

struct prctl_record {
	struct record record;
	__u64 value, address;
	__u32 option;
	__u32 pad;
};

struct image_record {
	struct record record;
	struct file_ref file;
	__u32 protection; /* PROT_* */
	__u32 flags;	  /* MAP_* */
	__u32 later;
	__u32 by_executable;
};

enum memory_action { MEMORY_MAP = 1, MEMORY_PROTECT };
enum memory_kind {
	MEMORY_UNKNOWN,
	MEMORY_ANONYMOUS,
	MEMORY_STACK,
	MEMORY_HEAP,
	MEMORY_FILE,
};

struct memory_record {
	struct record record;
	struct file_ref file; /* inode 0: none */
	__u64 address, size;
	__u32 action; /* enum memory_action */
	__u32 memory; /* enum memory_kind */
	__u32 writable, was_writable;
};

struct userfaultfd_record {
	struct record record;
	__u32 flags;
	__u32 pad;
};

struct received_record {
	struct record record;
	struct file_ref file;
	__u32 opener; /* user id */
	__u32 flags;  /* O_* */
	__u32 call;   /* number of the system call */
	__u32 pad;
	struct address peer; /* of a connection */
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
	struct address peer; /* of a connection that it holds and did not make; family 0: none */
	__u32 argc;
	__u32 pad;
};
