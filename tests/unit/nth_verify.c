/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails while a stream is judged: a clean one is never accused, and a forged one
 * never passes. */
#include "nth.h"

#include "verify_tools.h"
#include "seal/signer.h"

static EVP_PKEY *key;
static uint8_t public[KEY_BYTES];
static bool forged;
static unsigned judged; /* runs that came to the end */

static void sign(enum lane lane, const struct seal_identity *of)
{
	struct signer *signer;
	struct seal_state state;

	sealer_state(sealers[lane], &state);
	assert_int_equal(signer_new(key, of, lane, state.number + 1, &signer), 0);
	sealer_sign_with(sealers[lane], signer);
}

/* What is missing of a cpu's numbers, told in the other lane and later, in two pieces. */
static void add_holes(void)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;
	uint64_t first = sequences[LANE_BULK][1] + 1;

	sequences[LANE_BULK][1] += 9;
	add_event(LANE_BULK, 1, ++sequences[LANE_BULK][1], NULL);
	finish(LANE_BULK, NULL, 0);
	gap.lane = HINOMI__LANE__LANE_BULK;
	gap.cpu = 1;
	gap.first_seq = first + 4;
	gap.last_seq = first + 8;
	add_event(LANE_KEEP, CPU_SENSOR, 1, &gap);
	gap.first_seq = first;
	gap.last_seq = first + 3;
	add_event(LANE_KEEP, CPU_SENSOR, 2, &gap);
	finish(LANE_KEEP, NULL, 0);
}

static int setup_signed(void **state)
{
	size_t size = sizeof(public);

	(void)state;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, public, &size), 1);
	begin(&identity);
	for (int lane = 0; lane < LANES; lane++)
		sign((enum lane)lane, &identity);
	for (int i = 0; i < 2; i++) {
		add_frame(LANE_KEEP);
		add_frame(LANE_BULK);
	}
	add_holes();
	begin(&next_start);
	for (int lane = 0; lane < LANES; lane++) {
		sign((enum lane)lane, &next_start);
		add_frame((enum lane)lane);
	}
	forged = false;
	judged = 0;
	return 0;
}

static int teardown_signed(void **state)
{
	EVP_PKEY_free(key);
	return teardown(state);
}

static int give_receipts(struct verifier *verifier)
{
	verifier_receipt_file(verifier);
	for (uint64_t number = 1; number <= 3; number++) {
		Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;
		CLEANUP(frame_free) struct frame *frame = NULL;
		const struct stored *stored = &frames[LANE_KEEP][number - 1];
		int err = frame_read(stored->bytes, stored->size, &frame);

		if (err)
			return err;
		receipt.sensor_id = frame->header->sensor_id;
		receipt.lane = HINOMI__LANE__LANE_KEEP;
		receipt.number = receipt.end = number;
		receipt.header_sha256 = (ProtobufCBinaryData){32, frame->hash};
		err = verifier_receipt(verifier, &receipt);
		if (err)
			return err;
	}
	return 0;
}

static int give_frames(struct verifier *verifier)
{
	for (int lane = LANES - 1; lane >= 0; lane--)
		for (size_t i = 0; i < counts[lane]; i++) {
			int err = verifier_frame(verifier, (enum lane)lane, frames[lane][i].bytes,
						 frames[lane][i].size, "here");

			if (err)
				return err;
		}
	return 0;
}

static void judge_once(void *ctx)
{
	CLEANUP(fclose) FILE *out = fopen(getenv("HINOMI_TELL") ?: "/dev/null", "w");
	CLEANUP(verifier_free) struct verifier *verifier = NULL;
	int err = verifier_new(out, &verifier);

	(void)ctx;
	if (!err) {
		verifier_identity(verifier, public);
		err = give_receipts(verifier);
	}
	err = err ? err : give_frames(verifier);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		if (!forged && verifier)
			assert_int_equal(verifier_findings(verifier), 0);
		return;
	}
	verifier_end(verifier);
	judged++;
	if (forged)
		assert_true(verifier_findings(verifier) > 0);
	else
		assert_int_equal(verifier_findings(verifier), 0);
}

static void clean_is_not_accused(void **state)
{
	unsigned long calls = nth_every(NTH_MEMORY, 0, judge_once, NULL);

	(void)state;
	assert_true(calls > 100);
	print_message("%lu allocations\n", calls);
}

static void judge_forged(void)
{
	forged = true;
	nth_every(NTH_MEMORY, 0, judge_once, NULL);
	assert_true(judged > 0);
}

/* of the payload: the header says another one */
static void changed_does_not_pass(void **state)
{
	struct stored *stored = &frames[LANE_KEEP][3]; /* of those before there are receipts */

	(void)state;
	stored->bytes[stored->size - 66 - 8] ^= 1;
	judge_forged();
}

static void signature_does_not_pass(void **state)
{
	struct stored *stored = &frames[LANE_BULK][1];

	(void)state;
	stored->bytes[stored->size - 1] ^= 1;
	judge_forged();
}

static void hole_does_not_pass(void **state)
{
	(void)state;
	free(frames[LANE_BULK][1].bytes);
	counts[LANE_BULK]--;
	memmove(&frames[LANE_BULK][1], &frames[LANE_BULK][2],
		(counts[LANE_BULK] - 1) * sizeof(frames[0][0]));
	judge_forged();
}

#define SIGNED(test) cmocka_unit_test_setup_teardown(test, setup_signed, teardown_signed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIGNED(clean_is_not_accused),
		SIGNED(changed_does_not_pass),
		SIGNED(signature_does_not_pass),
		SIGNED(hole_does_not_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
