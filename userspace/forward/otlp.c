/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as OTLP log records over HTTP.  A request that was refused is never sent
 * again: halves of it are new requests, a single record goes to the dead letters.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "forward/answer.h"
#include "forward/batch.h"
#include "forward/record.h"
#include "forward/worker.h"

#define GROW_AFTER 16 /* requests of a reduced size that must go well before it is doubled */
#define REFUSED_IN_A_ROW                                                        \
	8 /* single records refused without one accepted: it is not the records \
	   */

struct otlp {
	struct recorder *recorder;
	struct batch *batch;
	/* the frame being taken apart, when it did not fit into one batch */
	struct source_frame frame;
	bool frame_open;
	uint32_t next_event;
	struct cursor taken; /* behind the last event in the batch */
	/* how many records a request may have: smaller after a 400 or 413 */
	size_t window;
	unsigned went_well;
	unsigned refused; /* single records in a row */
	bool probing;	  /* with one record, since the sink refused everything */
};

static int otlp_open(struct worker *worker)
{
	const struct config_sink *sink = worker->sink->config;
	const struct config *config = worker->forward->config;
	struct batch_options options = {.events_max = sink->batch_events,
					.bytes_max = sink->batch_bytes,
					.gzip = sink->gzip,
					.labels = config->labels,
					.nlabels = config->nlabels};
	struct otlp *otlp = calloc(1, sizeof(*otlp));
	int err;

	if (!otlp)
		return -ENOMEM;
	worker->carried = otlp;
	otlp->window = sink->batch_events;
	otlp->taken = worker->cursor;
	err = recorder_new(sink->event_name_attribute, &otlp->recorder);
	return err ? err : batch_new(&options, &otlp->batch);
}

static void otlp_close(struct worker *worker)
{
	struct otlp *otlp = worker->carried;

	recorder_free(otlp->recorder);
	batch_free(otlp->batch);
	free(otlp);
}

/* The frame is done with. */
static void finish_frame(struct otlp *otlp)
{
	otlp->taken = source_frame_end(&otlp->frame);
	otlp->frame_open = false;
}

static void begin_frame(struct otlp *otlp)
{
	const Hinomi__FrameHeader *header = otlp->frame.frame->header;
	struct cursor *taken = &otlp->taken;

	otlp->frame_open = true;
	otlp->next_event = otlp->frame.skip;
	memcpy(taken->sensor_id, header->sensor_id.data, sizeof(taken->sensor_id));
	taken->frame = header->number - 1;
	memset(taken->hash, 0, sizeof(taken->hash));
	if (header->previous.len == sizeof(taken->hash))
		memcpy(taken->hash, header->previous.data, sizeof(taken->hash));
	taken->events = otlp->frame.skip;
	taken->at = otlp->frame.at;
}

/* 1: a frame is open; 0, -errno as source_next. */
static int open_frame(struct worker *worker)
{
	struct otlp *otlp = worker->carried;

	while (!otlp->frame_open) {
		int n = worker_next(worker, &otlp->frame), err;

		if (n != 1)
			return n;
		err = frame_open_payload(otlp->frame.frame);
		if (err == -ENOMEM) {
			source_rewind(worker->source, &otlp->taken);
			return err;
		}
		begin_frame(otlp);
		if (err) {
			health_loss(&worker->sink->health, COUNT_DAMAGED, 1,
				    "frames have a payload that cannot be read and were passed "
				    "over; `hinomi verify --spool` says which");
			finish_frame(otlp);
		}
	}
	return 1;
}

/* Events of the open frame: 0: all are in; -E2BIG: the batch is full; -ENOMEM. */
static int take_events(struct otlp *otlp)
{
	struct frame *frame = otlp->frame.frame;
	const Hinomi__Payload *payload = frame->payload;

	if (!batch_fits(otlp->batch, frame))
		return -E2BIG;
	while (otlp->next_event < payload->n_events) {
		const Hinomi__Event *event = payload->events[otlp->next_event];
		size_t size = 0;
		const uint8_t *record = record_of(otlp->recorder, frame, event, &size);
		struct cursor after = otlp->taken;
		int err = record ? 0 : -ENOMEM;

		after.events = otlp->next_event + 1;
		if (after.events == payload->n_events)
			after = source_frame_end(&otlp->frame);
		if (!err)
			err = batch_add(otlp->batch, frame, record, size, &after);
		if (err)
			return err;
		otlp->next_event++;
	}
	finish_frame(otlp);
	return 0;
}

static int otlp_fill(struct worker *worker)
{
	struct otlp *otlp = worker->carried;
	int n = 1, err = 0;

	batch_clear(otlp->batch);
	while (!err && !batch_is_full(otlp->batch)) {
		n = open_frame(worker);
		if (n != 1)
			break;
		err = take_events(otlp);
	}
	if (batch_count(otlp->batch))
		return 1; /* trouble comes back with the next call */
	return err == -E2BIG ? 0 : err ? err : n == 1 ? 0 : n;
}

static void acknowledge(struct worker *worker, size_t first, size_t count)
{
	struct otlp *otlp = worker->carried;
	uint64_t frames = 0;

	for (size_t i = first; i < first + count; i++)
		frames += !batch_after(otlp->batch, i)->events;
	worker_acknowledge(worker, batch_after(otlp->batch, first + count - 1), count, frames);
}

