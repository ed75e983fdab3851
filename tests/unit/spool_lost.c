/* SPDX-License-Identifier: Apache-2.0 */
/* Whether frames that had been there are gone from a lane's end, so that their numbers are not
 * given to others. */
#include "spool_tools.h"

#define SEGMENT 8192

/* Two lanes of some segments, closed in good order. */
static void make_lanes(const struct test_spool *test)
{
	struct spool_writer *writer = open_writer(test->dir, 0, SEGMENT);

	put_frames(writer, LANE_KEEP, 1, 20, FRAME_MAX);
	put_frames(writer, LANE_BULK, 1, 20, FRAME_MAX);
	spool_writer_free(writer);
}

static void expect_lost(const struct test_spool *test, bool keep, bool bulk)
{
	struct spool_writer *writer = open_writer(test->dir, 0, SEGMENT);

	assert_int_equal(spool_lost_end(writer, LANE_KEEP), keep);
	assert_int_equal(spool_lost_end(writer, LANE_BULK), bulk);
	spool_writer_free(writer);
}

static unsigned last_segment(const struct test_spool *test, enum lane lane)
{
	struct spool_position last;

	assert_int_equal(spool_last_segment(test->dir, lane, &last), 0);
	return (unsigned)last.segment;
}

static void remove_in(const struct test_spool *test, const char *what)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s/%s", test->dir, what);
	assert_int_equal(system(command), 0);
}

static void whole_lane_lost_nothing(void **state)
{
	const struct test_spool *test = *state;

	spool_writer_free(open_writer(test->dir, 0, SEGMENT)); /* nothing was ever written */
	expect_lost(test, false, false);
	make_lanes(test);
	for (int i = 0; i < 3; i++)
		expect_lost(test, false, false);
}

/* A lane that has no frame yet is not one whose frames are gone. */
static void empty_lane_lost_nothing(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, SEGMENT);

	put_frames(writer, LANE_KEEP, 1, 5, FRAME_MAX);
	spool_writer_free(writer);
	expect_lost(test, false, false);
}

static void deleted_lane_is_lost(void **state)
{
	const struct test_spool *test = *state;

	make_lanes(test);
	remove_in(test, "bulk");
	expect_lost(test, false, true);
	remove_in(test, "keep/*.seg");
	expect_lost(test, true, false);
}

static void deleted_end_is_lost(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer;
	char path[128];

	make_lanes(test);
	segment_path(test, LANE_BULK, last_segment(test, LANE_BULK), path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	expect_lost(test, false, true);
	expect_lost(test, false, true); /* nothing was appended since */
	writer = open_writer(test->dir, 0, SEGMENT);
	put_frames(writer, LANE_BULK, 100, 101, FRAME_MAX);
	spool_writer_free(writer);
	expect_lost(test, false, false);
}

/* Cut or damaged in the last record: with a foot, and without. */
static void torn_end_is_lost(void **state)
{
	const struct test_spool *test = *state;

	for (int way = 0; way < 3; way++) {
		struct stat st;
		char path[128];
		int fd;

		make_lanes(test);
		segment_path(test, LANE_KEEP, last_segment(test, LANE_KEEP), path, sizeof(path));
		fd = open(path, O_RDWR);
		assert_int_equal(fstat(fd, &st), 0);
		if (way == 0) /* a byte of the last frame, before its padding and the foot */
			assert_int_equal(pwrite(fd, "!!!!!!!!", 8, st.st_size - 64 - 24), 8);
		else /* without the foot, or a part of the last record too */
			assert_int_equal(ftruncate(fd, st.st_size - (way == 1 ? 64 : 64 + 24)), 0);
		close(fd);
		expect_lost(test, way != 1, false);
		remove_in(test, "");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_lane_lost_nothing), TEST(empty_lane_lost_nothing),
		TEST(deleted_lane_is_lost),    TEST(deleted_end_is_lost),
		TEST(torn_end_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
