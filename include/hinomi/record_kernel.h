/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records about the kernel itself: code that goes into it, and what is changed of it. */
#pragma once

#include "record.h"

#define MODULE_BUILD_ID	  20
#define MODULE_SRCVERSION 40 /* 23 digits of modpost, and what others may put there */

/* module_load, module_unload */
struct module_record {
	struct record record;
	struct file_ref file; /* inode 0: not known */
	struct bytes_ref arguments;
	__u32 pad;
	__u64 taints; /* struct module.taints: 1 << TAINT_* */
	char name[56];
	char srcversion[MODULE_SRCVERSION];
	__u8 build_id[MODULE_BUILD_ID]; /* all 0: not known */
	__u32 pad2;
};

/* numbers of Bpf.Operation */
enum bpf_operation {
	BPF_LOAD = 1,
	BPF_ATTACH,
	BPF_DETACH,
	BPF_LINK_CHANGE,
	BPF_LINK_BREAK,
	BPF_OPEN_PROGRAM,
	BPF_OPEN_MAP,
	BPF_OPEN_LINK,
	BPF_LINK_END,
};

/* bits of Bpf.helpers */
#define HELPER_WRITE_USER      1
#define HELPER_OVERRIDE_RETURN 2
#define HELPER_SEND_SIGNAL     4
#define HELPER_READ_MEMORY     8
#define HELPER_CHANGE_PACKET   16
#define HELPER_SYS_BPF	       32
#define HELPER_KERNEL_FUNCTION 64
#define HELPER_NOT_ALL_SEEN    0x80000000u

struct bpf_record {
	struct record record;
	struct bytes_ref target; /* function or tracepoint that it is made for */
	__u32 operation;	 /* enum bpf_operation */
	__u32 id;		 /* of the program or map */
	__u32 type, attach_type; /* BPF_PROG_TYPE_*, BPF_* */
	__u32 instructions;
	__u32 target_id; /* of target in BTF */
	__u32 link_id;	 /* 0 without a link */
	__u32 link_type; /* BPF_LINK_TYPE_* */
	__u32 helpers;	 /* HELPER_* */
	__u32 ours;
	__u8 tag[8];
	char name[16];
};

enum probe_how { PROBE_PERF = 1, PROBE_KPROBE };

struct probe_record {
	struct record record;
	struct bytes_ref pmu;	/* name of what measures */
	struct bytes_ref place; /* function or file of a kprobe or uprobe */
	__u32 how;		/* enum probe_how */
	__u32 type;		/* perf_event_attr.type */
	__u64 config;
	__u64 offset; /* in place */
	__s32 pid, cpu;
};

struct uring_record {
	struct record record;
	__u32 sq_entries, cq_entries;
	__u32 flags; /* IORING_SETUP_* */
	__u32 pad;
};

struct cgroup_record {
	struct record record;
	struct bytes_ref path;
	__u64 id;
};

/* Operations of struct keyring_record that are calls of their own; the rest are KEYCTL_*. */
enum { KEY_ADD = 1000, KEY_REQUEST = 1001 };

struct keyring_record {
	struct record record;
	struct bytes_ref type, description;
	__u32 operation;
	__s32 key, keyring; /* serial numbers, or KEY_SPEC_* */
	__u32 permissions;
};

#define SYSCTL_VALUE_MAX 256

struct sysctl_record {
	struct record record;
	struct bytes_ref path;	/* from the root of proc */
	struct bytes_ref value; /* as written; total is its true size */
	struct bytes_ref data;	/* the setting itself, afterwards: a number, or text */
	__u32 pad;
};

/* numbers of System.Action */
enum system_action {
	SYSTEM_KEXEC_LOAD = 1,
	SYSTEM_KEXEC_FILE,
	SYSTEM_REBOOT,
	SYSTEM_CLOCK_SET,
	SYSTEM_CLOCK_STEP,
	SYSTEM_HOST_NAME,
	SYSTEM_DOMAIN_NAME,
	SYSTEM_SWAP_ON,
	SYSTEM_SWAP_OFF,
	SYSTEM_LOG,
	SYSTEM_MEMORY,
	SYSTEM_ACCOUNTING,
	SYSTEM_IO_PORTS,
	SYSTEM_FILE_EVENTS,
	SYSTEM_TERMINAL_INPUT,
};

struct system_record {
	struct record record;
	struct file_ref file;  /* inode and path empty: none */
	struct bytes_ref text; /* name, or command line */
	__u32 action;	       /* enum system_action */
	__u32 flags;
	__s64 number; /* what it means: proto/kernel.proto */
};

/* A process without privileges asked for something of the classes above. */
struct attempt_record {
	struct record record;
	struct bytes_ref name;
	__u32 what; /* enum kind */
	__u32 operation;
};

#define SUMMARY_PATH_MAX 256

/* What the kernel side counted instead of sending it (bpf/bulk.h); actor and file are of the first.
 */
struct summary_record {
	struct record record;	/* time: when it was told */
	struct file_ref file;	/* classes about files; inode 0 and path empty: none */
	struct address address; /* classes about sockets; family 0: none */
	__u64 count;
	__u64 first_ns, last_ns; /* CLOCK_BOOTTIME */
	__u32 of;		 /* enum kind */
	__u32 pad;
};
