/* SPDX-License-Identifier: Apache-2.0 */
/* Within the limit: who goes first, who is told, and what a reader finds. */
#include "spool/state.h"
#include "spool_tools.h"

static void fill_lane(struct spool_writer *writer, enum lane lane, uint64_t *number, int count)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(put_frame(writer, lane, ++*number, FRAME_MAX), 0);
		assert_int_equal(spool_sync(writer), 0);
	}
}

static void oldest_bulk_goes_first(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 256 << 10, 0);
	struct spool_eviction eviction;
	uint64_t keep = 0, bulk = 0, gone[LANES] = {0};
	struct pass pass;

	fill_lane(writer, LANE_KEEP, &keep, 20);
	for (int i = 0; i < 60; i++) {
		fill_lane(writer, LANE_BULK, &bulk, 5);
		fill_lane(writer, LANE_KEEP, &keep, i < 30 ? 0 : 5);
		assert_true(spool_bytes(writer) <= 256 << 10);
		while (spool_take_eviction(writer, &eviction)) {
			assert_int_equal(eviction.error, 0);
			assert_int_equal(eviction.first_frame, gone[eviction.lane] + 1);
			assert_int_equal(eviction.last_frame - eviction.first_frame + 1,
					 eviction.frames);
			gone[eviction.lane] = eviction.last_frame;
			/* must-keep goes only when bulk has no more than its two segments */
			if (eviction.lane == LANE_KEEP)
				assert_true(i > 30);
		}
	}
	assert_true(gone[LANE_BULK] > 100 && gone[LANE_KEEP] > 0);
	pass = read_lane(test->dir, LANE_BULK, 0, FRAME_MAX);
	assert_int_equal(pass.first, gone[LANE_BULK] + 1);
	assert_int_equal(pass.last, bulk);
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_int_equal(pass.first, gone[LANE_KEEP] + 1);
	assert_int_equal(pass.last, keep);
	assert_true(pass.frames > pass.last / 3);
	spool_writer_free(writer);
	{
		CLEANUP(fclose) FILE *null = fopen("/dev/null", "w");

		assert_int_equal(spool_check(test->dir, null), 0);
	}
}

/* Nothing but what is durable may go; append sees to it itself. */
static void nobody_syncs(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 64 << 10, 0);
	struct spool_eviction eviction;
	uint64_t gone = 0;
	struct pass pass;

	for (uint64_t number = 1; number <= 200; number++) {
		assert_int_equal(put_frame(writer, LANE_KEEP, number, FRAME_MAX), 0);
		assert_true(spool_bytes(writer) <= 64 << 10);
		if (number == 5)
			assert_int_equal(spool_sync(writer), 0);
		/* the end of the chain, as far as it is durable, always stays */
		if (number >= 5)
			assert_true(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames > 0);
		while (spool_take_eviction(writer, &eviction)) {
			assert_int_equal(eviction.first_frame, gone + 1);
			gone = eviction.last_frame;
		}
	}
	spool_writer_free(writer);
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_int_equal(pass.first, gone + 1);
	assert_int_equal(pass.last, 200);
	assert_int_equal(pass.holes + pass.damages, 0);
}

static void evictions_are_told_until_declared(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 64 << 10, 0);
	struct spool_eviction eviction, again;
	uint64_t number = 0, keep = 0;

	while (!spool_take_eviction(writer, &eviction))
		fill_lane(writer, LANE_BULK, &number, 1);
	spool_writer_free(writer);
	writer = open_writer(test->dir, 64 << 10, 0);
	assert_int_equal(spool_take_eviction(writer, &again), 1);
	assert_int_equal(again.segment, eviction.segment);
	assert_int_equal(again.frames, eviction.frames);
	assert_int_equal(again.first_frame, eviction.first_frame);
	assert_int_equal(again.last_frame, eviction.last_frame);
	spool_declare(writer, keep + 1);
	fill_lane(writer, LANE_KEEP, &keep, 1); /* the declaration */
	while (spool_take_eviction(writer, &again)) {
		spool_declare(writer, keep + 1);
		fill_lane(writer, LANE_KEEP, &keep, 1);
	}
	spool_writer_free(writer);
	writer = open_writer(test->dir, 64 << 10, 0);
	assert_int_equal(spool_take_eviction(writer, &again), 0);
	spool_writer_free(writer);
}

