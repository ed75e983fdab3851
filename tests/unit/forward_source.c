/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink is given of a spool that changes under it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forward/source.h"
#include "seal/seal.h"
#include "spool/spool.h"

static char dir[64];
static const struct seal_identity who = {"sensor", "boot", "rings"};

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/hinomi-source-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* Frames of one sensor, which tell by their rings which history they are of. */
static void make_frames(const char *history, uint64_t first, uint64_t last)
{
	const struct spool_options options = {.reader_gid = -1};
	struct seal_state state = {.number = first - 1};
	struct seal_identity identity = who;
	struct spool_writer *spool;
	struct sealer *sealer;

	snprintf((char *)identity.rings_id, sizeof(identity.rings_id), "%s", history);
	assert_int_equal(spool_writer_open(dir, &options, &spool), 0);
	assert_int_equal(sealer_new(LANE_BULK, &identity, &state, &sealer), 0);
	for (uint64_t number = first; number <= last; number++) {
		const uint8_t *bytes;
		size_t size;

		if (strcmp(history, "one")) /* so that they are longer */
			for (uint64_t i = 1; i < 9; i++)
				assert_int_equal(sealer_cover(sealer, 0, 2 * i, 2 * i), 0);
		assert_int_equal(sealer_finish(sealer, NULL, 0, false, &bytes, &size), 0);
		assert_int_equal(spool_append(spool, LANE_BULK, number, bytes, size), 0);
	}
	sealer_free(sealer);
	spool_writer_free(spool);
}

/* All that a sink is given from the cursor on, which moves. */
static void expect(struct cursor *cursor, const char *history, uint64_t first, uint64_t last,
		   uint64_t missing_from)
{
	struct source_frame frame;
	struct source *source;
	uint64_t next = first;
	int n;

	assert_int_equal(source_new(dir, LANE_BULK, cursor, &source), 0);
	while ((n = source_next(source, &frame))) {
		const Hinomi__FrameHeader *header = frame.frame ? frame.frame->header : NULL;

		if (n == -EAGAIN)
			continue;
		assert_int_equal(n, 1);
		assert_int_equal(header->number, next);
		assert_string_equal((char *)header->rings_id.data, history);
		assert_int_equal(frame.missing_from, next == first ? missing_from : 0);
		*cursor = source_frame_end(&frame);
		next++;
	}
	assert_int_equal(next, last + 1);
	source_free(source);
}

static void remove_lane(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s/bulk", dir);
	assert_int_equal(system(command), 0);
}

static void frames_come_once(void **state)
{
	struct cursor cursor = {0};

	(void)state;
	make_frames("one", 1, 10);
	expect(&cursor, "one", 1, 10, 0);
	make_frames("one", 11, 15);
	expect(&cursor, "one", 11, 15, 0);
	make_frames("one", 20, 25); /* with a hole */
	expect(&cursor, "one", 20, 25, 16);
}

/* The numbers of a lane that was deleted come again: they are other frames, and none is passed
 * over, be the new lane shorter or longer than the old one was. */
static void numbers_that_come_again_are_not_passed_over(void **state)
{
	(void)state;
	for (uint64_t last = 4; last <= 40; last += 12) {
		struct cursor cursor = {0};

		make_frames("one", 1, 10);
		expect(&cursor, "one", 1, 10, 0);
		remove_lane();
		make_frames("two", 1, last);
		expect(&cursor, "two", 1, last, 0);
		remove_lane();
	}
}

/* `durable` is not synced: after a power cut it may say less than what was delivered. */
static void older_bound_is_no_other_spool(void **state)
{
	struct cursor cursor = {0};
	char command[256];

	(void)state;
	make_frames("one", 1, 5);
	snprintf(command, sizeof(command), "cp %s/bulk/durable %s/old", dir, dir);
	assert_int_equal(system(command), 0);
	make_frames("one", 6, 10);
	expect(&cursor, "one", 1, 10, 0);
	snprintf(command, sizeof(command), "cp %s/old %s/bulk/durable", dir, dir);
	assert_int_equal(system(command), 0);
	expect(&cursor, "one", 11, 10, 0); /* nothing, and nothing again */
	make_frames("one", 11, 12);
	expect(&cursor, "one", 11, 12, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_come_once, setup, teardown),
		cmocka_unit_test_setup_teardown(older_bound_is_no_other_spool, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_that_come_again_are_not_passed_over, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
