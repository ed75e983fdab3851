/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tally.h"

#include <errno.h>
#include <hinomi/record.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/rows.h"
#include "event/event.h"
#include "frame/frame.h"

struct class_coverage {
	Hinomi__Coverage__State state;
	unsigned tier;
	char *hook, *reason;
};

struct tally {
	uint8_t rings[16]; /* that the rows count in */
	struct rows rows;
	struct class_coverage coverage[KINDS_MAX];
};

int tally_new(struct tally **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static void coverage_done(struct class_coverage *coverage)
{
	free(coverage->hook);
	free(coverage->reason);
	*coverage = (struct class_coverage){0};
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	for (size_t i = 0; i < KINDS_MAX; i++)
		coverage_done(&tally->coverage[i]);
	rows_done(&tally->rows);
	free(tally);
}

static void take_coverage(struct tally *tally, Hinomi__Coverage *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int kind = kind_by_name(list[i]->class_);

		if (kind < 0)
			continue;
		coverage_done(&tally->coverage[kind]);
		tally->coverage[kind] = (struct class_coverage){
			.state = list[i]->state,
			.tier = list[i]->tier,
			.hook = strdup(list[i]->hook),
			.reason = strdup(list[i]->reason),
		};
	}
}

static void take_event(struct tally *tally, const Hinomi__Event *event)
{
	switch (event->body_case) {
	case HINOMI__EVENT__BODY_SENSOR_START:
		take_coverage(tally, event->sensor_start->coverage,
			      event->sensor_start->n_coverage);
		break;
	case HINOMI__EVENT__BODY_HEARTBEAT:
		take_coverage(tally, event->heartbeat->coverage, event->heartbeat->n_coverage);
		break;
	case HINOMI__EVENT__BODY_COVERAGE:
		take_coverage(tally, event->coverage->coverage, event->coverage->n_coverage);
		break;
	case HINOMI__EVENT__BODY_SENSOR_STOP:
		take_coverage(tally, event->sensor_stop->coverage, event->sensor_stop->n_coverage);
		break;
	default:
		break;
	}
}

void tally_frame(void *ctx, const struct frame *frame)
{
	const Hinomi__FrameHeader *header = frame->header;
	struct tally *tally = ctx;

	if (memcmp(tally->rings, header->rings_id.data, sizeof(tally->rings)))
		rows_clear(&tally->rows);
	memcpy(tally->rings, header->rings_id.data, sizeof(tally->rings));
	for (size_t i = 0; i < header->n_ledger; i++) {
		struct row *row =
			rows_get(&tally->rows, header->ledger[i]->kind, header->ledger[i]->cpu);

		if (row)
			row_set(row, header->ledger[i]);
	}
	for (size_t i = 0; i < frame->payload->n_events; i++)
		if (frame->payload->events[i]->cpu == CPU_SENSOR)
			take_event(tally, frame->payload->events[i]);
}

static struct row sum_of(const struct tally *tally, unsigned kind)
{
	struct row sum = {.kind = kind};

	for (size_t i = 0; i < tally->rows.count; i++) {
		const struct row *row = &tally->rows.rows[i];

		if (kind && row->kind != kind)
			continue;
		sum.seen += row->seen;
		sum.delivered += row->delivered;
		sum.filtered += row->filtered;
		sum.aggregated += row->aggregated;
		sum.lost += row->lost;
	}
	return sum;
}

static void put_string(FILE *out, const char *text)
{
	if (text)
		escape_text(out, text, strlen(text));
}

static void print_hook(FILE *out, const struct class_coverage *coverage)
{
	switch (coverage->state) {
	case HINOMI__COVERAGE__STATE__STATE_VERIFIED:
		put_string(out, coverage->hook);
		break;
	case HINOMI__COVERAGE__STATE__STATE_LOWER_TIER:
		put_string(out, coverage->hook);
		fprintf(out, " (tier %u)", coverage->tier);
		break;
	case HINOMI__COVERAGE__STATE__STATE_SILENT:
		put_string(out, coverage->hook);
		fputs(" (attached, but its canary was not seen)", out);
		break;
	case HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE:
		fputs("none: ", out);
		put_string(out, coverage->reason);
		break;
	case HINOMI__COVERAGE__STATE__STATE_OFF:
		fputs("switched off", out);
		break;
	default:
		fputs("not known", out);
		break;
	}
}

static void print_numbers(FILE *out, const char *name, const struct row *row)
{
	fprintf(out,
		"%-13s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  ",
		name, row->seen, row->delivered, row->filtered, row->aggregated, row->lost);
}

void tally_print(const struct tally *tally, FILE *out)
{
	struct row total = sum_of(tally, 0);

	fprintf(out, "%-13s %10s %10s %10s %10s %10s  %s\n", "class", "seen", "delivered",
		"filtered", "aggregated", "lost", "hook");
	for (unsigned kind = 1; kind < KINDS_MAX; kind++) {
		struct row sum = sum_of(tally, kind);

		if (!kind_name(kind) || (!kind_is_kernel(kind) && !sum.seen))
			continue;
		print_numbers(out, kind_name(kind), &sum);
		if (kind_is_kernel(kind))
			print_hook(out, &tally->coverage[kind]);
		else
			fputs("the sensor itself", out);
		putc('\n', out);
	}
	print_numbers(out, "total", &total);
	if (total.seen == total.delivered + total.filtered + total.aggregated + total.lost)
		fputs("seen = delivered + filtered + aggregated + lost\n", out);
	else
		fputs("the sums do NOT hold: hinomi verify says where\n", out);
}
