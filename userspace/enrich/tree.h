/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes by (pid, start time), as many as the limit says.  The dead are kept
 * for a while, since the living name them as creator and ancestor; they leave in
 * the order of their death, and a living process only when all are alive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrich/session.h"
#include "event.pb-c.h"

#define TREE_ANCESTORS_MAX 8
#define TREE_COMM_SIZE	   16

struct image;
struct tree;

struct process_id {
	uint64_t start_ns, exec_id;
	uint32_t pid;
};

/* What every event tells of its process; compared as bytes, so it has no padding. */
struct facts {
	uint64_t parent_start_ns, parent_exec_id, exec_id, cgroup_id;
	uint64_t caps[4];
	uint32_t ids[8];
	uint32_t ns[7];
	uint32_t parent_pid;
	uint32_t login_uid, session_id, namespace_pid, zero;
	char comm[TREE_COMM_SIZE];
};

#define FACTS_EUID 2 /* in ids, which are in the order of Credentials */

/* padded on purpose */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct process {
	/* What others look at when they pass by on their way to an ancestor: one cache line. */
	_Alignas(64) uint64_t start_ns;
	uint32_t pid;
	uint32_t chain_next;	  /* private to the tree */
	uint64_t parent_start_ns; /* as in facts */
	uint32_t parent_pid;
	uint32_t parent_slot;	   /* private to the tree */
	uint64_t name_stamp;	   /* another one for each name that any process takes */
	char name[TREE_COMM_SIZE]; /* comm of the leading thread */

	uint32_t slot, dead_newer, dead_older; /* private to the tree */
	bool listed;			       /* among those that leave first: */
	bool dead;			       /* it ended, or else is in doubt */
	bool seen;			       /* since the eviction hand came by last */
	bool told;			       /* facts are set */
	bool preexisting;		       /* older than the sensor */
	bool changed;			       /* beyond facts, since state was given */
	struct facts facts;
	struct process_id creator; /* pid 0: not known */
	/* Events of both lanes are not strictly in order, so the image before is kept as well. */
	struct image *image, *old_image;
	uint64_t image_exec_id, old_image_exec_id;
	struct endpoint peer;	 /* that it connected to last by TCP, elsewhere */
	struct session *session; /* of facts.session_id, with a reference; NULL: none */
	/* How it was last described: */
	uint64_t state;					      /* number of what was said */
	uint64_t state_lineage, names_epoch, session_version; /* of that state */
	uint64_t lineage, lineage_changes;		      /* private to the tree */
	unsigned long shown_epoch; /* arena epoch in which `shown` is alive */
	Hinomi__Process *shown;
};

int tree_new(uint32_t processes_max, struct tree **ret);
/* Asked before a process leaves that nobody saw end: false where it has ended all the same. */
void tree_ask(struct tree *tree, bool (*is_alive)(uint32_t pid, uint64_t start_ns));
void tree_free(struct tree *tree);
struct process *tree_find(struct tree *tree, uint32_t pid, uint64_t start_ns);
/* One that is not there yet.  Always succeeds; pointers to other processes may be stale afterwards.
 */
struct process *tree_insert(struct tree *tree, uint32_t pid, uint64_t start_ns);
void tree_exit(struct tree *tree, struct process *process);
/* For one that was just inserted by an event about its past: it leaves as the dead do, unless it
 * does something. */
void tree_doubt(struct tree *tree, struct process *process);
void tree_trust(struct tree *tree, struct process *process);
void tree_set_name(struct tree *tree, struct process *process, const char name[TREE_COMM_SIZE]);
void tree_set_facts(struct tree *tree, struct process *process, const struct facts *facts);
/* Takes over a reference to image (NULL: not known) as what runs since exec_id. */
void tree_set_image(struct process *process, uint64_t exec_id, struct image *image);
/* Takes over a reference to session (NULL: none). */
void tree_set_session(struct process *process, struct session *session);
/* What it ran at exec_id, NULL when not known; borrowed. */
struct image *tree_image(const struct process *process, uint64_t exec_id);
/* Parent first; returns how many. */
size_t tree_ancestors(struct tree *tree, struct process *process,
		      struct process *ret[TREE_ANCESTORS_MAX]);
/* A number that stays the same while the names of all ancestors do. */
uint64_t tree_lineage(struct tree *tree, struct process *process);
uint64_t tree_count(const struct tree *tree);
uint64_t tree_evicted_alive(const struct tree *tree);
