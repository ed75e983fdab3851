/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vitals.h"

#include <errno.h>
#include <hinomi/record.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "frame/frame.h"
#include "spool/spool.h"

#define SEGMENTS_BACK 3 /* a heartbeat and a whole ledger stand in each that is full */
#define DENSITY_NS    (100 * NS_PER_MS)

void trend_add(struct trend *trend, uint64_t ns, uint64_t value)
{
	size_t n = trend->count;

	if (n && (ns < trend->samples[n - 1].ns || value < trend->samples[n - 1].value))
		n = 0; /* of something else, or of nonsense */
	if (n >= 2 && ns < trend->samples[n - 2].ns + DENSITY_NS)
		n--;
	while (n > 1 &&
	       (trend->samples[1].ns + VITALS_SPAN_NS <= ns || n == ARRAY_SIZE(trend->samples)))
		memmove(trend->samples, trend->samples + 1, --n * sizeof(trend->samples[0]));
	trend->samples[n].ns = ns;
	trend->samples[n].value = value;
	trend->count = n + 1;
}

double trend_rate(const struct trend *trend)
{
	size_t last = trend->count - 1;
	uint64_t ns;

	if (trend->count < 2)
		return -1;
	ns = trend->samples[last].ns - trend->samples[0].ns;
	if (!ns)
		return -1;
	return (double)(trend->samples[last].value - trend->samples[0].value) * 1e9 / (double)ns;
}

static void sum_rows(const struct rows *rows, unsigned kind, struct row *sum)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->rows[i];

		if (kind && row->kind != kind)
			continue;
		sum->seen += row->seen;
		sum->delivered += row->delivered;
		sum->filtered += row->filtered;
		sum->aggregated += row->aggregated;
		sum->lost += row->lost;
	}
}

struct row vitals_sum(const struct vitals *vitals, unsigned kind)
{
	struct row sum = {.kind = kind};

	for (int lane = 0; lane < LANES; lane++)
		if (!memcmp(vitals->rings[lane], vitals->rings[LANE_KEEP], 16))
			sum_rows(&vitals->rows[lane], kind, &sum);
	return sum;
}

static void forget_beat(struct vitals *v)
{
	if (v->beat)
		hinomi__heartbeat__free_unpacked(v->beat, NULL);
	v->beat = NULL;
}

static void forget_start(struct vitals *v)
{
	if (v->start)
		hinomi__sensor_start__free_unpacked(v->start, NULL);
	v->start = NULL;
}

/* A new process counts its own from 0. */
static void forget_process(struct vitals *v)
{
	forget_beat(v);
	forget_start(v);
	v->cpu.count = v->wakeups.count = 0;
	v->stopped = false;
}

/* Rows are cumulative as long as the rings are the same. */
static void take_ledger(struct vitals *v, enum lane lane, const Hinomi__FrameHeader *header)
{
	struct row sum = {0};

	if (header->rings_id.len != 16)
		return;
	if (memcmp(v->rings[lane], header->rings_id.data, 16)) {
		memcpy(v->rings[lane], header->rings_id.data, 16);
		rows_clear(&v->rows[lane]);
		v->events[lane].count = 0;
		v->whole[lane] = header->number == 1;
	}
	for (size_t i = 0; i < header->n_ledger; i++) {
		struct row *row =
			rows_get(&v->rows[lane], header->ledger[i]->kind, header->ledger[i]->cpu);

		if (row)
			row_set(row, header->ledger[i]);
	}
	v->whole[lane] |= header->ledger_whole;
	sum_rows(&v->rows[lane], 0, &sum);
	if (v->whole[lane] && header->n_clocks)
		trend_add(&v->events[lane], header->clocks[header->n_clocks - 1]->boot_ns,
			  sum.seen);
}

static void take_time(struct vitals *v, const struct frame *frame, const Hinomi__Event *event)
{
	v->beat_ns = event->time_ns;
	v->real_ns = frame_real_ns(frame, event->time_ns);
	if (frame->header->boot_id.len == 16)
		memcpy(v->boot_id, frame->header->boot_id.data, 16);
}

/* Outlives the frame that it came in; NULL when there is no memory. */
static void *copy(const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(size + 1);
	void *made = NULL;

	if (bytes) {
		protobuf_c_message_pack(message, bytes);
		made = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
	}
	free(bytes);
	return made;
}

static void take_beat(struct vitals *v, const Hinomi__Event *event)
{
	const Hinomi__Heartbeat *beat = event->heartbeat;

	if (v->beat && v->beat->start_ns != beat->start_ns)
		forget_process(v);
	forget_beat(v);
	v->beat = copy(&beat->base);
	trend_add(&v->cpu, event->time_ns, beat->cpu_ns + beat->helpers_cpu_ns);
	trend_add(&v->wakeups, event->time_ns, beat->wakeups);
}

static void take_event(struct vitals *v, const struct frame *frame, const Hinomi__Event *event)
{
	switch (event->body_case) {
	case HINOMI__EVENT__BODY_SENSOR_START:
		forget_process(v);
		v->start = copy(&event->sensor_start->base);
		break;
	case HINOMI__EVENT__BODY_HEARTBEAT:
		take_beat(v, event);
		break;
	case HINOMI__EVENT__BODY_SENSOR_STOP:
		v->stopped = true;
		break;
	default:
		return;
	}
	take_time(v, frame, event);
}

static int take_frame(struct vitals *v, enum lane lane, const void *bytes, size_t size)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	int err = frame_read(bytes, size, &frame);

	if (err)
		return err;
	take_ledger(v, lane, frame->header);
	if (lane != LANE_KEEP)
		return 0;
	err = frame_open_payload(frame);
	for (size_t i = 0; !err && i < frame->payload->n_events; i++)
		if (frame->payload->events[i]->cpu == CPU_SENSOR)
			take_event(v, frame, frame->payload->events[i]);
	return err;
}

static int read_from(struct vitals *v, const char *dir, enum lane lane, struct spool_position from)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	const void *bytes;
	size_t size;
	int n = spool_reader_open(dir, lane, from, &reader);

	if (n)
		return n;
	while ((n = spool_read(reader, &bytes, &size)) == 1 || n == -EBADMSG)
		if (n == 1 && take_frame(v, lane, bytes, size) == -ENOMEM)
			return -ENOMEM; /* what else is wrong with a frame, verify says */
	return n;
}

/* From the newest segment, or from older ones when it does not say everything. */
static int read_lane(struct vitals *v, const char *dir, enum lane lane)
{
	struct spool_position from;
	int err = spool_last_segment(dir, lane, &from);

	if (err || !from.segment)
		return err;
	for (int back = 0; back < SEGMENTS_BACK; back++) {
		err = read_from(v, dir, lane, from);
		if (err || from.segment == 1 || (v->whole[lane] && (lane != LANE_KEEP || v->beat)))
			return err;
		from.segment--;
	}
	return 0;
}

int vitals_read(const char *dir, struct vitals **ret)
{
	CLEANUP(vitals_free) struct vitals *vitals = calloc(1, sizeof(*vitals));
	int err = vitals ? 0 : -ENOMEM;

	for (int lane = 0; lane < LANES && !err; lane++)
		err = read_lane(vitals, dir, (enum lane)lane);
	if (!err)
		*ret = TAKE(vitals);
	return err;
}

void vitals_free(struct vitals *vitals)
{
	if (!vitals)
		return;
	forget_process(vitals);
	for (int lane = 0; lane < LANES; lane++)
		rows_done(&vitals->rows[lane]);
	free(vitals);
}
