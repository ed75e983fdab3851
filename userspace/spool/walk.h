/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes through one segment, record by record, over whatever bytes are there.
 * Used by the reader, by recovery, by eviction and by the check.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/format.h"

struct walk {
	int fd; /* -1: none */
	enum lane lane;
	uint64_t number;
	struct segment_id id;
	bool salt_known;	  /* else no record can be told */
	struct segment_foot foot; /* what it says when has_foot */
	bool has_foot;
	bool soft_end; /* zeros before the end are space not yet used, no damage */
	bool cut;      /* it became shorter under us */
	uint64_t size; /* of the file, SEGMENT_BYTES_MAX at most */
	uint64_t next; /* where the next record begins */
	uint64_t end;  /* nothing is read from here on */

	/* what walk_next found: */
	uint64_t at;
	struct record record;
	const uint8_t *frame; /* valid until the next call */
	uint64_t damaged;     /* bytes skipped from `at` */

	uint8_t *buffer;
	size_t capacity, buffered;
	uint64_t buffer_at;
};

#define WALK_NONE        \
	{                \
		.fd = -1 \
	}

/* Opens a segment at its first record and sets `end` by foot or size.  -EBADMSG: a part of the head
 * is damaged, see `damaged`; with both copies and the foot gone that is the whole file.  Other
 * -errno: not open. */
int walk_open(struct walk *walk, int dir, enum lane lane, uint64_t number);
/* Looks at the same file again, which was finished meanwhile; goes on where it was. */
int walk_again(struct walk *walk);
/* For a segment that another one follows: where it ends is in the head of that one, if it is good.
 * After a failed sync and a power cut there may be more in the file, which was written again
 * elsewhere. */
void walk_settle(struct walk *walk, int dir);
void walk_close(struct walk *walk); /* keeps the buffer for the next segment */
void walk_done(struct walk *walk);
/* Reads up to `end` as a publication of the writer has it: a hard end. */
void walk_bound(struct walk *walk, uint64_t end);
/* 1: a frame; 0: the end; -EBADMSG: damage was skipped; other -errno.  Its sum over a segment is
 * linear in size. */
int walk_next(struct walk *walk);
