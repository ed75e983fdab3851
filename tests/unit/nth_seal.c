/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails while frames are made, and while they are read: what was added is in a
 * frame once, and nobody calls a good frame bad. */
#include "nth.h"

#include "fill.h"
#include "frame/frame.h"
#include "frame/keychain.h"
#include "seal/seal.h"
#include "seal/signer.h"

#define EVENTS	   6
#define FRAMES_MAX 32

static const struct seal_identity who = {"sensor", "boot", "rings"};
static const unsigned kinds[EVENTS] = {KIND_exec, KIND_exec,	KIND_mount,
				       KIND_exec, KIND_sandbox, KIND_exec};
static struct arena arena;
static EVP_PKEY *identity;
static struct event events[EVENTS];
static struct {
	uint8_t *bytes;
	size_t size;
} frames[FRAMES_MAX];
static size_t nframes;

static int setup(void **state)
{
	unsigned salt = 7;

	(void)state;
	arena_init(&arena, 64 << 20);
	identity = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (unsigned i = 0; i < EVENTS; i++) {
		events[i] = fill_event(&arena, kinds[i], 0, i + 1, &salt);
		events[i].lane = LANE_KEEP;
		events[i].body->lane = HINOMI__LANE__LANE_KEEP;
		events[i].process_state = i / 2 + 1;
	}
	return 0;
}

static void frames_drop(void)
{
	while (nframes)
		free(frames[--nframes].bytes);
}

static int teardown(void **state)
{
	(void)state;
	frames_drop();
	arena_done(&arena);
	EVP_PKEY_free(identity);
	return 0;
}

/* What may be done again after it failed is done again once. */
static int finish(struct sealer *sealer)
{
	Hinomi__LedgerRow row = HINOMI__LEDGER_ROW__INIT;
	const uint8_t *bytes;
	size_t size;
	int r = sealer_finish(sealer, &row, 1, true, &bytes, &size);

	if (r)
		r = sealer_finish(sealer, &row, 1, true, &bytes, &size);
	if (r) {
		assert_true(r == -ENOMEM || r == -EIO);
		return r;
	}
	assert_true(nframes < FRAMES_MAX);
	frames[nframes].bytes = __real_malloc(size);
	frames[nframes].size = size;
	memcpy(frames[nframes++].bytes, bytes, size);
	return 0;
}

static int add(struct sealer *sealer, struct event *event)
{
	int r = sealer_add(sealer, event);

	if (!r)
		return 0;
	assert_int_equal(r, -ENOMEM);
	if (sealer_events(sealer)) /* the frame takes no more */
		r = finish(sealer);
	return r == -ENOMEM || !r ? sealer_add(sealer, event) : r;
}

/* The second key takes over in the middle. */
static struct sealer *begin(void)
{
	const struct seal_state fresh = {0};
	struct signer *signer = NULL;
	struct sealer *sealer = NULL;

	if (sealer_new(LANE_KEEP, &who, &fresh, &sealer))
		return NULL;
	if (signer_new(identity, &who, LANE_KEEP, 0, &signer)) {
		sealer_free(sealer);
		return NULL;
	}
	signer_advance(signer, SIGNER_KEY_EVENTS);
	sealer_sign_with(sealer, signer);
	return sealer;
}

/* How many events are in frames, at least. */
static unsigned seal_all(void)
{
	CLEANUP(sealer_free) struct sealer *sealer = begin();
	unsigned added = 0, finished = 0;

	while (sealer && added < EVENTS && !add(sealer, &events[added])) {
		added++;
		if (added % 2)
			continue;
		if (finish(sealer))
			break;
		finished = added;
	}
	return finished;
}

/* How many events are in the frames, each good and the next of the chain. */
static uint64_t judge(void)
{
	struct key_identity known = {0};
	struct keychain chain = {0};
	uint64_t seq = 0;

	for (size_t i = 0; i < nframes; i++) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		assert_int_equal(frame_read(frames[i].bytes, frames[i].size, &frame), 0);
		assert_int_equal(frame->header->number, i + 1);
		assert_int_equal(keychain_frame(&chain, &known, frame, !i), KEY_PROVEN);
		assert_int_equal(frame_open_payload(frame), 0);
		for (size_t k = 0; k < frame->payload->n_events; k++) {
			assert_int_equal(frame->payload->events[k]->seq, ++seq);
			assert_int_equal(frame->payload->events[k]->body_case, kinds[seq - 1]);
		}
	}
	return seq;
}

static void seal_once(void *ctx)
{
	unsigned *whole = ctx, sealed;
	uint64_t found;

	frames_drop();
	sealed = seal_all();
	nth.sets = 0;
	found = judge();
	assert_true(found >= sealed);
	*whole += found == EVENTS;
}

static void sealed_whatever_fails(void **state)
{
	unsigned whole = 0;
	unsigned long calls = nth_every(NTH_MEMORY, 0, seal_once, &whole);

	(void)state;
	assert_true(calls > 100);
	assert_true(whole > calls / 4); /* one failure is overcome, but for those at the start */
	print_message("%lu allocations, %u runs gave all events\n", calls, whole);
}

static void read_once(void *ctx)
{
	struct key_identity known = {0};
	struct keychain chain = {0};

	(void)ctx;
	for (size_t i = 0; i < nframes; i++) {
		CLEANUP(frame_free) struct frame *frame = NULL;
		int r = frame_read(frames[i].bytes, frames[i].size, &frame);
		enum key_verdict verdict;

		if (r) {
			assert_int_equal(r, -ENOMEM);
			return;
		}
		verdict = keychain_frame(&chain, &known, frame, !i);
		if (verdict != KEY_PROVEN) {
			assert_int_equal(verdict, KEY_UNCHECKED);
			return;
		}
		r = frame_open_payload(frame);
		if (r) {
			assert_int_equal(r, -ENOMEM);
			return;
		}
	}
}

static void good_whatever_fails(void **state)
{
	(void)state;
	assert_int_equal(seal_all(), EVENTS);
	assert_true(nth_every(NTH_MEMORY, 0, read_once, NULL) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sealed_whatever_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(good_whatever_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
