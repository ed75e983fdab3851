// SPDX-License-Identifier: Apache-2.0
/* Every number of every cpu comes once, or a gap declares it; and frames are a chain. */
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "event/event.h"
#include "frame/frame.h"

#define CPUS_MAX      1024
#define RINGS_ID_SIZE 16

struct range {
	uint64_t first, last;
};

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* What frames and gaps account for, of one cpu's numbers in a lane. */
static size_t ranges_of(const struct story *story, const ProtobufCBinaryData *rings, enum lane lane,
			uint32_t cpu, struct range *ranges)
{
	size_t n = 0;

	for (size_t i = 0; i < story->nframes; i++) {
		const Hinomi__FrameHeader *header = story->frames[i]->header;

		if (header->lane != (Hinomi__Lane)lane || !same_rings(&header->rings_id, rings))
			continue;
		for (size_t s = 0; s < header->n_sequences; s++)
			if (header->sequences[s]->cpu == cpu)
				ranges[n++] = (struct range){header->sequences[s]->first,
							     header->sequences[s]->last};
	}
	return n;
}

/* Where the numbers from `first` on that gaps declare come to an end. */
static uint64_t declared_to(const struct story *story, const ProtobufCBinaryData *rings,
			    enum lane lane, uint32_t cpu, uint64_t first)
{
	for (size_t i = 0; i < story->nevents; i++) {
		const Hinomi__Gap *gap =
			story->events[i].kind == KIND_gap ? story->events[i].event->gap : NULL;

		if (gap && gap->lane == (Hinomi__Lane)lane && gap->cpu == cpu &&
		    gap->first_seq <= first && gap->last_seq >= first &&
		    same_rings(&story->events[i].frame->header->rings_id, rings))
			return gap->last_seq;
	}
	return 0;
}

static void check_cpu(struct check *check, const ProtobufCBinaryData *rings, enum lane lane,
		      uint32_t cpu, struct range *ranges)
{
	size_t n = ranges_of(check->story, rings, lane, cpu, ranges);
	uint64_t next = 1;

	qsort(ranges, n, sizeof(*ranges), by_first);
	for (size_t i = 0; i < n; i++) {
		uint64_t last;

		while (next < ranges[i].first &&
		       (last = declared_to(check->story, rings, lane, cpu, next)))
			next = last + 1;
		if (ranges[i].first > next)
			check_fail(check, "lane %d, cpu %u: %llu to %llu are missing, undeclared",
				   lane, cpu, (unsigned long long)next,
				   (unsigned long long)ranges[i].first - 1);
		if (ranges[i].first < next)
			check_fail(check, "lane %d, cpu %u: %llu comes twice", lane, cpu,
				   (unsigned long long)ranges[i].first);
		next = ranges[i].last + 1;
	}
}

/* Every event's number lies in its frame's range, and comes once. */
static void check_event(struct check *check, const struct seen *seen)
{
	const Hinomi__FrameHeader *header = seen->frame->header;
	uint64_t seq = seen->event->seq;

	for (size_t i = 0; i < header->n_sequences; i++)
		if (header->sequences[i]->cpu == seen->event->cpu &&
		    header->sequences[i]->first <= seq && seq <= header->sequences[i]->last)
			return;
	check_fail(check, "event %s %u/%llu is outside of its frame's sequence",
		   kind_name(seen->kind), seen->event->cpu, (unsigned long long)seq);
}

static int by_number(const void *a, const void *b)
{
	const struct seen *first = *(const struct seen *const *)a;
	const struct seen *second = *(const struct seen *const *)b;
	const Hinomi__Event *x = first->event, *y = second->event;
	int rings = memcmp(first->frame->header->rings_id.data,
			   second->frame->header->rings_id.data, RINGS_ID_SIZE);

	if (rings)
		return rings;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void check_twice(struct check *check)
{
	const struct story *story = check->story;
	const struct seen **sorted = calloc(story->nevents + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < story->nevents; i++)
		sorted[i] = &story->events[i];
	if (sorted)
		qsort(sorted, story->nevents, sizeof(*sorted), by_number);
	for (size_t i = 1; sorted && i < story->nevents; i++)
		if (!by_number(&sorted[i - 1], &sorted[i]))
			check_fail(check, "cpu %u, number %llu comes twice", sorted[i]->event->cpu,
				   (unsigned long long)sorted[i]->event->seq);
	free(sorted);
}

static void check_rings(struct check *check, const ProtobufCBinaryData *rings)
{
	const struct story *story = check->story;
	struct range *ranges;
	size_t all = 0;

	for (size_t i = 0; i < story->nframes; i++)
		all += story->frames[i]->header->n_sequences;
	ranges = calloc(all + 1, sizeof(*ranges));
	for (enum lane lane = 0; ranges && lane < LANES; lane++) {
		for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++)
			check_cpu(check, rings, lane, cpu, ranges);
		check_cpu(check, rings, lane, CPU_SENSOR, ranges);
	}
	free(ranges);
}

void check_sequences(struct check *check)
{
	for_each_rings(check, check_rings);
	for (size_t i = 0; i < check->story->nevents; i++)
		check_event(check, &check->story->events[i]);
	check_twice(check);
}

void check_chain(struct check *check)
{
	const struct frame *before[LANES] = {NULL, NULL};

	for (size_t i = 0; i < check->story->nframes; i++) {
		const struct frame *frame = check->story->frames[i];
		const struct frame *last = before[frame->header->lane];

		want_number(check, "frame.number", last ? last->header->number + 1 : 1,
			    frame->header->number);
		want_bytes(check, "frame.previous", last ? last->hash : NULL,
			   last ? sizeof(last->hash) : 0, &frame->header->previous);
		want_number(check, "frame.events", frame->payload->n_events, frame->header->events);
		want_true(check, "a pair of clocks", frame->header->n_clocks > 0);
		before[frame->header->lane] = frame;
	}
}
