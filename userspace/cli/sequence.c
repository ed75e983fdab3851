/* SPDX-License-Identifier: Apache-2.0 */
/* Every number of every cpu is accounted for once: by a frame, or by a declared gap. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/judge.h"

static int cpus_grow(struct lane_state *lane)
{
	size_t room = lane->cpu_room ? 2 * lane->cpu_room : 16; /* powers of two, as CPUS_MAX is */
	struct cpu_state *grown;

	if (lane->cpu_count < lane->cpu_room)
		return 0;
	grown = room <= CPUS_MAX ? reallocarray(lane->cpus, room, sizeof(*grown)) : NULL;
	if (!grown)
		return -1;
	lane->cpus = grown;
	lane->cpu_room = room;
	return 0;
}

struct cpu_state *sequence_cpu(struct lane_state *lane, uint32_t cpu, bool make)
{
	size_t low = 0, high = lane->cpu_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lane->cpus[middle].cpu < cpu)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < lane->cpu_count && lane->cpus[low].cpu == cpu)
		return &lane->cpus[low];
	if (!make || cpus_grow(lane))
		return NULL;
	memmove(&lane->cpus[low + 1], &lane->cpus[low],
		(lane->cpu_count - low) * sizeof(*lane->cpus));
	lane->cpus[low] = (struct cpu_state){.cpu = cpu};
	lane->cpu_count++;
	return &lane->cpus[low];
}

static struct hole hole_of(const struct lane_state *lane, uint32_t cpu, uint64_t first,
			   uint64_t last)
{
	struct hole hole = {.of = {.lane = lane->lane, .cpu = cpu}, .first = first, .last = last};

	memcpy(hole.of.rings, lane->rings, RINGS_ID_BYTES);
	return hole;
}

/* Numbers that come after higher ones: they were missing until now, or they come again. */
static void check_late(struct verifier *verifier, struct lane_state *lane, uint64_t number,
		       const Hinomi__Sequence *range, const struct cpu_state *cpu)
{
	struct hole late = hole_of(lane, range->cpu, range->first, range->last);
	bool may_be = !lane->from_start && range->last < cpu->first; /* before we began to read */
	char name[CPU_NAME_BYTES];
	int filled = may_be ? 1 : holes_fill(&verifier->holes, &late);

	if (filled < 0)
		verifier->short_of_memory = true;
	else if (!filled)
		finding(verifier, lane, number,
			"sequence %" PRIu64 " to %" PRIu64 " of %s"
			" comes again, %" PRIu64 " was reached before",
			range->first, range->last, cpu_name(range->cpu, name), cpu->last);
}

static void check_range(struct verifier *verifier, struct lane_state *lane, uint64_t number,
			const Hinomi__Sequence *range, struct cpu_state *cpu)
{
	bool is_known = cpu->frame || lane->from_start; /* else: deleted with older frames */

	if (!cpu->frame)
		cpu->first = range->first;
	if (range->first <= cpu->last) {
		check_late(verifier, lane, number, range, cpu);
	} else if (is_known && range->first > cpu->last + 1) {
		struct hole hole = hole_of(lane, range->cpu, cpu->last + 1, range->first - 1);

		hole.after = cpu->frame;
		hole.before = number;
		memcpy(hole.in_rings, lane->rings, RINGS_ID_BYTES);
		hole.in_ns = lane->clock_ns;
		hole_found(verifier, &hole);
	}
	cpu->frame = number;
	cpu->covered += range->last - range->first + 1;
	if (range->last > cpu->last)
		cpu->last = range->last;
}

void sequence_header(struct verifier *verifier, struct lane_state *lane,
		     const Hinomi__FrameHeader *header)
{
	char name[CPU_NAME_BYTES];

	for (size_t i = 0; i < header->n_sequences; i++) {
		const Hinomi__Sequence *range = header->sequences[i];
		struct cpu_state *cpu;

		if (!range->first || range->first > range->last) {
			finding(verifier, lane, header->number,
				"sequence %" PRIu64 " to %" PRIu64 " of %s"
				" is no range",
				range->first, range->last, cpu_name(range->cpu, name));
			continue;
		}
		cpu = sequence_cpu(lane, range->cpu, true);
		if (cpu)
			check_range(verifier, lane, header->number, range, cpu);
		else if (lane->cpu_count < CPUS_MAX)
			verifier->short_of_memory = true;
		else
			finding(verifier, lane, header->number,
				"names more cpus than there can be");
	}
}

