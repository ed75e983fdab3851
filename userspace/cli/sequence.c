/* SPDX-License-Identifier: Apache-2.0 */
/* Every number of every cpu is accounted for once: by a frame, or by a declared gap. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/judge.h"

static int cpus_grow(struct lane_state *lane)
{
	size_t room = lane->cpu_room ? 2 * lane->cpu_room : 16;
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

static void check_range(struct verifier *verifier, struct lane_state *lane, uint64_t number,
			const Hinomi__Sequence *range, struct cpu_state *cpu)
{
	char name[CPU_NAME_BYTES];
	bool is_known = cpu->frame || lane->from_start; /* else: deleted with older frames */
	struct hole hole = {.of = {.lane = lane->lane, .cpu = range->cpu},
			    .first = cpu->last + 1,
			    .last = range->first - 1,
			    .after = cpu->frame,
			    .before = number};

	if (range->first <= cpu->last) {
		finding(verifier, lane, number,
			"sequence %" PRIu64 " to %" PRIu64 " of %s"
			" comes again, %" PRIu64 " was reached before",
			range->first, range->last, cpu_name(range->cpu, name), cpu->last);
	} else if (is_known && range->first > cpu->last + 1) {
		memcpy(hole.of.rings, lane->rings, RINGS_ID_BYTES);
		hole_found(verifier, &hole);
	}
	if (cpu->frame != number)
		cpu->first_there = range->first;
	cpu->last_there = range->last;
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
	if (hole.first && hole.first <= hole.last)
		hole_declared(verifier, &hole);
}

static int compare_events(const void *a, const void *b)
{
	const Hinomi__Event *x = *(const Hinomi__Event *const *)a;
	const Hinomi__Event *y = *(const Hinomi__Event *const *)b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* events: sorted by cpu and number */
static void check_events(struct verifier *verifier, struct lane_state *lane, uint64_t number,
			 Hinomi__Event *const *events, size_t count)
{
	char name[CPU_NAME_BYTES];

	for (size_t i = 0; i < count; i++) {
		struct cpu_state *cpu = sequence_cpu(lane, events[i]->cpu, false);
		uint64_t seq = events[i]->seq;

		if (!cpu || cpu->frame != number || seq < cpu->first_there || seq > cpu->last_there)
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
	size_t count = payload->n_events;
	Hinomi__Event **sorted = calloc(count ? count : 1, sizeof(*sorted));

	if (!sorted) {
		verifier->short_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[i] = payload->events[i];
		if (sorted[i]->body_case == HINOMI__EVENT__BODY_GAP)
			take_gap(verifier, lane, sorted[i]->gap);
	}
	qsort(sorted, count, sizeof(*sorted), compare_events);
	check_events(verifier, lane, header->number, sorted, count);
	lane->counts.events += count;
	free(sorted);
}
