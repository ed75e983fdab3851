/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames on disk: DIR/keep and DIR/bulk hold segments NNNNNNNNNNNNNNNN.seg, each
 * a header and records of (length, checksums, bytes).  One writer, any number of
 * readers in other processes.  docs/spool.md has the format.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct spool_writer;
struct spool_reader;

/* Where a record begins: segments are numbered from 1, offsets count bytes. */
struct spool_position {
	uint64_t segment;
	uint64_t offset;
};

#define SPOOL_FRAME_BYTES_MAX (8u << 20)

struct spool_options {
	uint64_t limit_bytes; /* of both lanes on disk, 0: none; the oldest bulk segment goes first
			       */
	uint64_t segment_bytes; /* a new one begins beyond this; 0: 16 MiB; never above limit_bytes
				   / 8 */
	int reader_gid;		/* group that may read; -1: none */
	bool never_evict;	/* nothing goes to make room, also on a full disk */
	uint64_t reserve_bytes; /* of the limit: set aside, for must-keep on a full disk; 0: none */
	uint64_t age_ns;	/* segments older than this go; 0: none do */
};

/* Frames that went for want of space or with a failed sync, to be declared. */
struct spool_eviction {
	enum lane lane;
	uint64_t segment;
	uint64_t frames;
	uint64_t first_frame, last_frame; /* numbers as given to spool_append */
	int error;     /* of the sync that lost them; 0: evicted for want of space */
	bool released; /* and all of them had been released */
	bool aged;     /* for their age, not for want of space */
};

/* How the disk treats us. */
struct spool_health {
	int error;		   /* -errno of a failed sync that is not yet overcome; 0: well */
	uint64_t failed_syncs;	   /* since the writer was opened */
	uint64_t rewritten_frames; /* saved from a failed sync */
	uint64_t lost_frames;	   /* lost with one, also reported as evictions */
};

/* Makes the directory (not its parents) where there is none; locks it against a second writer
 * (-EBUSY). Recovers: a torn tail is cut off, nothing else is touched. */
int spool_writer_open(const char *dir, const struct spool_options *options,
		      struct spool_writer **ret);
void spool_writer_free(struct spool_writer *writer);
/* In the page cache when it returns: it survives the process, not yet a power cut.  -ENOSPC, -EIO,
 * ...: nothing was kept, and the next append tries a new segment.  -EINVAL: empty or above
 * SPOOL_FRAME_BYTES_MAX. number: the frame's, for eviction reports. */
int spool_append(struct spool_writer *writer, enum lane lane, uint64_t number, const void *frame,
		 size_t size);
/* fdatasync of what was appended before the call, then publishes it to readers.  Any thread;
 * spool_append goes on meanwhile.  After a failed one the frames are written to a new segment and
 * synced there; the error is returned when that failed too, and the next call tries again. */
int spool_sync(struct spool_writer *writer);
/* 1 and one eviction, or 0; to be declared. */
int spool_take_eviction(struct spool_writer *writer, struct spool_eviction *ret);
/* All that was taken is declared in must-keep frames up to this number: until that one is durable,
 * a restarted writer reports them again. */
void spool_declare(struct spool_writer *writer, uint64_t number);
/* -ESTALE: the directory, or a file that is written to, is not the one under its name any more. */
int spool_in_place(struct spool_writer *writer);
/* Frames up to this number are kept elsewhere: they go first when space is wanted, and the eviction
 * says so.  Reads the end of a segment or two. */
void spool_release(struct spool_writer *writer, enum lane lane, uint64_t number);
/* When it was opened, frames were gone from the end of the lane that it had, or all of them:
 * whoever numbers them must not give those numbers again.  True also for a lane that was made only
 * then. */
bool spool_lost_end(const struct spool_writer *writer, enum lane lane);
uint64_t spool_bytes(const struct spool_writer *writer);
void spool_health(struct spool_writer *writer, struct spool_health *ret);

/* What became of bytes that could not be read. */
struct spool_damage {
	struct spool_position at;
	uint64_t bytes;	   /* skipped; 0 for segments that are gone */
	uint64_t segments; /* from at.segment on that are gone */
	bool evicted;	   /* for want of space: the writer declares what was in them */
};

/* From the position (zero: the oldest there is).  -ENOENT: no spool there; -ESTALE: the position is
 * of another spool, as this one has never been there. */
int spool_reader_open(const char *dir, enum lane lane, struct spool_position from,
		      struct spool_reader **ret);
void spool_reader_free(struct spool_reader *reader);
/* 1: a frame, valid until the next call, and where it begins and ends; 0: no more for now (call
 * again later); -EBADMSG: damaged bytes or missing segments were skipped, see damage, call again;
 * -ESTALE: the spool was deleted; other -errno: cannot go on.  Gives only what is durable, unless
 * the reader was told otherwise. */
int spool_read(struct spool_reader *reader, const void **frame, size_t *size);
void spool_reader_all(struct spool_reader *reader); /* also what is not yet durable: recovery of the
						       writer itself */
struct spool_position spool_reader_at(
	const struct spool_reader *reader); /* of the frame last read */
struct spool_position spool_reader_next(
	const struct spool_reader *reader); /* behind it: where to go on */
uint64_t spool_reader_number(
	const struct spool_reader *reader); /* of the frame last read, as appended */
struct spool_damage spool_reader_damage(const struct spool_reader *reader);
/* Where the newest segment of the lane that holds a frame begins; zero when there is none.  For
 * recovery. */
int spool_last_segment(const char *dir, enum lane lane, struct spool_position *ret);

/* A descriptor that polls readable when more became durable in either lane; -ENOENT: no spool
 * there.  Poll with a timeout all the same: a spool that is deleted and made anew says nothing. The
 * caller closes it. */
int spool_watch_open(const char *dir);
void spool_watch_clear(int watch); /* before reading on */

/* Does what a writer does when it opens: cuts off torn ends, finishes and syncs what was not.
 * -EBUSY beside a live writer. */
int spool_repair(const char *dir);
/* Prints a line for each segment and each damage; 0: all is well, 1: damage was found, -errno.
 * Beside a live writer it looks at what is durable. */
int spool_check(const char *dir, FILE *out);

DEFINE_CLEANUP(struct spool_writer *, spool_writer_free);
DEFINE_CLEANUP(struct spool_reader *, spool_reader_free);