static void take_gap(struct verifier *verifier, const struct lane_state *lane,
		     const Hinomi__Gap *gap)
{
	struct hole hole = {.of = {.lane = (uint32_t)gap->lane, .cpu = gap->cpu},
			    .first = gap->first_seq,
			    .last = gap->last_seq};

	verifier->gaps++;
	for (size_t i = 0; i < gap->n_lost; i++)
		verifier->lost += gap->lost[i]->count;
	memcpy(hole.of.rings, lane->rings, RINGS_ID_BYTES);
	if (hole.first && hole.first <= hole.last)
		hole_declared(verifier, &hole);
	hole = (struct hole){.of = {.lane = (uint32_t)gap->lane, .frames = true},
			     .first = gap->first_frame,
			     .last = gap->last_frame};
	if (!hole.first || hole.first > hole.last)
		return;
	hole_declared(verifier, &hole);
	/* a disk loses frames anywhere; the others are gone up to there */
	if (gap->cause != HINOMI__GAP__CAUSE__CAUSE_SPOOL_FAILED &&
	    holes_add(&verifier->left, &hole))
		verifier->short_of_memory = true;
}

static int compare_events(const void *a, const void *b)
{
	const Hinomi__Event *x = *(const Hinomi__Event *const *)a;
	const Hinomi__Event *y = *(const Hinomi__Event *const *)b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int compare_ranges(const void *a, const void *b)
{
	const Hinomi__Sequence *x = *(const Hinomi__Sequence *const *)a;
	const Hinomi__Sequence *y = *(const Hinomi__Sequence *const *)b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static bool is_behind(const Hinomi__Sequence *range, const Hinomi__Event *event)
{
	return range->cpu < event->cpu || (range->cpu == event->cpu && range->last < event->seq);
}

static bool holds(const Hinomi__Sequence *range, const Hinomi__Event *event)
{
	return range->cpu == event->cpu && range->first <= event->seq && event->seq <= range->last;
}

/* Both sorted by cpu and number. */
static void check_events(struct verifier *verifier, struct lane_state *lane, uint64_t number,
			 Hinomi__Event *const *events, size_t count,
			 Hinomi__Sequence *const *ranges, size_t nranges)
{
	char name[CPU_NAME_BYTES];

	for (size_t i = 0, at = 0; i < count; i++) {
		struct cpu_state *cpu = sequence_cpu(lane, events[i]->cpu, false);
		uint64_t seq = events[i]->seq;

		while (at < nranges && is_behind(ranges[at], events[i]))
			at++;
		if (!cpu || at == nranges || !holds(ranges[at], events[i]))
			finding(verifier, lane, number,
				"event %" PRIu64 " of %s"
				" is not among those that the header accounts for",
				seq, cpu_name(events[i]->cpu, name));
		else if (i && !compare_events(&events[i - 1], &events[i]))
			finding(verifier, lane, number, "event %" PRIu64 " of %s is there twice",
				seq, cpu_name(events[i]->cpu, name));
		else
			cpu->present++;
	}
}

void sequence_events(struct verifier *verifier, struct lane_state *lane,
		     const Hinomi__FrameHeader *header, const Hinomi__Payload *payload)
{
	CLEANUP(free) Hinomi__Event **events = calloc(payload->n_events + 1, sizeof(*events));
	CLEANUP(free)
	Hinomi__Sequence **ranges = calloc(header->n_sequences + 1, sizeof(*ranges));

	if (!events || !ranges) {
		verifier->short_of_memory = true;
		return;
	}
	for (size_t i = 0; i < payload->n_events; i++) {
		events[i] = payload->events[i];
		if (events[i]->body_case == HINOMI__EVENT__BODY_GAP)
			take_gap(verifier, lane, events[i]->gap);
	}
	for (size_t i = 0; i < header->n_sequences; i++)
		ranges[i] = header->sequences[i];
	qsort(events, payload->n_events, sizeof(*events), compare_events);
	qsort(ranges, header->n_sequences, sizeof(*ranges), compare_ranges);
	check_events(verifier, lane, header->number, events, payload->n_events, ranges,
		     header->n_sequences);
	lane->counts.events += payload->n_events;
}
