/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames as they are, to a hinomi collector.  Its receipt is the acknowledgement:
 * the cursor moves to the frame whose number and hash it names, and no further.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "forward/receipt.h"
#include "forward/worker.h"

#define FRAMES_MAX 1024 /* of a request */
#define RECEIPTS   8192 /* in a file of them; two files are kept: 8 MiB */

/* One frame of the request being made. */
struct sent {
	struct cursor after;
	uint32_t events;
};

struct native {
	char url[512], position_url[640];
	uint8_t *body;
	size_t size, capacity;
	struct sent frames[FRAMES_MAX];
	size_t count;
	uint64_t missing_from; /* frames before the first are gone from here on; 0: none are */
	struct source_frame waiting; /* does not go with those that are in */
	bool is_waiting;
	bool seek; /* the collector may have more than the cursor knows: ask it */
	size_t size_max;
	struct receipt_keeper keeper;
	unsigned holes; /* answers of that kind in a row: nothing was taken between them */
	bool set_back;	/* the collector has less than it has signed for, and this was said */
};

static int native_open(struct worker *worker)
{
	const struct config_sink *sink = worker->sink->config;
	struct native *native = calloc(1, sizeof(*native));
	char name[128];

	if (!native)
		return -ENOMEM;
	worker->carried = native;
	native->keeper.pin = &worker->sink->pin;
	native->keeper.file.fd = -1;
	native->size_max = sink->batch_bytes;
	native->seek = !worker->cursor.frame;
	if (snprintf(native->url, sizeof(native->url), "%s/v1/frames", sink->url) >=
	    (int)sizeof(native->url))
		return -ENAMETOOLONG;
	snprintf(name, sizeof(name), "%s.%s.receipts", sink->name, worker_lane(worker));
	return sealed_file_open(worker->forward->state_dir, name, RECEIPTS, &native->keeper.file);
}

static void native_close(struct worker *worker)
{
	struct native *native = worker->carried;

	sealed_file_close(&native->keeper.file);
	free(native->body);
	free(native);
}

static int reserve(struct native *native, size_t size)
{
	size_t wanted = native->capacity ? native->capacity : 65536;
	uint8_t *larger;

	while (wanted < size)
		wanted *= 2;
	if (wanted == native->capacity)
		return 0;
	larger = realloc(native->body, wanted);
	if (!larger)
		return -ENOMEM;
	native->body = larger;
	native->capacity = wanted;
	return 0;
}

static int add(struct native *native, const struct source_frame *frame)
{
	struct sent *sent = &native->frames[native->count];
	int err = reserve(native, native->size + 4 + frame->size);

	if (err)
		return err;
	for (int i = 0; i < 4; i++)
		native->body[native->size++] = (uint8_t)(frame->size >> (8 * i));
	memcpy(native->body + native->size, frame->bytes, frame->size);
	native->size += frame->size;
	sent->after = source_frame_end(frame);
	sent->events = frame->frame->header->events;
	native->count++;
	return 0;
}

/* Frames of one request are of one chain, without a hole between them. */
static bool goes_with(const struct native *native, const struct source_frame *frame)
{
	const struct sent *last;

	if (!native->count)
		return true;
	last = &native->frames[native->count - 1];
	return native->count < FRAMES_MAX && native->size + 4 + frame->size <= native->size_max &&
	       !frame->missing_from &&
	       !memcmp(last->after.sensor_id, frame->frame->header->sensor_id.data, 16);
}

/* What an answer to a request of ours says; -EBADMSG. */
static int read_receipt(struct worker *worker, const struct http_answer *http,
			const uint8_t sensor_id[16], struct receipt *ret)
{
	struct native *native = worker->carried;
	int err = receipt_read(http, sensor_id, worker->lane, &native->keeper, ret);

	if (err || !ret->known)
		return err;
	if (ret->behind && !native->set_back)
		log_error("sink %s: its collector has signed for the %s lane up to frame %" PRIu64
			  ", and now has fewer: it was set back, or has lost its store; both "
			  "receipts are kept in %s, and what is left here is brought again",
			  worker->sink->config->name, worker_lane(worker), ret->behind,
			  native->keeper.file.name);
	native->set_back = ret->behind;
	return 0;
}

