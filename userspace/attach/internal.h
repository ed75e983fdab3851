/* SPDX-License-Identifier: Apache-2.0 */
/* Private to attach/: what its files share. */
#pragma once

#include <bpf/libbpf.h>

#include "attach/attach.h"
#include "attach/classes.h"

#define UNAVAILABLE_MAX 192
#define LINKS_MAX \
	256 /* descriptors that the service manager is asked to keep; its unit allows more */

/* A set of enum hook_id. */
struct hook_set {
	uint64_t bits[(HOOKS + 63) / 64];
};

static inline void hook_add(struct hook_set *set, unsigned hook)
{
	if (hook != HOOK_NONE && hook < HOOKS)
		set->bits[hook / 64] |= 1ULL << hook % 64;
}

static inline bool hook_in(const struct hook_set *set, unsigned hook)
{
	return set->bits[hook / 64] >> hook % 64 & 1;
}

/* Hooks that are wanted and were not seen. */
static inline bool hook_missing(const struct hook_set *wanted, const struct hook_set *seen,
				unsigned hook)
{
	return hook_in(wanted, hook) && !hook_in(seen, hook);
}

static inline bool kind_is_off(const struct attach_options *options, unsigned kind)
{
	return options->kinds_off[kind / 64] >> kind % 64 & 1;
}

/* What the kernel can do, found by trying. */
struct probe {
	struct btf *btf;
	bool fetching_atomics; /* BPF_ATOMIC with BPF_FETCH, from 5.12 */
	int cast;	       /* its number of bpf_rdonly_cast(), from 6.2; 0: none */
	bool preempted;	       /* programs may be, by kernels built for it */
	/* those of bpf_preempt_disable(), _enable(), bpf_local_irq_save(), _restore(); 0: none */
	struct whole {
		int preempt_off, preempt_on, irq_off, irq_on;
	} whole;
	bool x32;	      /* the third table of system calls of x86 */
	bool map_elements;    /* iterators over maps; hardened kernels refuse them */
	int trampoline_errno; /* 0: fentry and fexit attach */
	bool ring, reading;   /* ring buffers; programs may read the kernel's memory */
	/* programs that the verifier or the kernel refused, and why */
	struct {
		char program[32];
		char reason[96];
	} refused[UNAVAILABLE_MAX];
	unsigned nrefused;
};

struct class_state {
	int tier; /* index, -1: none */
	bool off;
	bool attached;
	bool excused; /* no canary can be expected to be seen */
	bool proven;  /* one was */
	struct hook_set hooks_wanted, hooks_extra;
	struct hook_set hooks_seen;   /* in the round that goes on */
	struct hook_set hooks_proven; /* when the verdict was given */
	enum { VERDICT_NONE, VERDICT_SEEN, VERDICT_MISSED, VERDICT_LOST } verdict;
	unsigned missed, lost; /* rounds in a row */
	uint64_t lost_before;  /* records of the class, when the round began */
	uint64_t seen_ns;
	char reason[192];
};

/* A program whose skipped events the kernel counts. */
struct counted_program {
	char name[32];
	int fd, info;			       /* the second of its fdinfo */
	uint64_t kinds[(KINDS_MAX + 63) / 64]; /* classes that rest on it */
};

/* A link, as it was when it was looked at last. */
struct linked {
	const char *name;
	int info;	/* fdinfo of its descriptor */
	uint64_t is[2]; /* its number and its program's; zeroes: it is gone */
};

/* Processes of ours, by the id that we know and by the one that the kernel has. */
enum own_process { OWN_SENSOR, OWN_KEEPER, OWN_TELLER, OWN_MAX };

struct own {
	pid_t pid;
	struct process_key key;
};

struct attach {
	struct attach_options options;
	struct probe probe;
	struct bpf_object *object; /* NULL when everything came from the descriptor store */
	char *logs;		   /* of the verifier, with options.measure */
	int links[LINKS_MAX];	   /* descriptors */
	char link_names[LINKS_MAX][32];
	struct linked linked[LINKS_MAX + 2]; /* those and the iterators below */
	struct counted_program programs[LINKS_MAX];
	unsigned nlinks, nlinked, nprograms;
	int map_fds[8]; /* enum attach_map */
	int tasks_link; /* descriptor of the task iterator's link */
	int flows_link; /* of the iterator over UDP flows */
	int teller_fd;	/* to the child that runs it, and that over summaries; -1: there is none */
	int wake_fd;
	unsigned cpus;
	uint64_t watch_over; /* attach_watched.over of the last round */
	struct own own[OWN_MAX];
	char canary_dir[4096];
	uint64_t ordered_ns;	  /* the oldest of the orders */
	uint64_t turned_ns;	  /* when the summaries had their last turn */
	unsigned orders;	  /* of the teller, not answered yet */
	int keeper_fd;		  /* to the canaries' keeper, -1: there is none */
	struct process_key round; /* the canary of which something came last */
	struct attach_error why;  /* it is blind */
	bool resumed, blind;
	bool unanswered;	  /* the last round was not over in time */
	bool settled;		  /* classes have found their tiers */
	struct control expected;  /* of it, what only we write */
	char sections[HOOKS][48]; /* what the kernel calls the hooks */
	struct ledger_cell *ledger;
	struct sequence_cell *sequences;
	struct control *control;
	struct class_state states[KINDS_MAX];
	struct hook_set hooks_ever; /* that events came from */
	struct coverage coverage[KINDS_MAX];
};

