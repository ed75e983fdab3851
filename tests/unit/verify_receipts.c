/* SPDX-License-Identifier: Apache-2.0 */
/* A stream held against what collectors have signed for. */
#include "verify_tools.h"

#include "frame/frame.h"

#define RECEIPTS_MAX 16

static struct {
	enum lane lane;
	uint64_t number, end;
	const struct seal_identity *of;
	uint8_t hash[32];
} receipts[RECEIPTS_MAX];
static size_t nreceipts;

static int setup_receipts(void **state)
{
	nreceipts = 0;
	return setup(state);
}

static void give(enum lane lane, uint64_t number, uint64_t end)
{
	receipts[nreceipts].lane = lane;
	receipts[nreceipts].number = number;
	receipts[nreceipts].end = end;
	receipts[nreceipts].of = &identity;
	if (number) {
		CLEANUP(frame_free) struct frame *frame = NULL;
		const struct stored *stored = &frames[lane][number - 1];

		assert_int_equal(frame_read(stored->bytes, stored->size, &frame), 0);
		memcpy(receipts[nreceipts].hash, frame->hash, 32);
	}
	nreceipts++;
}

static uint64_t verify_with_receipts(void)
{
	struct verifier *verifier = verify_begin();

	verifier_receipt_file(verifier);
	for (size_t i = 0; i < nreceipts; i++) {
		Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;

		receipt.sensor_id.data = (uint8_t *)receipts[i].of->sensor_id;
		receipt.sensor_id.len = 16;
		receipt.lane = (Hinomi__Lane)receipts[i].lane;
		receipt.number = receipts[i].number;
		receipt.end = receipts[i].end;
		receipt.header_sha256.data = receipts[i].hash;
		receipt.header_sha256.len = receipt.number ? 32 : 0;
		assert_int_equal(verifier_receipt(verifier, &receipt), 0);
	}
	return verify_end(verifier);
}

static void test_clean_with_receipts(void **state)
{
	(void)state;
	for (int lane = 0; lane < LANES; lane++)
		for (uint64_t number = 1; number <= 5; number++) /* the last has none yet */
			give((enum lane)lane, number, number);
	give(LANE_BULK, 2, 5); /* brought again */
	give(LANE_BULK, 6, 6);
	assert_int_equal(verify_with_receipts(), 0);
}

static void test_cut(void **state)
{
	(void)state;
	give(LANE_BULK, 3, 3);
	give(LANE_BULK, 6, 6);
	take_out(LANE_BULK, 5);
	assert_int_equal(verify_with_receipts(), 1);
	assert_reported("bulk: ends at frame 5, but frame 6 was stored by the collector at 1970-");
	while (counts[LANE_BULK])
		take_out(LANE_BULK, 0);
	assert_int_equal(verify_with_receipts(), 1);
	assert_reported("bulk: ends at frame 0, but frame 6 was stored");
}

static void touch_clock(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	header->clocks[0]->real_ns ^= 1;
}

/* Any receipt tells, not only that for the last frame: behind a hole no hash ties them. */
static void test_written_anew(void **state)
{
	(void)state;
	give(LANE_KEEP, 2, 2);
	give(LANE_KEEP, 6, 6);
	forge(LANE_KEEP, 1, touch_clock);
	assert_int_equal(verify_with_receipts(), 2);
	assert_reported("keep: frame 2: is not the frame that the collector has a receipt for");
}

static void test_set_back(void **state)
{
	(void)state;
	give(LANE_KEEP, 5, 5);
	give(LANE_KEEP, 2, 2);
	give(LANE_KEEP, 3, 3);
	give(LANE_KEEP, 6, 6);
	assert_int_equal(verify_with_receipts(), 1);
	assert_reported("keep: the collector signed for frame 5, and at 1970-01-01T00:00:00Z that "
			"it ends at frame 2: it was set back");
	nreceipts = 0;
	give(LANE_KEEP, 5, 5);
	give(LANE_KEEP, 0, 0); /* to nothing at all */
	assert_int_equal(verify_with_receipts(), 1);
	assert_reported("ends at frame 0");
}

static void test_two_for_one(void **state)
{
	(void)state;
	give(LANE_KEEP, 5, 5);
	give(LANE_KEEP, 5, 5);
	receipts[1].hash[0] ^= 1;
	assert_int_equal(verify_with_receipts(), 2);
	assert_reported("keep: frame 5: the collector has signed for another frame of this number");
	assert_reported("keep: frame 5: is not the frame that the collector has a receipt for");
}

/* A sink's file goes on when a spool, and its sensor with it, is replaced. */
static void test_another_sensor(void **state)
{
	(void)state;
	give(LANE_BULK, 6, 900);
	receipts[0].of = &stranger;
	receipts[0].number = 900;
	assert_int_equal(verify_with_receipts(), 1);
	assert_reported("bulk: no receipt is for this sensor");
	give(LANE_BULK, 2, 2);
	assert_int_equal(verify_with_receipts(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_receipts, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clean_with_receipts), TEST(test_cut),
		TEST(test_written_anew),	TEST(test_set_back),
		TEST(test_two_for_one),		TEST(test_another_sensor),
	};

	return cmocka_run_group_tests_name("verify_receipts", tests, NULL, NULL);
}
