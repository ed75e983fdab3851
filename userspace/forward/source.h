/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lane of the spool as one sink has yet to see it: frames in the order of their
 * numbers, from a cursor on.  Says what is missing instead of passing over it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "forward/cursor.h"
#include "frame/frame.h"

struct source;

struct source_frame {
	struct frame *frame;
	const void *bytes; /* of the Frame, as they stand in the spool */
	size_t size;
	struct spool_position at, next; /* where it begins and where the one behind it does */
	uint32_t skip;			/* events at its start that the cursor has already */
	uint64_t missing_from; /* frames from here to the one before this are gone; 0: none are */
};

/* The cursor once this frame is acknowledged. */
struct cursor source_frame_end(const struct source_frame *frame);

enum source_notice {
	SOURCE_DAMAGED = 1, /* bytes or a frame could not be read and were passed over */
	SOURCE_REPLACED, /* the spool is not the one of the cursor: read from its oldest frame on */
};

/* Nothing needs to exist yet.  spool: borrowed. */
int source_new(const char *spool, enum lane lane, const struct cursor *from, struct source **ret);
void source_free(struct source *source);
/* 1: a frame, valid until the next call; 0: no more for now; -EAGAIN: see source_notice, then call
 * again; -ENOENT: no spool is there yet; other -errno: the disk failed, the next call tries again.
 */
int source_next(struct source *source, struct source_frame *ret);
enum source_notice source_notice(const struct source *source);
/* Goes back: what comes next are the frames behind the cursor's. */
void source_rewind(struct source *source, const struct cursor *from);

DEFINE_CLEANUP(struct source *, source_free);
