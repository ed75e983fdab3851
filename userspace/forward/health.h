/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a sink does, over its two lanes: what was counted, and what the operator is
 * told: once when the state changes, and of losses at most once a minute.
 */
#pragma once

#include <hinomi/kinds.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum health_state { /* the worse of the two lanes' counts */
		    HEALTH_NEW,
		    HEALTH_OK,
		    HEALTH_BUSY,	/* it asks for patience: 429, 502, 503, 504 */
		    HEALTH_UNREACHABLE, /* no answer */
		    HEALTH_BROKEN,	/* an answer that is none of the protocol */
		    HEALTH_REFUSED,	/* it does not want what we send, as a whole */
		    HEALTH_STATES,
};

enum health_count {
	COUNT_EVENTS,	/* acknowledged */
	COUNT_FRAMES,	/* likewise, frames whose last event was */
	COUNT_REQUESTS, /* that were answered well */
	COUNT_RETRIES,
	COUNT_REJECTED, /* events that the far end says it dropped: partial success */
	COUNT_DEAD,	/* events that it refused for good */
	COUNT_DAMAGED,	/* frames or stretches of the spool that could not be read */
	COUNT_MISSING,	/* frames that were gone from the spool before their turn */
	COUNTS,
};

struct health {
	const char *sink, *url; /* borrowed */
	pthread_mutex_t lock;
	enum health_state lanes[LANES], said;
	uint64_t told_ns[COUNTS];
	_Atomic uint64_t counts[COUNTS];
};

void health_init(struct health *health, const char *sink, const char *url);
void health_done(struct health *health);
/* text: what is wrong, hostile bytes escaped. */
void health_set(struct health *health, enum lane lane, enum health_state state, const char *text);
void health_count(struct health *health, enum health_count what, uint64_t n);
uint64_t health_counted(const struct health *health, enum health_count what);
/* Counts a loss and tells of it: "sink NAME: TOTAL text". */
void health_loss(struct health *health, enum health_count what, uint64_t n, const char *text);
/* "otlp: ok, 512 events" */
void health_print(struct health *health, FILE *out);
/* For people, from bytes of the far end: escaped, one line, cut to the buffer. */
void health_text(char *ret, size_t room, const void *data, size_t size);
