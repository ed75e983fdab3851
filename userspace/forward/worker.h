/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lane of the spool to one sink, in a thread of its own, so that a backlog of
 * bulk never stands before what must arrive.  How it is carried differs by type.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "forward/cursor.h"
#include "forward/dead.h"
#include "forward/health.h"
#include "forward/http.h"
#include "forward/pin.h"
#include "forward/source.h"
#include "forward/stop.h"

/* What all threads share; outlives them. */
struct forward {
	const struct config *config;
	const char *spool;
	int state_dir;
	bool once; /* end when there is no more, or when a sink does not take it */
	struct stop stop;
};

struct sink {
	const struct config_sink *config;
	struct forward *forward;
	struct health health;
	pthread_mutex_t dead_lock;
	struct dead dead;
	struct pin pin;
};

struct worker;

/* One type of sink. */
struct carrier {
	const char *type; /* as in the configuration */
	int (*open)(struct worker *worker);
	void (*close)(struct worker *worker);
	/* Takes frames up to a batch: 1: there is something to send; 0: nothing now; -errno of
	 * source_next. */
	int (*fill)(struct worker *worker);
	/* Sends what was taken until it is settled, the cursor with it.  0; -ECANCELED: to be
	 * stopped, what is not settled stays in the spool. */
	int (*deliver)(struct worker *worker);
};

extern const struct carrier carrier_otlp, carrier_collector;

struct worker {
	struct sink *sink;
	struct forward *forward;
	const struct carrier *carrier;
	enum lane lane;
	void *carried; /* the carrier's own */
	struct source *source;
	struct http *http;
	struct cursor cursor; /* acknowledged */
	char cursor_name[128];
	struct cursor_file cursor_file;
	unsigned attempt;   /* failures since the last success */
	bool other_spool;   /* what was being read is gone, another is there */
	bool at_end;	    /* with --once: there was no more */
	bool short_of;	    /* the far end did not take something for good */
	bool cursor_failed; /* it could not be saved, and this was said */
	_Atomic uint64_t pulse_ns;
};

/* Cursor, source, connection; worker->sink, forward and lane are set. */
int worker_open(struct worker *worker);
void worker_close(struct worker *worker);
/* Until the wish to stop; with --once until there is no more or it gave up. */
void worker_run(struct worker *worker);

/* For carriers. */

const char *worker_lane(const struct worker *worker); /* keep, bulk: also in names of files */

/* source_next that tells the operator what is missing; 1, 0, -errno. */
int worker_next(struct worker *worker, struct source_frame *ret);
/* Acknowledged: on disk when it returns. */
void worker_acknowledge(struct worker *worker, const struct cursor *cursor, uint64_t events,
			uint64_t frames);
void worker_succeeded(struct worker *worker);
/* After a failure: says so, waits. -ECANCELED: do not go on. */
int worker_failed(struct worker *worker, enum health_state state, const char *text,
		  uint64_t retry_after_ns);
