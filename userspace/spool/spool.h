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

#include "base/cleanup.h"

struct spool_writer;
struct spool_reader;

/* Where a record begins: segments are numbered from 1, offsets count bytes. */
struct spool_position {
	uint64_t segment;
	uint64_t offset;
};

struct spool_options {
	uint64_t limit_bytes;	/* of both lanes on disk; the oldest bulk segment goes first */
	uint64_t segment_bytes; /* a new one begins beyond this; 0: 16 MiB */
	int reader_gid;		/* group that may read; -1: none */
};

/* Frames that went for want of space, to be declared. */
struct spool_eviction {
	enum lane lane;
	uint64_t segment;
	uint64_t frames;
	uint64_t first_frame, last_frame; /* numbers as given to spool_append */
};

/* Makes the directory where there is none; locks it against a second writer (-EBUSY).  Recovers: a torn
 * tail is cut off, nothing else is touched. */
int spool_writer_open(const char *dir, const struct spool_options *options, struct spool_writer **ret);
void spool_writer_free(struct spool_writer *writer);
/* In the page cache when it returns: it survives the process, not yet a power cut.  -ENOSPC, -EIO, ...: nothing
 * was kept, and the next append tries a new segment.  number: the frame's, for eviction reports. */
int spool_append(struct spool_writer *writer, enum lane lane, uint64_t number, const void *frame, size_t size);
/* fdatasync of what was appended before the call, then publishes it to readers.  Any thread. */
int spool_sync(struct spool_writer *writer);
/* 1 and one eviction, or 0. */
int spool_take_eviction(struct spool_writer *writer, struct spool_eviction *ret);
uint64_t spool_bytes(const struct spool_writer *writer);

/* What became of bytes that could not be read. */
struct spool_damage {
	struct spool_position at;
	uint64_t bytes; /* skipped */
};

/* From the position (zero: the oldest there is).  -ENOENT: no spool there. */
int spool_reader_open(const char *dir, enum lane lane, struct spool_position from, struct spool_reader **ret);
void spool_reader_free(struct spool_reader *reader);
/* 1: a frame, valid until the next call, and where it begins and ends; 0: no more for now (call again later);
 * -EBADMSG: damaged bytes were skipped, see damage, call again; other -errno: cannot go on.  Gives only what is
 * durable, unless the reader was told otherwise. */
int spool_read(struct spool_reader *reader, const void **frame, size_t *size);
void spool_reader_all(struct spool_reader *reader); /* also what is not yet durable: recovery of the writer itself */
struct spool_position spool_reader_at(const struct spool_reader *reader);   /* of the frame last read */
struct spool_position spool_reader_next(const struct spool_reader *reader); /* behind it: where to go on */
struct spool_damage spool_reader_damage(const struct spool_reader *reader);
/* Where the newest segment of the lane begins; zero when there is none.  For recovery. */
int spool_last_segment(const char *dir, enum lane lane, struct spool_position *ret);

DEFINE_CLEANUP(struct spool_writer *, spool_writer_free);
DEFINE_CLEANUP(struct spool_reader *, spool_reader_free);
