// SPDX-License-Identifier: Apache-2.0
/* Reads the whole spool into memory: every frame of both lanes, every event by time. */
#include <errno.h>
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "event/event.h"
#include "frame/frame.h"
#include "render/render.h"
#include "spool/spool.h"

static int frames_add(struct story *story, struct frame *frame)
{
	size_t n = story->nframes;

	if (!(n & (n - 1))) {
		void *grown = realloc(story->frames, (n ? 2 * n : 1) * sizeof(frame));

		if (!grown)
			return -ENOMEM;
		story->frames = grown;
	}
	story->frames[story->nframes++] = frame;
	return 0;
}

static int events_add(struct story *story, struct frame *frame)
{
	Hinomi__Payload *payload = frame->payload;
	size_t n = story->nevents + payload->n_events;
	struct seen *grown = realloc(story->events, (n ? n : 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	story->events = grown;
	for (size_t i = 0; i < payload->n_events; i++) {
		const Hinomi__Event *event = payload->events[i];

		story->events[story->nevents++] = (struct seen){
			.event = event,
			.process = payload_process(payload, event),
			.frame = frame,
			.kind = (unsigned)event->body_case,
		};
	}
	return 0;
}

static int frame_take(struct story *story, const void *data, size_t size)
{
	struct frame *frame;
	int r = frame_read(data, size, &frame);

	if (r)
		return r;
	r = frame_open_payload(frame);
	if (!r)
		r = frames_add(story, frame);
	return r ? r : events_add(story, frame);
}

static int lane_read(const char *spool, enum lane lane, struct story *story)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	const void *data;
	size_t size;
	int r = spool_reader_open(spool, lane, (struct spool_position){0}, &reader);

	if (r)
		return r;
	while ((r = spool_read(reader, &data, &size)) == 1) {
		r = frame_take(story, data, size);
		if (r) {
			fprintf(stderr, "e2e: a frame of lane %d: error %d\n", lane, r);
			return r;
		}
	}
	return r;
}

static int by_time(const void *a, const void *b)
{
	const Hinomi__Event *x = ((const struct seen *)a)->event;
	const Hinomi__Event *y = ((const struct seen *)b)->event;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

int story_read(const char *spool, struct story *story)
{
	for (enum lane lane = 0; lane < LANES; lane++) {
		int r = lane_read(spool, lane, story);

		if (r)
			return r;
	}
	if (story->nevents)
		qsort(story->events, story->nevents, sizeof(*story->events), by_time);
	return 0;
}

uint64_t story_told(const struct story *story, unsigned kind, int cause)
{
	uint64_t told = 0;

	for (size_t i = 0; i < story->nevents; i++) {
		const Hinomi__Gap *gap = story->events[i].event->gap;

		if (story->events[i].kind != KIND_gap || (cause >= 0 && (int)gap->cause != cause))
			continue;
		for (size_t k = 0; k < gap->n_lost; k++)
			if (!strcmp(gap->lost[k]->class_, kind_name(kind)))
				told += gap->lost[k]->count;
	}
	return told;
}

const struct seen *story_first(const struct story *story, unsigned kind)
{
	for (size_t i = 0; i < story->nevents; i++)
		if (story->events[i].kind == kind)
			return &story->events[i];
	return NULL;
}
