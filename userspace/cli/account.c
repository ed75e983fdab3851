/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: its sums hold, it never goes back, and it says of events what is really there. */
#include <inttypes.h>

#include "cli/judge.h"
#include "event/event.h"

static const char *name_of(uint32_t kind)
{
	const char *name = kind_name(kind);

	return name ? name : "unknown class";
}

void account_events(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__Payload *payload)
{
	for (size_t i = 0; i < payload->n_events; i++) {
		const Hinomi__Event *event = payload->events[i];
		struct row *row;

		if (event->body_case == HINOMI__EVENT__BODY__NOT_SET) {
			lane->complete = false; /* of a class that is not known here */
			continue;
		}
		row = rows_get(&lane->rows, event->body_case, event->cpu);
		if (!row) {
			verifier->short_of_memory = true;
			return;
		}
		row->counted++;
	}
}

static bool goes_back(const struct row *row, const Hinomi__LedgerRow *next)
{
	return next->begun < row->begun || next->elsewhere < row->elsewhere ||
	       next->seen < row->seen || next->delivered < row->delivered ||
	       next->filtered < row->filtered || next->aggregated < row->aggregated ||
	       next->lost < row->lost;
}

static void check_sum(struct verifier *verifier, struct lane_state *lane, uint64_t number,
		      const Hinomi__LedgerRow *row)
{
	char cpu[CPU_NAME_BYTES];

	if (row->begun < row->seen + row->elsewhere ||
	    (row->closed && row->begun != row->seen + row->elsewhere))
		finding(verifier, lane, number,
			"ledger of %s, %s: %" PRIu64 " begun, but %" PRIu64 " seen%s",
			name_of(row->kind), cpu_name(row->cpu, cpu), row->begun,
			row->seen + row->elsewhere,
			row->closed ? ", and nothing is under way" : "");
	if (row->seen == row->delivered + row->filtered + row->aggregated + row->lost)
		return;
	finding(verifier, lane, number,
		"ledger of %s, %s: %" PRIu64 " seen, but %" PRIu64 " delivered, %" PRIu64
		" filtered, %" PRIu64 " aggregated, %" PRIu64 " lost",
		name_of(row->kind), cpu_name(row->cpu, cpu), row->seen, row->delivered,
		row->filtered, row->aggregated, row->lost);
}

static void check_row(struct verifier *verifier, struct lane_state *lane, uint64_t number,
		      const Hinomi__LedgerRow *next)
{
	struct row *row = rows_get(&lane->rows, next->kind, next->cpu);
	const char *name = name_of(next->kind);
	char cpu[CPU_NAME_BYTES];

	if (!row) {
		verifier->short_of_memory |= lane->rows.count < ROWS_MAX;
		finding(verifier, lane, number, "the ledger has more rows than there can be");
		return;
	}
	check_sum(verifier, lane, number, next);
	if (row->frame && goes_back(row, next))
		finding(verifier, lane, number,
			"ledger of %s, %s: goes back behind that of frame %" PRIu64, name,
			cpu_name(next->cpu, cpu), row->frame);
	if (kind_name(next->kind) && !kind_may_be_in(next->kind, lane->lane))
		finding(verifier, lane, number, "ledger of %s: the class is of the other lane",
			name);
	if (lane->complete && next->delivered != row->counted)
		finding(verifier, lane, number,
			"ledger of %s, %s: %" PRIu64 " delivered, but %" PRIu64 " are there", name,
			cpu_name(next->cpu, cpu), next->delivered, row->counted);
	row_set(row, next);
	row->frame = number;
}

/* a whole ledger leaves out no row that was there before */
static void check_whole(struct verifier *verifier, struct lane_state *lane, uint64_t number)
{
	char cpu[CPU_NAME_BYTES];

	for (size_t i = 0; i < lane->rows.count; i++) {
		const struct row *row = &lane->rows.rows[i];

		if (row->frame && row->frame != number)
			finding(verifier, lane, number,
				"ledger is said to be whole, but %s of %s"
				", last in frame %" PRIu64 ", is not there",
				name_of(row->kind), cpu_name(row->cpu, cpu), row->frame);
	}
}

void account_header(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__FrameHeader *header)
{
	for (size_t i = 0; i < header->n_ledger; i++)
		check_row(verifier, lane, header->number, header->ledger[i]);
	if (header->ledger_whole)
		check_whole(verifier, lane, header->number);
}

/* Numbers that a frame accounts for without an event were filtered, aggregated or lost. */
void account_end(struct verifier *verifier, struct lane_state *lane)
{
	char name[CPU_NAME_BYTES];

	if (!lane->complete)
		return;
	for (size_t i = 0; i < lane->cpu_count; i++) {
		const struct cpu_state *cpu = &lane->cpus[i];
		uint64_t explained = 0, absent = cpu->covered - cpu->present;

		for (size_t k = 0; k < lane->rows.count; k++) {
			const struct row *row = &lane->rows.rows[k];

			if (row->cpu == cpu->cpu)
				explained += row->filtered + row->aggregated + row->lost;
		}
		if (absent > explained)
			finding(verifier, lane, cpu->frame,
				"%" PRIu64 " numbers of %s"
				" are in no event, but the ledger explains only %" PRIu64,
				absent, cpu_name(cpu->cpu, name), explained);
	}
}
