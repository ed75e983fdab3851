/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation, and each call that reads or changes a file, fails while a spool is written and
 * read: what a sync called durable is there afterwards, and nothing sound is called damaged. */
#include "nth.h"

#include "spool_tools.h"

#define FRAMES	40
#define SEGMENT 65536

static const struct spool_options options = {.reader_gid = -1, .segment_bytes = SEGMENT};

struct work {
	const char *dir;
	uint64_t synced;	 /* of both lanes, at least */
	uint64_t evicted[LANES]; /* up to here, declared */
	unsigned whole;		 /* runs that wrote everything */
	unsigned sound;		 /* runs that read everything */
};

static int append(struct spool_writer *writer, enum lane lane, uint64_t number)
{
	int err = put_frame(writer, lane, number, FRAME_MAX);

	return err ? put_frame(writer, lane, number, FRAME_MAX) : 0;
}

static void write_all(struct work *work)
{
	struct spool_writer *writer;
	struct spool_eviction lost;
	uint64_t number = 1;

	if (spool_writer_open(work->dir, &options, &writer))
		return;
	for (; number <= FRAMES; number++) {
		if (append(writer, LANE_KEEP, number) || append(writer, LANE_BULK, number))
			break;
		if (number % 4 == 0 && !spool_sync(writer))
			work->synced = number;
	}
	spool_release(writer, LANE_BULK, 8);
	spool_in_place(writer);
	while (spool_take_eviction(writer, &lost) == 1) {
		assert_int_equal(lost.error, 0); /* the window holds all that a sync may lose */
		work->evicted[lost.lane] = lost.last_frame;
	}
	work->whole += number > FRAMES;
	spool_writer_free(writer);
}

/* A writer that nothing happens to takes the spool up, and all is well. */
static void judge(const struct work *work)
{
	struct spool_writer *writer = NULL;
	CLEANUP(fclose) FILE *none = fopen("/dev/null", "w");
	int headless = 0;

	assert_int_equal(spool_writer_open(work->dir, &options, &writer), 0);
	for (int lane = 0; lane < LANES; lane++) {
		struct pass pass = read_lane(work->dir, (enum lane)lane, 0, FRAME_MAX);

		assert_int_equal(pass.error, 0);
		/* a segment of which not even the head was written, nor could it be taken away */
		if (!pass.frames && !work->synced && pass.damages == 1)
			headless = (int)pass.damages--;
		if (pass.damages + pass.holes + pass.repeats ||
		    (pass.last < work->synced && work->evicted[lane] < work->synced))
			fail_msg("%lu damages, %lu holes, %lu repeats; %lu to %lu instead of %lu",
				 (unsigned long)pass.damages, (unsigned long)pass.holes,
				 (unsigned long)pass.repeats, (unsigned long)pass.first,
				 (unsigned long)pass.last, (unsigned long)work->synced);
		assert_true(pass.first <= work->evicted[lane] + 1);
	}
	spool_writer_free(writer);
	assert_int_equal(spool_check(work->dir, none), headless);
}

static void write_once(void *ctx)
{
	struct work *work = ctx;

	remove_tree(work->dir);
	work->synced = 0;
	memset(work->evicted, 0, sizeof(work->evicted));
	write_all(work);
	nth.sets = 0;
	judge(work);
}

static void write_whatever(void **state, unsigned sets, int error)
{
	const struct test_spool *test = *state;
	struct work work = {.dir = test->dir};
	unsigned long calls = nth_every(sets, error, write_once, &work);

	assert_true(calls > 5);
	assert_true(work.whole >
		    2); /* the last runs, in which nothing fails, are not the only ones */
	print_message("%lu calls, %u runs wrote everything\n", calls, work.whole);
}

static void written_whatever_memory_fails(void **state)
{
	write_whatever(state, NTH_MEMORY, 0);
}

static void written_whatever_file_fails(void **state)
{
	write_whatever(state, NTH_FILES, EIO);
}

static void written_whatever_is_full(void **state)
{
	write_whatever(state, NTH_FILES, ENOSPC);
}

/* One who has made something of them is not told lies. */
static void read_once(void *ctx)
{
	struct work *work = ctx;
	CLEANUP(fclose) FILE *none = fopen("/dev/null", "w");
	bool all = true;
	int r;

	for (int lane = 0; lane < LANES; lane++) {
		struct pass pass = read_lane(work->dir, (enum lane)lane, 0, FRAME_MAX);
		struct spool_position last;

		assert_int_equal(pass.damages + pass.holes + pass.repeats, 0);
		assert_int_equal(pass.first, pass.frames ? 1 : 0);
		all &= !pass.error && pass.last == FRAMES;
		spool_last_segment(work->dir, (enum lane)lane, &last);
	}
	r = spool_watch_open(work->dir);
	if (r >= 0)
		close(r);
	r = spool_check(work->dir, none);
	assert_true(r <= 0); /* sound, or not known */
	work->sound += all && !r;
}

/* EIO would be a block that cannot be read, and damage. */
static void read_whatever(void **state, unsigned sets)
{
	const struct test_spool *test = *state;
	struct work work = {.dir = test->dir};

	write_all(&work);
	assert_int_equal(work.synced, FRAMES);
	assert_true(nth_every(sets, ENOMEM, read_once, &work) > 3);
	assert_true(work.sound > 0);
}

static void read_whatever_memory_fails(void **state)
{
	read_whatever(state, NTH_MEMORY);
}

static void read_whatever_file_fails(void **state)
{
	read_whatever(state, NTH_FILES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(written_whatever_memory_fails), SPOOL_TEST(written_whatever_file_fails),
		SPOOL_TEST(written_whatever_is_full),	   SPOOL_TEST(read_whatever_memory_fails),
		SPOOL_TEST(read_whatever_file_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