/* What was released goes first, is told as such, and nothing beyond it is. */
static void released_goes_first(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 64 << 10, 0);
	struct spool_eviction eviction;
	uint64_t keep = 0, bulk = 0, gone = 0;

	fill_lane(writer, LANE_BULK, &bulk, 20);
	for (int i = 0; i < 30; i++) {
		uint64_t released = keep;

		spool_release(writer, LANE_KEEP, released);
		fill_lane(writer, LANE_KEEP, &keep, 5);
		while (spool_take_eviction(writer, &eviction)) {
			if (eviction.lane != LANE_KEEP)
				continue;
			assert_int_equal(eviction.released, eviction.last_frame <= released);
			gone = eviction.last_frame;
		}
	}
	assert_true(gone > 50);
	spool_release(writer, LANE_KEEP, UINT64_MAX); /* the end of the chain stays all the same */
	fill_lane(writer, LANE_BULK, &bulk, 100);
	spool_writer_free(writer);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).last, keep);
}

/* The disk spoils the block that it was writing when the power failed. */
static void marker_is_not_lost_with_a_block(void **state)
{
	const struct test_spool *test = *state;
	struct evicted evicted = {0}, found;
	uint8_t spoiled[4096];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/evicted", test->top);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	memset(spoiled, 0xa5, sizeof(spoiled));
	for (evicted.segment = 1; evicted.segment <= 4; evicted.segment++) {
		off_t slot = (off_t)((evicted.generation + 1) % 2 * (EVICTED_BYTES / 2));

		assert_int_equal(evicted_write(fd, &evicted), 0);
		assert_int_equal(pwrite(fd, spoiled, sizeof(spoiled), slot), sizeof(spoiled));
		assert_int_equal(evicted_read(fd, LANE_KEEP, &found), 0);
		assert_int_equal(found.segment, evicted.segment - 1);
		evicted.generation--; /* and is written again */
		assert_int_equal(evicted_write(fd, &evicted), 0);
		assert_int_equal(evicted_read(fd, LANE_KEEP, &found), 0);
		assert_int_equal(found.segment, evicted.segment);
	}
	close(fd);
}

/* A reader that sleeps while what it had before it is evicted. */
static void reader_finds_the_hole(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 64 << 10, 0);
	struct spool_position start = {0};
	struct spool_damage damage;
	struct spool_reader *reader;
	const void *frame;
	uint64_t number = 0;
	struct pass pass;
	size_t size;
	int r;

	fill_lane(writer, LANE_BULK, &number, 3);
	assert_int_equal(spool_reader_open(test->dir, LANE_BULK, start, &reader), 0);
	assert_int_equal(spool_read(reader, &frame, &size), 1);
	fill_lane(writer, LANE_BULK, &number, 100);
	while ((r = spool_read(reader, &frame, &size)) == 1)
		;
	assert_int_equal(r, -EBADMSG);
	damage = spool_reader_damage(reader);
	assert_true(damage.evicted && damage.segments > 5 && damage.at.segment == 2);
	pass = read_on(reader, FRAME_MAX);
	assert_int_equal(pass.last, number);
	assert_int_equal(pass.holes + pass.damages, 0);
	spool_reader_free(reader);

	start.segment = 1;
	start.offset = 128;
	assert_int_equal(spool_reader_open(test->dir, LANE_BULK, start, &reader), 0);
	pass = read_on(reader, FRAME_MAX);
	assert_int_equal(pass.damages, 1);
	assert_int_equal(pass.last, number);
	spool_reader_free(reader);
	spool_writer_free(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(oldest_bulk_goes_first),
		SPOOL_TEST(nobody_syncs),
		SPOOL_TEST(evictions_are_told_until_declared),
		SPOOL_TEST(released_goes_first),
		SPOOL_TEST(marker_is_not_lost_with_a_block),
		SPOOL_TEST(reader_finds_the_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