/* Records that nobody will be asked to take again. */
static void bury(struct worker *worker, size_t first, size_t count, long status, const char *text)
{
	struct otlp *otlp = worker->carried;
	struct sink *sink = worker->sink;
	char name[128], said[512];
	int err = 0;

	pthread_mutex_lock(&sink->dead_lock);
	for (size_t i = first; i < first + count; i++) {
		size_t size;
		const uint8_t *record = batch_record(otlp->batch, i, &size);
		int failed = dead_add(&sink->dead, record, size, status, text);

		err = err ? err : failed;
	}
	if (!err)
		err = dead_sync(&sink->dead);
	dead_name(&sink->dead, name, sizeof(name));
	pthread_mutex_unlock(&sink->dead_lock);
	if (err)
		snprintf(said, sizeof(said),
			 "events refused for good (%s); %s cannot be written: %s", text, name,
			 strerror(-err));
	else
		snprintf(said, sizeof(said),
			 "events refused for good (%s); they are kept in %s and not sent again",
			 text, name);
	health_loss(&sink->health, COUNT_DEAD, count, said);
	worker->short_of = true;
	worker_acknowledge(worker, batch_after(otlp->batch, first + count - 1), 0, 0);
}

static void accepted(struct worker *worker, size_t first, size_t count, const struct answer *answer)
{
	struct otlp *otlp = worker->carried;
	char said[512];

	if (answer->rejected || answer->warning) {
		snprintf(said, sizeof(said),
			 "events dropped by the back end itself, which says: %s", answer->text);
		health_loss(&worker->sink->health, COUNT_REJECTED,
			    answer->rejected < count ? answer->rejected : count, said);
		worker->short_of |= answer->rejected > 0;
	}
	acknowledge(worker, first, count);
	worker_succeeded(worker);
	otlp->refused = 0;
	if (otlp->probing) {
		otlp->probing = false;
		otlp->window = worker->sink->config->batch_events;
	} else if (++otlp->went_well >= GROW_AFTER &&
		   otlp->window < worker->sink->config->batch_events) {
		otlp->window *= 2;
		otlp->went_well = 0;
	}
}

/* The sink as a whole says no: the next request has one record, and waits for its turn. */
static int refused(struct worker *worker, size_t first, size_t count, long status,
		   const struct answer *answer)
{
	struct otlp *otlp = worker->carried;
	char said[512];

	bury(worker, first, count, status, answer->text);
	otlp->window = 1;
	otlp->probing = true;
	snprintf(said, sizeof(said),
		 "%s; check url and credentials. Until it accepts again, one event is offered "
		 "every 1 to 60 s, the others stay in the spool",
		 answer->text);
	if (worker->forward->once)
		worker->attempt = UINT16_MAX; /* it has said no: not asked again */
	return worker_failed(worker, HEALTH_REFUSED, said, 0);
}

/* 400 or 413. */
static int split(struct worker *worker, size_t first, size_t count, long status,
		 const struct answer *answer, size_t *settled)
{
	struct otlp *otlp = worker->carried;

	otlp->went_well = 0;
	*settled = 0;
	if (count > 1) {
		otlp->window = (count + 1) / 2;
		return 0;
	}
	*settled = 1;
	if (++otlp->refused >= REFUSED_IN_A_ROW)
		return refused(worker, first, 1, status, answer);
	bury(worker, first, 1, status, answer->text);
	otlp->window = worker->sink->config->batch_events; /* that was the one */
	return 0;
}

static int send_run(struct worker *worker, size_t first, size_t count, size_t *settled)
{
	struct otlp *otlp = worker->carried;
	const struct config_sink *sink = worker->sink->config;
	struct http_request request = {
		.url = sink->url, .type = "application/x-protobuf", .gzip = sink->gzip};
	const struct http_answer *http;
	struct answer answer;
	const uint8_t *body;
	int err = batch_request(otlp->batch, first, count, &body, &request.size);

	*settled = 0;
	if (err)
		return worker_failed(worker, HEALTH_UNREACHABLE, strerror(-err), 0);
	request.body = body;
	http = http_perform(worker->http, &request);
	answer_read(http, &answer);
	switch (answer.verdict) {
	case VERDICT_ACCEPTED:
		accepted(worker, first, count, &answer);
		*settled = count;
		return 0;
	case VERDICT_SPLIT:
		return split(worker, first, count, http->status, &answer, settled);
	case VERDICT_REFUSED:
		*settled = count;
		return refused(worker, first, count, http->status, &answer);
	default:
		return worker_failed(worker,
				     answer.broken  ? HEALTH_BROKEN
				     : http->status ? HEALTH_BUSY
						    : HEALTH_UNREACHABLE,
				     answer.text, http->retry_after_ns);
	}
}

static int otlp_deliver(struct worker *worker)
{
	struct otlp *otlp = worker->carried;
	size_t all = batch_count(otlp->batch), done = 0, settled, count;
	int err = 0;

	while (!err && done < all) {
		if (stop_asked(&worker->forward->stop))
			return -ECANCELED;
		count = all - done < otlp->window ? all - done : otlp->window;
		err = send_run(worker, done, count, &settled);
		done += settled;
	}
	return err;
}

const struct carrier carrier_otlp = {"otlp", otlp_open, otlp_close, otlp_fill, otlp_deliver};
