/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What the kernel side writes into the rings and userspace/decode reads; bodies are in record_*.h.
 * Plain structs, naturally aligned, variable bytes behind an offset and a length. Both sides are
 * always built from the same tree; there is no other reader.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif
#include "kinds.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "spool and records are little-endian, and nothing here swaps bytes"
#endif

#define RECORD_BYTES_MAX 65536 /* a whole record; longer values are cut and say so */
#define RECORD_PATH_MAX	 4096
#define RECORD_NAME_MAX	 256
#define RECORD_ARGS_MAX	 40960 /* arguments in one exec record: head and tail */
#define RECORD_ARGS_TAIL 8192
#define CPU_SENSOR	 0xffffffffu /* Event.cpu of the sensor's own events */
#define CPU_UNKNOWN	 0xfffffffeu /* of what a program skipped: the kernel does not say where */

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

#define RECORD_COMPAT	      1	 /* 32-bit or x32 system call */
#define RECORD_RESULT_UNKNOWN 2	 /* seen before its outcome */
#define RECORD_NO_ACTOR	      4	 /* nobody knows whose it is: actor is empty */
#define RECORD_PREEXISTING    8	 /* nothing happened: it was there before the sensor looked */
#define RECORD_CANARY	      16 /* of a canary, while its round goes on */

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
	__u64 directory; /* inode of the directory that the name is in; 0: none, or not known */
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

#define ADDRESS_RAW_MAX 108 /* sun_path; no address family needs more */

struct address {
	__u16 family;
	__u16 port; /* host order */
	__u16 len;  /* bytes of data in use */
	__u16 mapped;
	__u32 scope_id;
	__u8 data[ADDRESS_RAW_MAX]; /* 4 or 16 of IP, the unix name, or what it is */
};

/* the process that something is done to */
struct target {
	struct process_key key;
	__u32 uid; /* real user id */
	__u32 pad;
	char comm[16];
};
