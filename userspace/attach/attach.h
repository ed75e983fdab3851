/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the BPF programs, gives each class the first of its hooks that this
 * kernel offers, and proves each with a canary.  Kernel features are probed,
 * never its version.
 */
#pragma once

#include <hinomi/record.h>
#include <hinomi/maps.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "event.pb-c.h"

struct attach;

struct attach_options {
	const char *cgroup; /* observe only this cgroup v2 directory and below; NULL: everything */
	uint64_t ring_bytes[LANES];		   /* powers of two of the page size */
	uint32_t summaries;			   /* entries of the table of summaries */
	uint64_t kinds_off[(KINDS_MAX + 63) / 64]; /* bit kind % 64: class switched off */
	int tier_min;	   /* 1; higher leaves out better hooks, for tests */
	bool observe_self; /* else the sensor's own process is not observed */
	bool measure;	   /* ask the verifier what each program costs, for attach_measures() */
	bool blind;  /* where nothing can be attached, go on without and say so of each class */
	bool resume; /* take maps and links from the descriptor store if they fit, and leave ours
			there */
};

/* What stands in the way, with what to do about it. */
struct attach_error {
	int status; /* exit status of hinomi(1): 69 kernel unsupported, 77 permission, 1 other */
	char text[512];
};

struct coverage {
	const char *name; /* of the class */
	unsigned kind;
	Hinomi__Coverage__State state;
	unsigned tier;
	uint64_t seen_ns; /* boot time of the last canary, 0: never */
	char hook[128];
	char reason[192];
	char unproven[256]; /* programs that add to the class's events, and no event proved */
};

int attach_load(const struct attach_options *options, struct attach **ret,
		struct attach_error *error);
/* Why there are no programs that see anything; NULL: there are. */
const struct attach_error *attach_blind(const struct attach *attach);
/* What the kernel offers, in a line of words. */
void attach_features(const struct attach *attach, char *text, size_t size);
void attach_free(struct attach *attach);			     /* detaches */
int attach_start(struct attach *attach, struct attach_error *error); /* programs run from here on */
/* Whether that ended the programs: none is left with the service manager for a successor. */
bool attach_detached(const struct attach *attach);
int attach_stop(struct attach *attach); /* detaches the programs, keeps rings and counters */
/* -1 when it is blind */
int attach_ring_fd(const struct attach *attach, enum lane lane);
/* mapped, cpus * KINDS_MAX; of them, ring_told and scratch_told are the caller's to write */
struct ledger_cell *attach_ledger(const struct attach *attach);
struct sequence_cell *attach_sequences(const struct attach *attach); /* mapped, cpus */
/* Of each class, since its programs were loaded: events that they were not run for.  One that
 * serves several classes counts for each. */
void attach_skipped(const struct attach *attach, uint64_t by_kind[KINDS_MAX]);
unsigned attach_cpus(const struct attach *attach);
const uint8_t *attach_rings_id(const struct attach *attach); /* 16 bytes, made with the maps */
bool attach_resumed(
	const struct attach *attach); /* rings and links came from the descriptor store */
/* Tells the kernel side that the reader goes to sleep and wants to be woken by the next record. */
void attach_will_sleep(struct attach *attach);
int attach_wake_fd(const struct attach *attach); /* epoll descriptor, readable when woken */
void attach_wake_clear(struct attach *attach);	 /* after it was */
/* Our own processes: number n in the first pid namespace (0: there is none), and what it is. */
#define ATTACH_PROCESSES 3
uint32_t attach_process(const struct attach *attach, unsigned n, const char **name);
/* Any signal to these is told, too; numbers in the first pid namespace, 0: none. */
#define ATTACH_PROTECT 4
void attach_protect(struct attach *attach, const uint32_t tgids[ATTACH_PROTECT]);
/* Puts right what somebody else wrote into the memory shared with the programs, and says what it
 * was; NULL: nothing.  Once every class has its tier. */
const char *attach_check(struct attach *attach);
/* A link that somebody else closed, or whose program he replaced: its program's name, and the two
 * as they were and are, in words; each change once.  NULL: no more of them.  Needs no right to BPF;
 * some 2 us for each link.  Once every class has its tier. */
#define ATTACH_LINK_TEXT 64
const char *attach_check_link(struct attach *attach, char was[ATTACH_LINK_TEXT],
			      char is[ATTACH_LINK_TEXT]);
/* Every running process, as task_record, to fn. */
int attach_tasks(struct attach *attach, void (*fn)(void *ctx, const void *record, size_t size),
		 void *ctx);
/* What UDP flows and summaries counted since they were last told becomes records; all: of those
 * that are busy, too.  -ENOENT: this kernel cannot; -EPIPE: the child that does it is gone. */
int attach_flows(struct attach *attach, bool all);
bool attach_untold(const struct attach *attach); /* the ring had no room for all of it */
/* The canaries' keeper, a child from before the sensor gives up its rights: runs a round of
 * canaries, one for each hook, whenever it is told to; files below dir.  Ends with the sensor. */
int attach_canary_open(struct attach *attach, const char *dir);
int attach_canary_fd(
	const struct attach *attach);		/* readable when a round is over; -1: no keeper */
int attach_canary_start(struct attach *attach); /* a round; -EPIPE: the keeper is gone */
int attach_canary_over(struct attach *attach);	/* 1: it is; 0: not yet; -EPIPE */
/* Is this record of a canary? */
/* An event came from this hook, whoever made it. */
void attach_hook_seen(struct attach *attach, unsigned hook);
bool attach_is_canary(struct attach *attach, const struct record *record);
void attach_canary_seen(struct attach *attach, unsigned kind, unsigned hook, uint64_t time_ns);
/* What the round made was read, or it was given up: classes with a hook that was not seen in two
 * rounds are SILENT, at the start they fall to the next tier.  False: run another one soon. */
bool attach_canary_judge(struct attach *attach, bool answered);
/* What the verifier walked through for a program, and how long; with options.measure. */
struct measure {
	const char *program;
	unsigned instructions, verified_us;
};
void attach_measures(const struct attach *attach, void (*fn)(void *ctx, const struct measure *),
		     void *ctx);
/* What a program has run since it was loaded, while kernel.bpf_stats_enabled was set. */
struct spent {
	const char *program;
	uint64_t runs, ns;
};
/* Those that ran; none while it is not set, and none that an earlier process loaded. */
size_t attach_spent(const struct attach *attach, struct spent *ret, size_t max);
/* Does the class rest on the program? */
bool attach_rests_on(const struct attach *attach, unsigned kind, const char *program);
/* CPU time of the sensor's helper processes and their children. */
uint64_t attach_helpers_ns(const struct attach *attach);
/* What only choosing among hooks needs (the kernel's BTF, some 6 MiB), once every class has its
 * tier. */
void attach_forget(struct attach *attach);
const struct coverage *attach_coverage(const struct attach *attach, size_t *count);
/* What became of a watch list. */
struct attach_watched {
	uint64_t objects; /* files and directories */
	uint64_t unseen;  /* opened, and no hook took it down */
	uint64_t over;	  /* left out: too many, or too deep */
};

/* What the lines (paths, shell wildcards) stand for now is watched from here on; to be done again
 * whenever that may have changed.  Needs no right to BPF. */
void attach_watch(struct attach *attach, char *const *lines, size_t n, struct attach_watched *ret);

/* What main() of the sensor runs for `--canary`: nothing, with status 0. */
#define ATTACH_CANARY_ARG "--canary"

DEFINE_CLEANUP(struct attach *, attach_free);
