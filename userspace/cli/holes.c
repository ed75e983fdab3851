/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/holes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_AT 16384 /* holes, newest first: as many as the sensor keeps open */

int holes_add(struct holes *holes, const struct hole *hole)
{
	if (holes->count == holes->room) {
		size_t room = holes->room ? 2 * holes->room : 64;
		struct hole *grown = reallocarray(holes->holes, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		holes->holes = grown;
		holes->room = room;
	}
	holes->holes[holes->count++] = *hole;
	return 0;
}

void holes_done(struct holes *holes)
{
	free(holes->holes);
	*holes = (struct holes){0};
}

static int compare_numbered(const struct numbered *a, const struct numbered *b)
{
	int order = memcmp(a->rings, b->rings, sizeof(a->rings));

	if (order)
		return order;
	if (a->frames != b->frames)
		return a->frames ? 1 : -1;
	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

static int compare_holes(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;
	int order = compare_numbered(&x->of, &y->of);

	if (order)
		return order;
	return x->first < y->first ? -1 : x->first > y->first;
}

int holes_fill(struct holes *holes, const struct hole *late)
{
	size_t oldest = holes->count > LOOKED_AT ? holes->count - LOOKED_AT : 0;

	for (size_t i = holes->count; i-- > oldest;) {
		struct hole *hole = &holes->holes[i], rest = *hole;

		if (compare_numbered(&hole->of, &late->of) || late->first < hole->first ||
		    late->last > hole->last)
			continue;
		rest.first = late->last + 1;
		if (late->first > hole->first)
			hole->last = late->first - 1;
		else if (late->last < hole->last)
			hole->first = rest.first;
		else
			*hole = (struct hole){.of = late->of, .first = 1}; /* nothing is left */
		if (late->first > hole->first && late->last < rest.last)
			return holes_add(holes, &rest) ? -ENOMEM : 1;
		return 1;
	}
	return 0;
}

/* Overlapping ranges become one, so that their ends are in order as well. */
static void merge(struct holes *holes)
{
	size_t kept = 0;

	for (size_t i = 1; i < holes->count; i++) {
		struct hole *last = &holes->holes[kept], *next = &holes->holes[i];

		if (!compare_numbered(&last->of, &next->of) && next->first <= last->last) {
			if (next->last > last->last)
				last->last = next->last;
		} else {
			holes->holes[++kept] = *next;
		}
	}
	holes->count = holes->count ? kept + 1 : 0;
}

void holes_sort(struct holes *holes)
{
	if (holes->count)
		qsort(holes->holes, holes->count, sizeof(*holes->holes), compare_holes);
	merge(holes);
}

/* The first declared range that ends at or behind `from`. */
static size_t lower_bound(const struct holes *declared, const struct numbered *of, uint64_t from)
{
	size_t low = 0, high = declared->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_numbered(&declared->holes[middle].of, of);

		if (order < 0 || (!order && declared->holes[middle].last < from))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool holes_next_open(const struct holes *declared, const struct hole *hole, uint64_t from,
		     uint64_t *first, uint64_t *last)
{
	size_t i = lower_bound(declared, &hole->of, from);

	for (; from <= hole->last; i++) {
		const struct hole *next = i < declared->count ? &declared->holes[i] : NULL;

		if (!next || compare_numbered(&next->of, &hole->of) || next->first > from) {
			bool bounded = next && !compare_numbered(&next->of, &hole->of) &&
				       next->first <= hole->last;

			*first = from;
			*last = bounded ? next->first - 1 : hole->last;
			return true;
		}
		if (next->last == UINT64_MAX)
			return false;
		from = next->last + 1;
	}
	return false;
}
