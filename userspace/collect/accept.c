/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/accept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "collect/body.h"
#include "collect/finding.h"
#include "collect/silence.h"
#include "collect/store.h"
#include "frame/frame.h"
#include "render/render.h"

/* What one request has brought of one chain so far. */
struct touched {
	uint8_t sensor_id[16];
	enum lane lane;
	uint64_t before;      /* end of the chain when the request came */
	struct chain brought; /* the last frame that was taken or known; number 0: none */
	bool doubtful; /* brought is older than the end of the chain, and was not compared yet */
	const char *wrong; /* with it, should it differ */
};

/* Why a frame that is not the next one is taken. */
struct jump {
	const char *kind, *text; /* of the finding */
};

struct work {
	const struct accept_options *options;
	const struct accept_missing *missing;
	struct accept_result *result;
	struct touched touched[ACCEPT_CHAINS_MAX];
	size_t ntouched;
	struct touched *now; /* of the frame at hand */
	struct sensor *sensor;
	const struct frame *frame;
	const uint8_t *bytes;
	size_t size;
};

/* Ends the request at the frame at hand; what was taken before it stays. */
static __attribute__((format(printf, 3, 4))) int problem(struct work *work, Hinomi__Problem what,
							 const char *format, ...)
{
	struct accept_result *result = work->result;
	va_list args;

	va_start(args, format);
	vsnprintf(result->text, sizeof(result->text), format, args);
	va_end(args);
	result->problem = what;
	result->number = work->frame ? work->frame->header->number : 0;
	return -EPROTO;
}

static int store_problem(struct work *work, int err)
{
	return problem(work, HINOMI__PROBLEM__PROBLEM_STORE, "the store does not take it: %s",
		       strerror(-err));
}

static int add_finding(struct work *work, const char *kind, uint64_t first, uint64_t last,
		       const char *text)
{
	int err = finding_add(work->options->findings, work->now->sensor_id, (int)work->now->lane,
			      kind, first, last, text);

	return err ? store_problem(work, err) : 0;
}

static int say_signature(struct work *work, uint64_t number, const char *wrong)
{
	int err = add_finding(work, "signature", number, number, wrong);

	return err ? err
		   : problem(work, HINOMI__PROBLEM__PROBLEM_SIGNATURE, "frame %" PRIu64 ": %s",
			     number, wrong);
}

/* Why the frame at hand, wherever it belongs, is none of this sensor's; empty: it is. */
static int not_its(struct work *work, const char **ret)
{
	struct key_identity identity = work->sensor->identity;
	struct keychain keys = {0};
	enum key_verdict verdict = keychain_frame(&keys, &identity, work->frame, true);

	*ret = key_verdict_text(verdict);
	return verdict == KEY_UNCHECKED ? store_problem(work, -ENOMEM) : 0;
}

/* wrong: of not_its(), as anybody can make a frame that differs; gone: none of its number is
 * stored, since the sensor, or a copy of it, declared that it has none. */
static int say_fork(struct work *work, uint64_t number, const char *wrong, bool gone)
{
	int err;

	if (*wrong)
		return say_signature(work, number, wrong);
	err = add_finding(work, "fork", number, number,
			  gone ? "a frame that was declared gone is brought after all: a copy of "
				 "the machine, or one that was set back, speaks as this sensor"
			       : "another frame with the number of a stored one: a copy of the "
				 "machine, or one that was set back, speaks as this sensor");
	if (err)
		return err;
	return problem(work, HINOMI__PROBLEM__PROBLEM_FORK, "frame %" PRIu64 " %s", number,
		       gone ? "was declared gone before" : "is stored, and is another one");
}

/* The frame at hand is not the stored one of that number. */
static int on_other(struct work *work, uint64_t number)
{
	const char *wrong;
	int err = not_its(work, &wrong);

	return err ? err : say_fork(work, number, wrong, false);
}

/* Who signed the frame that would be the next.  The first certificate that is brought enrols the
 * sensor, unless an operator did. */
static int check_signature(struct work *work, struct chain *end, bool after_hole)
{
	struct key_identity identity = work->sensor->identity;
	bool is_new = !identity.known;
	enum key_verdict verdict = keychain_frame(&end->keys, &identity, work->frame, after_hole);
	const char *wrong = key_verdict_text(verdict);
	uint64_t number = work->frame->header->number;
	int err = 0;

	if (verdict == KEY_UNCHECKED)
		return store_problem(work, -ENOMEM);
	if (*wrong)
		return say_signature(work, number, wrong);
	if (verdict == KEY_UNSIGNED && !end->number)
		return add_finding(work, "unsigned", number, number,
				   "its frames are not signed: anyone could have written them");
	if (is_new && identity.known)
		err = store_enrol(work->options->store, work->sensor, identity.key);
	return err ? store_problem(work, err) : 0;
}

