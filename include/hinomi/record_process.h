/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records about processes. */
#pragma once

#include "record.h"

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

#define LOGINUID_MAX 35 /* bytes that the kernel takes: a sign and many zeros may lead */

/* login: actor is as it is afterwards */
struct login_record {
	struct record record;
	struct address peer;	      /* family 0: no connection */
	char asked[LOGINUID_MAX + 1]; /* as written, ended by a NUL */
};

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
