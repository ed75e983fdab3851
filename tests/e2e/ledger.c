// SPDX-License-Identifier: Apache-2.0
/* The account of the whole run: sums, sequences, chain. */
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "event/event.h"
#include "frame/frame.h"

static const Hinomi__FrameHeader *last_whole(const struct story *story, enum lane lane)
{
	const Hinomi__FrameHeader *last = NULL;

	for (size_t i = 0; i < story->nframes; i++)
		if (story->frames[i]->header->lane == (Hinomi__Lane)lane &&
		    story->frames[i]->header->ledger_whole)
			last = story->frames[i]->header;
	return last;
}

static uint64_t delivered(const struct story *story, unsigned kind, uint32_t cpu)
{
	uint64_t n = 0;

	for (size_t i = 0; i < story->nevents; i++)
		n += story->events[i].kind == kind && story->events[i].event->cpu == cpu;
	return n;
}

static void check_row(struct check *check, const Hinomi__LedgerRow *row)
{
	const char *name = kind_name(row->kind);
	uint64_t sum = row->delivered + row->filtered + row->aggregated + row->lost;
	uint64_t in_frames = delivered(check->story, row->kind, row->cpu);

	if (row->seen != sum)
		check_fail(check, "%s on cpu %u: seen %llu, but accounted for %llu", name, row->cpu,
			   (unsigned long long)row->seen, (unsigned long long)sum);
	if (row->delivered != in_frames)
		check_fail(check, "%s on cpu %u: delivered %llu, but frames hold %llu", name,
			   row->cpu, (unsigned long long)row->delivered,
			   (unsigned long long)in_frames);
}

void check_ledger(struct check *check)
{
	for (enum lane lane = 0; lane < LANES; lane++) {
		const Hinomi__FrameHeader *header = last_whole(check->story, lane);

		if (!header || !header->n_ledger) {
			check_fail(check, "lane %d: expected a whole ledger, got none", lane);
			continue;
		}
		for (size_t i = 0; i < header->n_ledger; i++)
			check_row(check, header->ledger[i]);
	}
	for (size_t i = 0; i < check->story->nevents; i++) {
		const struct seen *seen = &check->story->events[i];
		const Hinomi__FrameHeader *header =
			last_whole(check->story, (enum lane)seen->event->lane);
		bool found = false;

		for (size_t r = 0; header && r < header->n_ledger && !found; r++)
			found = header->ledger[r]->kind == seen->kind &&
				header->ledger[r]->cpu == seen->event->cpu;
		if (!found)
			check_fail(check, "no ledger row for %s on cpu %u", kind_name(seen->kind),
				   seen->event->cpu);
	}
}

struct range {
	uint64_t first, last;
};

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* What frames and gaps account for, of one cpu's numbers in a lane. */
static size_t ranges_of(const struct story *story, enum lane lane, uint32_t cpu,
			struct range *ranges)
{
	size_t n = 0;

	for (size_t i = 0; i < story->nframes; i++) {
		const Hinomi__FrameHeader *header = story->frames[i]->header;

		for (size_t s = 0; header->lane == (Hinomi__Lane)lane && s < header->n_sequences;
		     s++)
			if (header->sequences[s]->cpu == cpu)
				ranges[n++] = (struct range){header->sequences[s]->first,
							     header->sequences[s]->last};
	}
	return n;
}

/* Where the numbers from `first` on that gaps declare come to an end. */
static uint64_t declared_to(const struct story *story, enum lane lane, uint32_t cpu, uint64_t first)
{
	for (size_t i = 0; i < story->nevents; i++) {
		const Hinomi__Gap *gap =
			story->events[i].kind == KIND_gap ? story->events[i].event->gap : NULL;

		if (gap && gap->lane == (Hinomi__Lane)lane && gap->cpu == cpu &&
		    gap->first_seq <= first && gap->last_seq >= first)
			return gap->last_seq;
	}
	return 0;
}

static void check_cpu(struct check *check, enum lane lane, uint32_t cpu, struct range *ranges)
{
	size_t n = ranges_of(check->story, lane, cpu, ranges);
	uint64_t next = 1;

	qsort(ranges, n, sizeof(*ranges), by_first);
	for (size_t i = 0; i < n; i++) {
		uint64_t last;

		while (next < ranges[i].first &&
		       (last = declared_to(check->story, lane, cpu, next)))
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
	const Hinomi__Event *x = (*(const struct seen *const *)a)->event;
	const Hinomi__Event *y = (*(const struct seen *const *)b)->event;

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

void check_sequences(struct check *check)
{
	const struct story *story = check->story;
	struct range *ranges;
	size_t all = 0;

	for (size_t i = 0; i < story->nframes; i++)
		all += story->frames[i]->header->n_sequences;
	ranges = calloc(all + 1, sizeof(*ranges));
	for (enum lane lane = 0; ranges && lane < LANES; lane++) {
		for (uint32_t cpu = 0; cpu < 1024; cpu++)
			check_cpu(check, lane, cpu, ranges);
		check_cpu(check, lane, CPU_SENSOR, ranges);
	}
	free(ranges);
	for (size_t i = 0; i < story->nevents; i++)
		check_event(check, &story->events[i]);
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