/* What it says of frames before it is believed once it is known who says so. */
static int append(struct work *work, const struct jump *jump)
{
	const struct frame *frame = work->frame;
	struct chain end = work->sensor->lanes[work->now->lane];
	int err = check_signature(work, &end, jump);

	if (!err && jump)
		err = add_finding(work, jump->kind, end.number + 1, frame->header->number - 1,
				  jump->text);
	if (err)
		return err;
	end.number = frame->header->number;
	memcpy(end.hash, frame->hash, sizeof(end.hash));
	err = store_append(work->sensor, work->now->lane, &end, work->bytes, work->size);
	if (err)
		return store_problem(work, err);
	if (work->now->lane == LANE_KEEP)
		silence_heard(work->sensor, frame, clock_boot_ns());
	return 0;
}

static bool follows(const struct frame *frame, const struct chain *before)
{
	const ProtobufCBinaryData *previous = &frame->header->previous;

	if (!before->number)
		return !previous->len;
	return previous->len == sizeof(before->hash) &&
	       !memcmp(previous->data, before->hash, sizeof(before->hash));
}

/* Frames are gone for good at the sender, and it says so; or nothing was ever heard of it. */
static int on_jump(struct work *work, const struct chain *end, uint64_t number)
{
	static const struct jump late = {"late", "the first frame ever brought is not the sensor's "
						 "first: what was before it is not here"};
	static const struct jump gap = {"gap", "frames are gone at the sensor, which declares it: "
					       "its spool was full or damaged"};
	const struct accept_missing *missing = work->missing;

	if (!end->number)
		return append(work, &late);
	if (missing->from == end->number + 1 && missing->to == number - 1)
		return append(work, &gap);
	return problem(work, HINOMI__PROBLEM__PROBLEM_HOLE, "frame %" PRIu64 " is wanted first",
		       end->number + 1);
}

static int on_next(struct work *work, const struct chain *end)
{
	if (follows(work->frame, end))
		return append(work, NULL);
	if (!end->number)
		return problem(work, HINOMI__PROBLEM__PROBLEM_CHAIN,
			       "frame 1 names a frame before it");
	return on_other(work, end->number);
}

/* Compares a known frame with the stored one of its number.  Of a row of known frames only the last
 * needs it: the hashes in the headers tie the others to it. */
static int settle(struct work *work, struct touched *touched)
{
	uint64_t number = touched->brought.number;
	struct sensor *sensor;
	uint8_t hash[32];
	int n;

	if (!touched->doubtful)
		return 0;
	work->now = touched;
	n = store_sensor(work->options->store, touched->sensor_id, false, &sensor);
	if (!n)
		n = store_find(work->options->store, sensor, touched->lane, number, hash);
	if (n < 0)
		return store_problem(work, n);
	if (n == 0 || memcmp(hash, touched->brought.hash, sizeof(hash)))
		return say_fork(work, number, touched->wrong, n == 0);
	touched->doubtful = false;
	return 0;
}

static int on_known(struct work *work, const struct chain *end)
{
	const struct frame *frame = work->frame;

	if (frame->header->number < end->number) {
		work->now->doubtful = true;
		return not_its(work, &work->now->wrong);
	}
	if (memcmp(frame->hash, end->hash, sizeof(end->hash)))
		return on_other(work, end->number);
	work->now->doubtful = false; /* what came before it is tied to it */
	return 0;
}

/* Within the request the frames of a chain must hang together, or begin anew. */
static int check_row(struct work *work)
{
	const struct chain *before = &work->now->brought;
	uint64_t number = work->frame->header->number;

	if (!before->number)
		return 0;
	if (number != before->number + 1)
		return settle(work, work->now);
	if (follows(work->frame, before))
		return 0;
	return problem(work, HINOMI__PROBLEM__PROBLEM_CHAIN,
		       "frame %" PRIu64 " does not continue the one before it", number);
}

static int judge(struct work *work)
{
	const struct frame *frame = work->frame;
	uint64_t number = frame->header->number;
	struct chain end = work->sensor->lanes[work->now->lane];
	int err = check_row(work);

	if (err)
		return err;
	if (number <= end.number)
		err = on_known(work, &end);
	else if (number == end.number + 1)
		err = on_next(work, &end);
	else
		err = on_jump(work, &end, number);
	if (err)
		return err;
	work->now->brought.number = number;
	memcpy(work->now->brought.hash, frame->hash, sizeof(frame->hash));
	return 0;
}

static struct touched *touch(struct work *work, const uint8_t id[16], enum lane lane)
{
	struct touched *touched;

	for (size_t i = 0; i < work->ntouched; i++) {
		touched = &work->touched[i];
		if (touched->lane == lane && !memcmp(touched->sensor_id, id, 16))
			return touched;
	}
	if (work->ntouched == ACCEPT_CHAINS_MAX)
		return NULL;
	touched = &work->touched[work->ntouched++];
	*touched = (struct touched){.lane = lane, .before = work->sensor->lanes[lane].number};
	memcpy(touched->sensor_id, id, 16);
	return touched;
}

/* What a receipt was given for and is not here: somebody was at the store. */
static int check_store(struct work *work)
{
	uint64_t *lost = &work->sensor->lost[work->now->lane];
	int err;

	if (!*lost)
		return 0;
	err = add_finding(work, "lost", work->sensor->lanes[work->now->lane].number + 1, *lost,
			  "a receipt was given for these frames, and they are not in the store: it "
			  "was damaged, or set back");
	if (!err)
		*lost = 0;
	return err;
}

