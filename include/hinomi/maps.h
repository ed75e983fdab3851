/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What the kernel side and the reader share besides the rings: counters, settings, switches. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif
#include "kinds.h"
#include "tap.h"

/* Outcome counters of one class on one cpu, in the map `ledger`, index cpu * KINDS_MAX + kind.
 * Every event that a hook begins ends in exactly one of sent, filtered, aggregated, lost_scratch.
 */
struct ledger_cell {
	__u64 seen;
	__u64 sent[LANES]; /* has a number; is in the ring, or lost_ring */
	__u64 filtered;
	__u64 aggregated;
	__u64 lost_ring[LANES]; /* no ring space */
	__u64 lost_scratch;	/* no scratch slot, number or table entry: too many at once */
	/* the reader's own notes: what gaps on disk have named of the two */
	__u64 ring_told[LANES], scratch_told;
	__u64 pad[5];
};

/* Sequence counters, in the map `sequences`, index cpu. */
struct sequence_cell {
	__u64 next[LANES];
	__u64 busy; /* a number is being taken; used where the kernel has no fetching atomics */
	__u64 consumed[LANES]; /* the reader's own note: all up to here is in frames or declared */
	__u64 pad[3];
};

#define STREAMS_PER_CPU 16 /* messages that come in several calls, under way at once */

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
	NARGS_TCP_RECEIVE,
	NARGS_SETXATTR,
	NARGS_REMOVEXATTR,
	NARGS_TRUNCATE,
	NARGS_MKDIR,
	NARGS_MKNOD,
	NARGS_CREATE,
	NARGS_FILE_CAPS,
	NARGS_MAX
};

/* Set before load, frozen after: the verifier prunes what is off. */
struct settings {
	__u32 cpus;
	__u32 has_scope;	/* only the cgroup in map `scope`, and below */
	__u32 slots;		/* scratch slots per cpu */
	__u32 fetching_atomics; /* the kernel has them; else next() was rewritten */
	__u32 typed_calls; /* all functions of system calls are described with their registers */
	__u32 x32;	   /* the kernel has the x32 table of system calls */
	__u32 nargs[NARGS_MAX];
	__u32 wake_bytes[LANES]; /* wake the reader when this much waits */
	__u32 keep_reserve;	 /* this much of the must-keep ring takes whoever has privileges */
	__u32 keep_budget; /* bytes in it that others may take in a second, each of each class */
	__u64 scope_id;	   /* of its cgroup */
};

#define WATCH_NAME_MAX 48

/* What the sensor wants to be watched: it says so here and opens that with O_PATH (bpf/watch.h). */
struct watch_control {
	__u32 tgid;   /* who may say so */
	__u32 want;   /* enum watch_want */
	__u32 line;   /* of the watch list, from 1 */
	__u32 done;   /* how often it was taken down */
	__u32 active; /* anything at all is watched */
	__u32 pad;
	char name[WATCH_NAME_MAX];
};

#define WATCH_CANARY 0xffff /* no line of the list */

enum watch_want {
	WATCH_NOTHING,
	WATCH_OBJECT, /* what is opened; of a directory all that is in it, too */
	WATCH_NAME,   /* whatever has `name` in the directory that is opened */
};

/* Keys of the map `held`: what << 32 | id. */
enum held { HELD_PROGRAM = 1, HELD_MAP, HELD_LINK };
#define HELD_MAX      1024

#define PROTECTED_OWN 4 /* the sensor's; behind them the forwarder's */
#define PROTECTED_MAX 8

/* Shared memory with the reader while programs run. */
struct control {
	__u32 own_tgid; /* the sensor itself, which is not observed; 0: observe it too */
	__u32 protected[PROTECTED_MAX]; /* any signal to these processes is told */
	__u32 canary_tgid; /* keeper of the canaries while a round goes on: it, its children and
			      theirs are observed whatever the scope says */
	__u32 sleeping;	   /* the reader waits for a wakeup */
	__u32 pad;
	__u8 rings_id[16];	       /* made with the maps, kept as long as they are */
	__u8 tap_native[TAP_SYSCALLS]; /* enum tap by system call number */
	__u8 tap_compat[TAP_SYSCALLS]; /* the same for 32-bit system calls */
	__u8 tapped[KINDS_MAX];	       /* classes that rest on the tap */
	__u8 tiers[KINDS_MAX];	       /* of each class, 0: none, or switched off */
	__u8 off[KINDS_MAX]; /* classes that are switched off, where another shares their hook */
	struct watch_control watch;
	__u32 flush;	     /* every flow that has something to tell does so now */
	__u32 sysctl_opened; /* some process opened a setting for writing, see bpf/sysctl.h */
	__u32 streams;	     /* some message came in several calls, see bpf/stream.h */
	__u32 tight;	     /* the bulk ring was fuller than 3/4, and not yet below 1/2 since */
	__u32 turn;	     /* of the summaries, given by the reader, see bpf/bulk.h */
	__u32 untold;	     /* the last run of their iterator found no room for some */
};