static int ask_position(struct worker *worker, const uint8_t sensor_id[16], struct receipt *ret)
{
	struct native *native = worker->carried;
	struct http_request request = {.url = native->position_url};
	const struct http_answer *http;
	char id[33];

	for (size_t i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", sensor_id[i]);
	snprintf(native->position_url, sizeof(native->position_url),
		 "%s/v1/position?sensor=%s&lane=%s", worker->sink->config->url, id,
		 worker_lane(worker));
	http = http_perform(worker->http, &request);
	if (!http->status || (http->status != 200 && http->status != 404))
		return -EAGAIN; /* sending will say what is wrong */
	return read_receipt(worker, http, sensor_id, ret);
}

/* Passes over frames that the collector has, if it has the same: the cursor was lost, or is older.
 */
static int seek(struct worker *worker, struct source_frame *frame)
{
	struct native *native = worker->carried;
	struct receipt receipt;
	struct cursor start = {0};
	int n = 1;

	native->seek = false;
	memcpy(start.sensor_id, frame->frame->header->sensor_id.data, sizeof(start.sensor_id));
	if (ask_position(worker, start.sensor_id, &receipt) || !receipt.known || !receipt.number)
		return 1;
	start = worker->cursor;
	while (n == 1 && frame->frame->header->number < receipt.number)
		n = worker_next(worker, frame);
	if (n == 1 && frame->frame->header->number == receipt.number &&
	    !memcmp(frame->frame->hash, receipt.hash, 32)) {
		struct cursor after = source_frame_end(frame);

		worker_acknowledge(worker, &after, 0, 0);
		return worker_next(worker, frame);
	}
	/* it is behind what is left here, ahead of it, or has another frame there: it will say
	 * which */
	source_rewind(worker->source, &start);
	return worker_next(worker, frame);
}

static int native_fill(struct worker *worker)
{
	struct native *native = worker->carried;
	struct source_frame *frame = &native->waiting;
	int n = 1, err;

	native->size = native->count = 0;
	native->missing_from = 0;
	while (n == 1) {
		n = native->is_waiting ? 1 : worker_next(worker, frame);
		if (n == 1 && native->seek)
			n = seek(worker, frame);
		if (n != 1)
			break;
		native->is_waiting = !goes_with(native, frame);
		if (native->is_waiting)
			break;
		if (!native->count)
			native->missing_from = frame->missing_from;
		err = add(native, frame);
		if (err) {
			native->is_waiting = true;
			return native->count ? 1 : err;
		}
	}
	return native->count ? 1 : n;
}

/* What comes next is what stands behind the cursor, or behind an earlier frame of its chain. */
static void go_back(struct worker *worker, const struct cursor *to)
{
	struct native *native = worker->carried;

	native->is_waiting = false;
	native->count = 0;
	source_rewind(worker->source, to);
}

/* The cursor moves to the frame that the receipt names.  How many frames that settles. */
static size_t apply(struct worker *worker, const struct receipt *receipt)
{
	struct native *native = worker->carried;
	uint64_t events = 0;

	for (size_t i = 0; receipt->known && i < native->count; i++) {
		const struct sent *sent = &native->frames[i];

		events += sent->events;
		if (sent->after.frame == receipt->number &&
		    !memcmp(sent->after.hash, receipt->hash, sizeof(receipt->hash))) {
			worker_acknowledge(worker, &sent->after, events, i + 1);
			return i + 1;
		}
	}
	return 0;
}

/* Frames between what it has and what we sent are wanted. */
static int on_hole(struct worker *worker, const struct receipt *receipt)
{
	struct native *native = worker->carried;
	struct cursor back = {.frame = receipt->number};
	int err = 0;

	if (native->missing_from && receipt->number + 1 == native->missing_from)
		return worker_failed(worker, HEALTH_BROKEN,
				     "it does not take the declaration that frames are gone", 0);
	if (receipt->number >= native->frames[0].after.frame)
		return worker_failed(worker, HEALTH_BROKEN, "it misses frames that it says it has",
				     0);
	memcpy(back.sensor_id, native->frames[0].after.sensor_id, sizeof(back.sensor_id));
	if (native->holes++) /* once is how it says what it has */
		err = worker_failed(worker, HEALTH_BROKEN,
				    "it asks for the same frames again and takes none", 0);
	/* from the oldest on; what is gone is declared with what follows it */
	go_back(worker, &back);
	return err;
}

/* None of the frames was taken.  0: what comes next was changed, or the wait is over. */
static int on_problem(struct worker *worker, const struct http_answer *http,
		      const struct receipt *receipt)
{
	struct native *native = worker->carried;
	char text[512];

	if (http->status == 200)
		return worker_failed(worker, HEALTH_BROKEN,
				     "its receipt is for none of the frames that it was sent", 0);
	if (receipt->problem == HINOMI__PROBLEM__PROBLEM_HOLE && receipt->known)
		return on_hole(worker, receipt);
	if (http->status == 413 && native->count > 1) {
		native->size_max = native->size / 2;
		go_back(worker, &worker->cursor);
		return 0;
	}
	if (http->status == 429 || http->status >= 502 || http->status < 400)
		return worker_failed(worker, HEALTH_BUSY, receipt->text, http->retry_after_ns);
	snprintf(text, sizeof(text),
		 "%s; the frames stay in the spool and are offered again every 1 to 60 s",
		 receipt->text);
	return worker_failed(worker, HEALTH_REFUSED, text, http->retry_after_ns);
}

/* 0: native->count is how many frames are still to be sent, the same way; -ECANCELED. */
static int send_frames(struct worker *worker)
{
	struct native *native = worker->carried;
	struct http_request request = {.url = native->url,
				       .type = "application/vnd.hinomi.frames",
				       .body = native->body,
				       .size = native->size};
	const struct http_answer *http;
	struct receipt receipt;
	char header[96];
	size_t settled;

	snprintf(header, sizeof(header), "Hinomi-Missing: %" PRIu64 "-%" PRIu64,
		 native->missing_from, native->frames[0].after.frame - 1);
	request.header = native->missing_from ? header : NULL;
	http = http_perform(worker->http, &request);
	if (!http->status)
		return worker_failed(worker, HEALTH_UNREACHABLE, http->error, 0);
	if (read_receipt(worker, http, native->frames[0].after.sensor_id, &receipt))
		return worker_failed(worker,
				     http->status == 429 || http->status >= 502 ? HEALTH_BUSY
										: HEALTH_BROKEN,
				     receipt.text, http->retry_after_ns);
	settled = apply(worker, &receipt);
	if (!settled)
		return on_problem(worker, http, &receipt);
	worker_succeeded(worker);
	native->holes = 0;
	if (settled < native->count)
		go_back(worker,
			&worker->cursor); /* what is behind it is sent again, and told why not */
	native->count = 0;
	return 0;
}

static int native_deliver(struct worker *worker)
{
	struct native *native = worker->carried;
	int err = 0;

	while (!err && native->count) {
		if (stop_asked(&worker->forward->stop))
			return -ECANCELED;
		err = send_frames(worker);
	}
	return err;
}

const struct carrier carrier_collector = {"collector", native_open, native_close, native_fill,
					  native_deliver};