static int take_frame(struct work *work)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	const Hinomi__FrameHeader *header;
	int err = frame_read(work->bytes, work->size, &frame);

	work->frame = NULL;
	if (err == -ENOMEM)
		return store_problem(work, err);
	if (err)
		return problem(work, HINOMI__PROBLEM__PROBLEM_MALFORMED, "no frame: %s",
			       strerror(-err));
	header = frame->header;
	work->frame = frame;
	if (header->sensor_id.len != 16 || (unsigned)header->lane >= LANES || !header->number)
		return problem(work, HINOMI__PROBLEM__PROBLEM_MALFORMED,
			       "a frame without sensor, lane or number");
	err = store_sensor(work->options->store, header->sensor_id.data, true, &work->sensor);
	if (err)
		return store_problem(work, err);
	work->now = touch(work, header->sensor_id.data, (enum lane)header->lane);
	if (!work->now)
		return problem(work, HINOMI__PROBLEM__PROBLEM_MALFORMED,
			       "more than %d chains in a request", ACCEPT_CHAINS_MAX);
	err = check_store(work);
	err = err ? err : judge(work);
	work->frame = NULL;
	return err;
}

/* Up to a frame of the chain, or to its end. */
static void add_receipt(struct accept_result *result, const struct sensor *sensor, enum lane lane,
			const struct chain *chain)
{
	struct accept_receipt *receipt = &result->receipts[result->nreceipts++];

	*receipt = (struct accept_receipt){
		.lane = (int)lane, .number = chain->number, .end = sensor->lanes[lane].number};
	memcpy(receipt->sensor_id, sensor->id, 16);
	memcpy(receipt->hash, chain->hash, sizeof(receipt->hash));
}

/* A receipt for each chain whose frames are on disk: up to the last that was brought, or to its end
 * when none was taken. */
static void give_receipts(struct work *work)
{
	for (size_t i = 0; i < work->ntouched; i++) {
		struct touched *touched = &work->touched[i];
		struct sensor *sensor;
		int err = store_sensor(work->options->store, touched->sensor_id, false, &sensor);

		if (!err)
			err = store_sync(sensor);
		if (err) {
			touched->before = UINT64_MAX; /* nothing to show */
			store_problem(work, err);
			continue;
		}
		add_receipt(work->result, sensor, touched->lane,
			    touched->brought.number && !touched->doubtful
				    ? &touched->brought
				    : &sensor->lanes[touched->lane]);
	}
}

static bool was_stored(const struct work *work, const Hinomi__FrameHeader *header)
{
	for (size_t i = 0; i < work->ntouched; i++) {
		const struct touched *touched = &work->touched[i];

		if ((int)touched->lane == (int)header->lane && header->sensor_id.len == 16 &&
		    !memcmp(touched->sensor_id, header->sensor_id.data, 16))
			return header->number > touched->before &&
			       header->number <= touched->brought.number;
	}
	return false;
}

static void show(const struct work *work, const void *data, size_t size)
{
	FILE *out = work->options->events;
	struct body body = {.data = data, .size = size};
	const uint8_t *bytes;
	size_t length;

	while (body_next(&body, &bytes, &length) == 1) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		if (frame_read(bytes, length, &frame) || !was_stored(work, frame->header) ||
		    frame_open_payload(frame))
			continue;
		for (size_t i = 0; i < frame->payload->n_events; i++)
			render_json(out, frame, frame->payload->events[i]);
	}
	fflush(out);
}

void accept_frames(const struct accept_options *options, const void *data, size_t size,
		   const struct accept_missing *missing, struct accept_result *ret)
{
	struct work work = {.options = options, .missing = missing, .result = ret};
	struct body body = {.data = data, .size = size};
	int n;

	*ret = (struct accept_result){0};
	while ((n = body_next(&body, &work.bytes, &work.size)) == 1)
		if (take_frame(&work))
			break;
	work.frame = NULL;
	if (n < 0)
		problem(&work, HINOMI__PROBLEM__PROBLEM_MALFORMED,
			"bytes that are no row of frames");
	for (size_t i = 0; !ret->problem && i < work.ntouched; i++)
		settle(&work, &work.touched[i]);
	give_receipts(&work);
	if (options->events)
		show(&work, data, size);
}

void accept_position(const struct accept_options *options, const uint8_t sensor_id[16], int lane,
		     struct accept_result *ret)
{
	struct sensor *sensor;
	int err = store_sensor(options->store, sensor_id, false, &sensor);

	*ret = (struct accept_result){0};
	if (!err)
		err = store_sync(sensor);
	if (!err) {
		add_receipt(ret, sensor, (enum lane)lane, &sensor->lanes[lane]);
		return;
	}
	ret->problem =
		err == -ENOENT ? HINOMI__PROBLEM__PROBLEM_UNKNOWN : HINOMI__PROBLEM__PROBLEM_STORE;
	snprintf(ret->text, sizeof(ret->text), "%s",
		 err == -ENOENT ? "nothing was heard of this sensor" : strerror(-err));
}
