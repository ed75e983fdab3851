/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of numbers that are missing, and ranges that were declared. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RINGS_ID_BYTES 16

/* What is numbered: the frames of a lane, or the events of a cpu in it since the rings were made.
 */
struct numbered {
	uint8_t rings[RINGS_ID_BYTES]; /* zero for frames */
	uint32_t lane;
	uint32_t cpu;
	bool frames;
};

struct hole {
	struct numbered of;
	uint64_t first, last;
	uint64_t after, before; /* frames that it was found between */
	/* of the latter, where numbers of events are missing */
	uint8_t in_rings[RINGS_ID_BYTES];
	uint64_t in_ns; /* its clock, of its boot */
};

struct holes {
	struct hole *holes;
	size_t count, room;
};

/* -ENOMEM */
int holes_add(struct holes *holes, const struct hole *hole);
/* Numbers of one hole that came late: they are taken out of it.  1; 0 when no hole has them all (it
 * is looked for among the latest); -ENOMEM. */
int holes_fill(struct holes *holes, const struct hole *late);
void holes_done(struct holes *holes);
void holes_sort(struct holes *holes);
/* The next part of [from, hole->last] that no range of declared (sorted) covers; false: there is
 * none. */
bool holes_next_open(const struct holes *declared, const struct hole *hole, uint64_t from,
		     uint64_t *first, uint64_t *last);
