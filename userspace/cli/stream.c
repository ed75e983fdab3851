/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "frame/frame.h"

#define SLOTS	      2 /* frames of a lane that are merged: neighbours overlap a little in time */
#define PATIENCE_NS   (200 * NS_PER_MS)
#define LOOK_AGAIN_NS (5 * NS_PER_MS) /* into a lane that had no more */

static const char *const lane_names[LANES] = {"keep", "bulk"};

struct slot {
	struct frame *frame;
	const Hinomi__Event **events; /* in the order of time */
	size_t count, next;
	uint64_t read_ns;
};

struct lane_stream {
	struct spool_reader *reader; /* NULL: nobody asked for this lane */
	struct slot slots[SLOTS];
	size_t used;
	uint64_t dry_ns; /* when it last had no more */
};

struct stream {
	struct lane_stream lanes[LANES];
	int watch;
	void (*seen)(void *ctx, const struct frame *frame);
	void *ctx;
	uint64_t damaged;
};

static void slot_done(struct slot *slot)
{
	free(slot->events);
	frame_free(slot->frame);
	*slot = (struct slot){0};
}

static int compare_events(const void *a, const void *b)
{
	const Hinomi__Event *x = *(const Hinomi__Event *const *)a;
	const Hinomi__Event *y = *(const Hinomi__Event *const *)b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int slot_fill(struct slot *slot, struct frame *frame)
{
	size_t count = frame->payload->n_events;

	slot->events = calloc(count, sizeof(*slot->events));
	if (!slot->events)
		return -ENOMEM;
	memcpy(slot->events, frame->payload->events, count * sizeof(*slot->events));
	qsort(slot->events, count, sizeof(*slot->events), compare_events);
	slot->frame = frame;
	slot->count = count;
	slot->read_ns = clock_boot_ns();
	return 0;
}

int stream_open(const char *dir, const struct stream_position *from, struct stream **ret)
{
	CLEANUP(stream_free) struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	stream->watch = -1;
	for (int lane = 0; lane < LANES; lane++) {
		int err = spool_reader_open(dir, (enum lane)lane, from->lanes[lane],
					    &stream->lanes[lane].reader);

		if (err)
			return err;
	}
	stream->watch = spool_watch_open(dir); /* without it: by looking */
	*ret = TAKE(stream);
	return 0;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->watch >= 0)
		close(stream->watch);
	for (int lane = 0; lane < LANES; lane++) {
		spool_reader_free(stream->lanes[lane].reader);
		for (size_t i = 0; i < SLOTS; i++)
			slot_done(&stream->lanes[lane].slots[i]);
	}
	free(stream);
}

void stream_only(struct stream *stream, enum lane lane)
{
	struct lane_stream *other = &stream->lanes[!lane];

	spool_reader_free(other->reader);
	other->reader = NULL;
}

void stream_on_frame(struct stream *stream, void (*seen)(void *ctx, const struct frame *frame),
		     void *ctx)
{
	stream->seen = seen;
	stream->ctx = ctx;
}

void stream_wait(struct stream *stream, int timeout_ms)
{
	struct pollfd watch = {.fd = stream->watch, .events = POLLIN};

	if (poll(&watch, 1, timeout_ms) <= 0)
		return;
	spool_watch_clear(stream->watch);
	for (int lane = 0; lane < LANES; lane++)
		stream->lanes[lane].dry_ns = 0;
}

uint64_t stream_damaged(const struct stream *stream)
{
	return stream->damaged;
}

static void log_damage(struct stream *stream, int lane)
{
	struct spool_damage damage = spool_reader_damage(stream->lanes[lane].reader);

	if (damage.evicted)
		return; /* and declared by an event */
	stream->damaged++;
	if (damage.segments) {
		log_warning("%s lane: %" PRIu64 " segments from %" PRIu64
			    " on are gone; hinomi verify says what is missing",
			    lane_names[lane], damage.segments, damage.at.segment);
		return;
	}
	log_warning("%s lane: segment %" PRIu64 " is damaged at byte %" PRIu64 ", skipping %" PRIu64
		    " bytes; hinomi verify says what is missing",
		    lane_names[lane], damage.at.segment, damage.at.offset, damage.bytes);
}

static int open_frame(const void *bytes, size_t size, struct frame **ret)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	int err = frame_read(bytes, size, &frame);

	if (!err)
		err = frame_open_payload(frame);
	if (err)
		return err;
	*ret = TAKE(frame);
	return 0;
}

