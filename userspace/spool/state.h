/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two small files of a lane: `durable` bounds what readers may deliver,
 * `evicted` says which segments are gone on purpose.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

#define DURABLE_BYTES	  32u
#define EVICTED_BYTES	  8192u /* a slot in a block of its own */
#define EVICTIONS_PENDING 16u

struct evicted {
	uint64_t generation;
	uint64_t segment; /* this one and all below it are gone */
	unsigned count;	  /* of evictions whose declaration is not yet durable, oldest first */
	struct spool_eviction pending[EVICTIONS_PENDING];
};

/* -EBADMSG: damaged, or caught in the middle of a write. */
int durable_read(int fd, struct spool_position *ret);
int durable_write(int fd, const struct spool_position *position);

/* Zero when neither slot is good. */
int evicted_read(int fd, enum lane lane, struct evicted *ret);
/* The next generation, in the other slot, synced. */
int evicted_write(int fd, struct evicted *evicted);
/* Keeps the newest: of two that do not fit, one wider eviction is made. */
void evicted_add(struct evicted *evicted, const struct spool_eviction *eviction);
void evicted_remove(struct evicted *evicted, unsigned index);
