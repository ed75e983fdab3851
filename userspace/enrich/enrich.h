/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completes events with what one record cannot know: the process tree (creator,
 * ancestors, executable, arguments), names of users and groups, container and
 * unit, the hash of an executed file.  Never waits: hashing is done by a thread
 * of its own, names are reread when their file changed.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "event/event.h"

struct arena;
struct enrich;

struct enrich_options {
	uint32_t processes_max;	      /* kept in the tree; dead ones leave first */
	uint64_t hash_file_max_bytes; /* larger files are not hashed; 0: no hashing */
	const char *cgroup_root;      /* of cgroup v2, NULL to find it in mountinfo */
	char *const *watch;	      /* lines of the watch list, which outlive it */
	size_t nwatch;
	const char *root; /* directory of etc/passwd and etc/group: normally "/" */
};

struct enrich_stats {
	uint64_t processes;		   /* in the tree now */
	uint64_t processes_evicted;	   /* left before they had ended */
	uint64_t origins, origins_evicted; /* files whose writer is known, and was forgotten */
	uint64_t hashes, hash_cache_hits, hash_failures;
};

int enrich_new(const struct enrich_options *options, struct enrich **ret);
void enrich_free(struct enrich *enrich);
/* A process that ran before the sensor looked, from the task iterator; kind is KIND_task,
 * and body may be an exec body (file, args). */
int enrich_seed(struct enrich *enrich, const struct event *task);
void enrich_seeded(struct enrich *enrich); /* that was all of them */
/* -ENOMEM: the event is whole as it came, but lacks some of this.  -EALREADY: the second exit of
 * one process, to be dropped and counted as aggregated. */
int enrich_event(struct enrich *enrich, struct event *event, struct arena *arena);
/* Finished hashes become events (kind file_hash) without seq; 1 when one was written to ret, 0 when
 * none waits. */
int enrich_take_hash(struct enrich *enrich, struct arena *arena, struct event *ret);
int enrich_hash_fd(
	const struct enrich *enrich); /* readable when a hash waits; -1 without hashing */
/* Since it was asked last, something came to be that the watch list may stand for. */
bool enrich_watch_grows(struct enrich *enrich);
void enrich_stats(const struct enrich *enrich, struct enrich_stats *ret);

DEFINE_CLEANUP(struct enrich *, enrich_free);
