/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's state, by lane.  Locks, in the order in which they are taken:
 * sync_lock (one sync at a time), evict_lock (one eviction at a time), lock (the
 * state; never held while the disk syncs).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "spool/directory.h"
#include "spool/segment.h"
#include "spool/state.h"
#include "spool/window.h"

#define SEGMENT_BYTES_DEFAULT (16ull << 20)
#define SEGMENT_BYTES_MIN     4096ull
#define WINDOW_BYTES	      (8ull << 20)  /* per lane: what a failed sync can cost nothing of */
#define PROTECTED_BYTES	      (64ull << 20) /* of old must-keep segments, on a full disk */
#define RESERVE_FILES_MAX     16u
#define DECLARED_NOWHERE      UINT64_MAX
#define PENDING_MAX	      64u /* finished segments that wait for a sync */

/* Appended frames that the window had no room for. */
struct unguarded {
	uint64_t frames, first, last;
};

struct lane_writer {
	enum lane lane;
	int dir, durable_fd, evicted_fd;

	struct segment active;
	struct segment pending[PENDING_MAX]; /* finished, not yet synced; oldest first */
	unsigned npending;
	uint64_t next; /* number of the next segment */
	bool directory_changed;

	struct segment_entry *entries; /* every file, ascending */
	size_t count, capacity;
	uint64_t bytes;

	struct spool_position durable, published;
	uint64_t appended, durable_number; /* of frames: the last one */
	struct window window;
	struct unguarded unguarded, syncing; /* since the running sync began; before */
	int error;			     /* of the last sync; 0 again when overcome */

	bool lost_end;	   /* when it was opened */
	uint64_t released; /* segments below it need not be kept */
	struct evicted evicted;
	/* Number of the must-keep frame that declares it; 0: not yet taken, DECLARED_NOWHERE: taken
	 */
	uint64_t confirm_at[EVICTIONS_PENDING];
};

/* Files made ahead, which become must-keep segments on a full disk. */
struct reserve {
	uint64_t file_bytes, held_bytes;
	unsigned wanted; /* files */
	bool there[RESERVE_FILES_MAX];
	uint64_t again_ns; /* when making one failed: not before */
};

struct spool_writer {
	struct spool_options options;
	char *path;
	int dir, lock_fd;
	pthread_mutex_t sync_lock, evict_lock, lock;
	struct lane_writer lanes[LANES];
	struct reserve reserve;
	struct spool_health health;
	bool opened; /* recovery is through: what is durable is known */
	_Atomic uint64_t bytes;
};

/* All with writer->lock held. */
/* Writes a frame to the active segment or a new one.  -ENOSPC: of the disk or the quota; -EAGAIN:
 * sync first. last_resort: a segment smaller than usual is better than none. */
int lane_put(struct spool_writer *writer, struct lane_writer *lane, const struct record *record,
	     const void *frame, bool last_resort);
/* What a failed sync took away, before anything new. */
int lane_replay(struct spool_writer *writer, struct lane_writer *lane, bool last_resort);
void lane_finish(struct spool_writer *writer, struct lane_writer *lane);
/* When it was begun longer ago than that: one that is filled slowly would never be old enough to
 * go. */
void lane_finish_aged(struct spool_writer *writer, struct lane_writer *lane, uint64_t age_ns);
/* After a failed sync: drops what is not durable from the disk, keeps it in the window. */
void lane_abandon(struct spool_writer *writer, struct lane_writer *lane);
int lane_add_entry(struct spool_writer *writer, struct lane_writer *lane, uint64_t number,
		   uint64_t bytes);
void lane_remove_entry(struct spool_writer *writer, struct lane_writer *lane, size_t index);
void lane_report(struct lane_writer *lane, const struct spool_eviction *eviction);
uint64_t segment_size_for(const struct spool_writer *writer, const struct record *record);
bool quota_allows(const struct spool_writer *writer, enum lane lane, uint64_t size);
/* The next must-keep segment out of the reserve.  -ENOSPC: nothing is left of it. */
int reserve_take(struct spool_writer *writer, struct segment_id id, struct segment *ret);

/* Without writer->lock. */
bool is_full(int err);
/* Makes room for a segment of that size, by quota or else on the disk: true when it is enough. */
bool evict_room(struct spool_writer *writer, enum lane lane, uint64_t size);
/* So that an append seldom has to. */
void evict_ahead(struct spool_writer *writer);
void evict_aged(struct spool_writer *writer);
/* Takes away what a writer before left of a reserve, and makes a new one. */
int reserve_open(struct spool_writer *writer);
void reserve_fill(struct spool_writer *writer); /* what is missing, for which bulk has to go */
/* Forgets declarations that are durable now. */
void evict_confirm(struct spool_writer *writer);
int evict_store(struct spool_writer *writer, struct lane_writer *lane);
/* Lists, repairs and publishes what is there. */
int lane_recover(struct spool_writer *writer, struct lane_writer *lane);