enum attach_map { MAP_RING_KEEP, MAP_RING_BULK, MAP_LEDGER, MAP_SEQUENCES, MAP_CONTROL, MAPS };
extern const char *const map_names[MAPS];

int probe_init(struct probe *probe, struct attach_error *error);
void probe_done(struct probe *probe);
/* In a helper process: whatever only loading and attaching need. */
void helper_forget(struct attach *attach);
/* NULL when the program can be had, else why not. */
const char *probe_refuses(const struct probe *probe, const struct bpf_program *program);
/* Are the registers described wherever a program of the object takes those of a system call? */
bool probe_typed_calls(const struct probe *probe, const struct bpf_object *object);
void probe_refuse(struct probe *probe, const char *program, const char *reason);
/* What the kernel's lockdown says of itself: none, integrity, confidentiality; "" without it. */
void probe_lockdown(char *text, size_t size);
bool probe_has_rights(void); /* for bpf(2), as far as capabilities go */
/* Parameters of a kernel function, -1 when it does not exist. */
int probe_nargs(const struct probe *probe, const char *function);

/* The embedded object; and as this kernel takes it, malloc'ed, NULL: out of memory. */
const void *object_bytes(size_t *size);
void object_unread(void); /* its pages go back to the file; whoever reads it again has it again */
void *object_rewritten(const struct probe *probe, size_t *size);

bool entry_has(const char *entry, const char *name); /* is it one of "a|b"? */
/* The program of a tier's entry ("a|b") that this kernel can have, or NULL. */
const char *tier_program(const struct attach *attach, const char *entry, char *why,
			 size_t why_size);

/* canary_kernel.c: what the classes about processes and the kernel must see, from the canary's
 * child. */
void canary_kernel(void);
void watch_canary(struct attach *attach, const char *dir);
void canary_file(void); /* below the working directory */
void canary_memory(void);
void canary_round(const char *dir); /* canary.c: all of them, in the calling process */
void own_find(struct attach *attach);
void keeper_stop(struct attach *attach);
/* Which classes no canary can prove here; before the sensor confines itself. */
void coverage_excuse(struct attach *attach);
int coverage_sections(struct attach *attach);
/* Some wanted hook was not seen. */
bool hooks_missing(const struct hook_set *wanted, const struct hook_set *seen);

/* What was seen once is not excused any more. */
static inline bool is_excused(const struct class_state *state)
{
	return state->excused && !state->proven;
}

/* canary_system.c: the classes about the kernel itself; the second by a process without privileges.
 */
void canary_system(void);
void canary_attempt(void);
/* Why a class is not verified on its first tier. */
void coverage_reason(const struct attach *attach, unsigned c, char *text, size_t size);
bool attach_fall_back(struct attach *attach); /* true: classes moved, prove them again */
bool tier_possible(const struct attach *attach, const struct tier *tier, char *why, size_t size);
/* held.c: tells the programs which objects are ours. */
void held_objects(const struct attach *attach);
void held_link(const struct attach *attach, int fd);
/* skipped.c: a program that was attached, or taken up; then each class that rests on it */
void skipped_program(struct attach *attach, const char *name, int fd);
void skipped_class(struct attach *attach, const char *name, unsigned kind);
void skipped_close(struct attach *attach);
/* linked.c: how the links are, when there will be no others */
void linked_note(struct attach *attach);
void linked_close(struct attach *attach);
/* Tells the programs which tier each class is on. */
void tiers_tell(const struct attach *attach);
bool rests_on_tap(void *attach, unsigned kind);
/* blind.c: memory that nobody else writes in place of rings and counters */
int blind_load(struct attach *attach, const struct attach_error *why);
void object_listen(void); /* to libbpf's messages, which alone name a refused program */
int object_load(struct attach *attach, struct attach_error *error);
int measure_prepare(struct attach *attach);
int attach_fail(struct attach_error *error, int status, int err, const char *what);
int attach_map_memory(struct attach *attach);
/* Runs the iterator over sockets that are there, whose link it closes; -1: this kernel has none. */
void sockets_tell(int link);
/* The child that tells UDP flows and summaries; after the links are there. */
int flows_start(struct attach *attach);
void flows_stop(struct attach *attach);
void canary_net(void); /* sockets beyond connect, accept, listen and bind of IP and unix */
/* 1: maps and links taken from the descriptor store; 0: nothing usable there. */
int store_take(struct attach *attach);
void store_keep(const struct attach *attach);