/* One frame with events into the slot.  1; 0: no more for now; -errno. */
static int lane_read(struct stream *stream, int lane, struct slot *slot)
{
	struct spool_reader *reader = stream->lanes[lane].reader;

	for (;;) {
		CLEANUP(frame_free) struct frame *frame = NULL;
		const void *bytes;
		size_t size;
		int got = spool_read(reader, &bytes, &size);

		if (got == -EBADMSG)
			log_damage(stream, lane);
		if (got == -EBADMSG)
			continue;
		if (got <= 0)
			return got;
		got = open_frame(bytes, size, &frame);
		if (got == -ENOMEM)
			return got;
		if (got) {
			stream->damaged++;
			log_warning("%s lane: the frame at segment %" PRIu64 ", byte %" PRIu64
				    " makes no sense (%s), skipping it",
				    lane_names[lane], spool_reader_at(reader).segment,
				    spool_reader_at(reader).offset, strerror(-got));
			continue;
		}
		if (stream->seen)
			stream->seen(stream->ctx, frame);
		if (!frame->payload->n_events)
			continue;
		got = slot_fill(slot, frame);
		if (got)
			return got;
		frame = NULL;
		return 1;
	}
}

/* Forgets frames that are used up and reads on. */
static int lane_fill(struct stream *stream, int lane)
{
	struct lane_stream *in = &stream->lanes[lane];
	size_t kept = 0;

	for (size_t i = 0; i < in->used; i++) {
		if (in->slots[i].next == in->slots[i].count) {
			slot_done(&in->slots[i]);
		} else if (kept++ != i) {
			in->slots[kept - 1] = in->slots[i];
			in->slots[i] = (struct slot){0};
		}
	}
	for (in->used = kept; in->used < SLOTS; in->used++) {
		int got = lane_read(stream, lane, &in->slots[in->used]);

		if (got < 0)
			return got;
		if (!got) {
			in->dry_ns = clock_boot_ns();
			return 0;
		}
	}
	return 0;
}

static bool is_fill_due(const struct lane_stream *in)
{
	if (!in->reader)
		return false;
	for (size_t i = 0; i < in->used; i++)
		if (in->slots[i].next == in->slots[i].count)
			return true;
	return in->used < SLOTS && clock_boot_ns() >= in->dry_ns + LOOK_AGAIN_NS;
}

/* In one boot the events' own clock decides, between boots the wall clock. */
static bool is_earlier(const struct slot *a, const struct slot *b)
{
	const Hinomi__Event *x = a->events[a->next], *y = b->events[b->next];
	const ProtobufCBinaryData *boot = &a->frame->header->boot_id;
	const ProtobufCBinaryData *other = &b->frame->header->boot_id;

	if (boot->len == other->len && !memcmp(boot->data, other->data, boot->len))
		return compare_events(&x, &y) < 0;
	return frame_real_ns(a->frame, x->time_ns) < frame_real_ns(b->frame, y->time_ns);
}

static struct slot *earliest(struct stream *stream)
{
	struct slot *best = NULL;

	for (int lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < stream->lanes[lane].used; i++) {
			struct slot *slot = &stream->lanes[lane].slots[i];

			if (!best || is_earlier(slot, best))
				best = slot;
		}
	return best;
}

static bool is_lane_dry(const struct stream *stream)
{
	for (int lane = 0; lane < LANES; lane++)
		if (stream->lanes[lane].reader && !stream->lanes[lane].used)
			return true;
	return false;
}

int stream_next(struct stream *stream, bool patient, const struct frame **frame,
		const Hinomi__Event **event)
{
	struct slot *slot;

	for (int lane = 0; lane < LANES; lane++) {
		int err = is_fill_due(&stream->lanes[lane]) ? lane_fill(stream, lane) : 0;

		if (err)
			return err;
	}
	slot = earliest(stream);
	if (!slot ||
	    (patient && is_lane_dry(stream) && clock_boot_ns() < slot->read_ns + PATIENCE_NS))
		return 0;
	*frame = slot->frame;
	*event = slot->events[slot->next++];
	return 1;
}

static int lane_end(const char *dir, enum lane lane, struct spool_position *ret)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	struct spool_position last = {0};
	const void *bytes;
	size_t size;
	int err = spool_last_segment(dir, lane, &last);

	if (err)
		return err;
	err = spool_reader_open(dir, lane, last, &reader);
	if (err)
		return err;
	spool_reader_all(reader);
	do
		err = spool_read(reader, &bytes, &size);
	while (err == 1 || err == -EBADMSG);
	*ret = spool_reader_next(reader);
	return err;
}

int stream_end(const char *dir, struct stream_position *ret)
{
	*ret = (struct stream_position){0};
	for (int lane = 0; lane < LANES; lane++) {
		int err = lane_end(dir, (enum lane)lane, &ret->lanes[lane]);

		if (err)
			return err;
	}
	return 0;
}
