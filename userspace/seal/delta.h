/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a payload in the form ENCODING_DELTA (proto/frame.proto): of each message
 * only what differs from the one before at the same place.  Allocates once for each
 * place that ever held a message, never by event.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"
#include "seal/message.h"

struct place;
struct bodies;

#define DELTA_FAMILIES 32 /* of processes that have a parent in common */

/* The process of a family that was written last. */
struct family {
	struct place *place;
	uint64_t frame;
	uint32_t number; /* it is the number-th of that frame */
	uint32_t parent, uid, session;
	uint64_t cgroup;
};

struct delta {
	uint8_t *payload;
	struct writer writer; /* after an error the frame takes no more until delta_reset */
	uint64_t frame;
	struct family families[DELTA_FAMILIES], *newest; /* newest NULL: none in this frame */
	uint32_t processes, events;			 /* in this frame */
	struct place *event;
	struct bodies *bodies[KINDS_MAX]; /* by number of the class */
	uint64_t *next_seq;		  /* by cpu, of this frame */
	uint64_t *seq_frame;		  /* in which it was set */
};

/* The payload is written to bytes, at most size of them. */
int delta_init(struct delta *delta, uint8_t *bytes, size_t size);
void delta_done(struct delta *delta);
void delta_reset(struct delta *delta); /* an empty payload */
/* 0; -E2BIG, -ENOMEM: delta_end() gives what came before, and is all that counts.  Keep no pointer
 * to what they are given. */
int delta_process(struct delta *delta, const Hinomi__Process *process);
/* pid: of the process that event->process stands for; 0: none. */
int delta_event(struct delta *delta, const Hinomi__Event *event, uint32_t pid);
