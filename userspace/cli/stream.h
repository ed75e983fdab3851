/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a spool's lanes as one stream in the order of time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "frame.pb-c.h"
#include "spool/spool.h"

struct frame;
struct stream;

/* Where each lane goes on. */
struct stream_position {
	struct spool_position lanes[LANES];
};

/* from: zero for the oldest there is.  -ENOENT: no spool there. */
int stream_open(const char *dir, const struct stream_position *from, struct stream **ret);
void stream_free(struct stream *stream);
/* This lane alone: nothing of it waits for what is older in the other. */
void stream_only(struct stream *stream, enum lane lane);
/* 1 and an event with its frame, valid until the next call; 0: nothing for now; -errno: cannot go
 * on. What cannot be read is logged and skipped.  patient: an event waits a moment for an older one
 * of the other lane, which may be on its way. */
int stream_next(struct stream *stream, bool patient, const struct frame **frame,
		const Hinomi__Event **event);
/* Sees every frame as it is read, before its events are given. */
void stream_on_frame(struct stream *stream, void (*seen)(void *ctx, const struct frame *frame),
		     void *ctx);
uint64_t stream_damaged(const struct stream *stream); /* pieces that were skipped */
/* Until there may be more, or the time is over, or a signal came. */
void stream_wait(struct stream *stream, int timeout_ms);
/* The end of what is there now; zero where there is nothing. */
int stream_end(const char *dir, struct stream_position *ret);

DEFINE_CLEANUP(struct stream *, stream_free);
