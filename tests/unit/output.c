// SPDX-License-Identifier: Apache-2.0
/*
 * What the pipeline does while the disk refuses a lane: userspace/output.c, drain.c.
 * On a sensor without rings, whose frames hold events of its own.
 */
#include "base/clock.h"
#include "frame/frame.h"
#include "sensor_tools.h"
#include "spool/io.h"

static struct spool_io real;
static _Atomic bool refused[LANES]; /* the thread that syncs asks as well */

/* Of which lane's directory, or of which file in it, the descriptor is. */
static bool is_refused(int fd)
{
	char link[32], path[256] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		return false;
	return (refused[LANE_KEEP] && strstr(path, "/spool/keep")) ||
	       (refused[LANE_BULK] && strstr(path, "/spool/bulk"));
}

static int full_openat(int dir, const char *name, int flags, mode_t mode)
{
	if (!(flags & O_CREAT) || !is_refused(dir))
		return real.openat(dir, name, flags, mode);
	errno = ENOSPC;
	return -1;
}

static ssize_t full_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (!is_refused(fd))
		return real.pwritev(fd, parts, count, offset);
	errno = ENOSPC;
	return -1;
}

static int full_renameat(int old_dir, const char *old_name, int dir, const char *name)
{
	if (!is_refused(dir))
		return real.renameat(old_dir, old_name, dir, name);
	errno = ENOSPC;
	return -1;
}

/* Frames of a lane, each the next number; the sensor's own events without a hole. */
static unsigned count_frames(const char *dir, enum lane lane, uint64_t *own)
{
	struct spool_reader *reader;
	const void *bytes;
	unsigned ret = 0;
	size_t size;

	*own = 0;
	assert_int_equal(spool_reader_open(dir, lane, (struct spool_position){0}, &reader), 0);
	spool_reader_all(reader);
	while (spool_read(reader, &bytes, &size) == 1) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		assert_int_equal(frame_read(bytes, size, &frame), 0);
		assert_int_equal(frame->header->number, ++ret);
		for (size_t i = 0; i < frame->header->n_sequences; i++) {
			if (frame->header->sequences[i]->first != 1) /* as in new rings */
				assert_int_equal(frame->header->sequences[i]->first, *own + 1);
			*own = frame->header->sequences[i]->last;
		}
	}
	spool_reader_free(reader);
	return ret;
}

static void wait_for_retry(void)
{
	usleep(250000);
}

static void bulk_that_waits_holds_up_nothing(void **state)
{
	const struct test_spool *test = *state;
	struct sensor_in_test *sensor = open_sensor(test);
	struct pipeline *p = &sensor->pipeline;
	uint64_t own;

	refused[LANE_BULK] = p->frame_due[LANE_BULK] = true;
	pipeline_seal(p);
	for (int i = 0; i < 5; i++) {
		Hinomi__Gap gap = HINOMI__GAP__INIT;

		announce_gap(p, &gap);
		p->frame_due[LANE_BULK] = true;
		pipeline_run(p);
		assert_true(output_waits(p, LANE_BULK));
		assert_false(output_waits(p, LANE_KEEP));
	}
	assert_int_equal(count_frames(test->dir, LANE_KEEP, &own), 5);
	assert_int_equal(own, 5);
	refused[LANE_BULK] = false;
	wait_for_retry();
	pipeline_run(p); /* the one that waited, then what came behind it */
	assert_false(output_stuck(p));
	assert_int_equal(count_frames(test->dir, LANE_BULK, &own), 2);
	close_sensor(sensor);
}

/* More events of its own than a frame holds: what has no room has no number either. */
static void keep_that_waits_loses_no_number(void **state)
{
	const struct test_spool *test = *state;
	struct sensor_in_test *sensor = open_sensor(test);
	struct pipeline *p = &sensor->pipeline;
	Hinomi__Gap gap = HINOMI__GAP__INIT;
	uint64_t own;

	refused[LANE_KEEP] = true;
	for (int i = 0; i < 2 * SEAL_EVENTS_MAX + 100; i++)
		announce_gap(p, &gap);
	pipeline_run(p);
	assert_true(output_waits(p, LANE_KEEP));
	refused[LANE_KEEP] = false;
	wait_for_retry();
	pipeline_run(p);
	assert_false(output_stuck(p));
	announce_gap(p, &gap);
	pipeline_run(p);
	assert_int_equal(count_frames(test->dir, LANE_KEEP, &own), 3);
	assert_int_equal(own, 2 * SEAL_EVENTS_MAX + 1);
	close_sensor(sensor);
}

/* A stop waits for so long and no longer, and what it drops leaves no hole in the chain. */
static void stop_on_a_full_disk(void **state)
{
	const struct test_spool *test = *state;
	struct sensor_in_test *sensor = open_sensor(test);
	struct pipeline *p = &sensor->pipeline;
	Hinomi__Gap gap = HINOMI__GAP__INIT;
	uint64_t began, own;

	announce_gap(p, &gap);
	p->frame_due[LANE_BULK] = true;
	pipeline_seal(p);
	refused[LANE_KEEP] = refused[LANE_BULK] = p->frame_due[LANE_BULK] = true;
	announce_gap(p, &gap);
	pipeline_run(p);
	began = clock_boot_ns();
	pipeline_drain(p);
	announce_stop(p, "asked to");
	pipeline_end(p);
	assert_in_range((clock_boot_ns() - began) / NS_PER_MS, 4900, 9000);
	close_sensor(sensor);
	refused[LANE_KEEP] = refused[LANE_BULK] = false;

	sensor = open_sensor(test);
	p = &sensor->pipeline;
	announce_gap(p, &gap);
	p->frame_due[LANE_BULK] = true;
	pipeline_drain(p);
	pipeline_end(p);
	assert_false(output_stuck(p));
	assert_true(count_frames(test->dir, LANE_KEEP, &own) >= 2);
	assert_true(count_frames(test->dir, LANE_BULK, &own) >= 2);
	close_sensor(sensor);
}

static void deleted_spool_is_noticed(void **state)
{
	const struct test_spool *test = *state;
	struct sensor_in_test *sensor = open_sensor(test);
	struct pipeline *p = &sensor->pipeline;
	uint64_t began;

	assert_false(output_place_lost(p));
	remove_tree(test->dir);
	assert_true(output_place_lost(p));
	began = clock_boot_ns();
	pipeline_drain(p);
	pipeline_end(p);
	assert_true(clock_boot_ns() - began < 4 * NS_PER_SEC); /* there is nothing to wait for */
	close_sensor(sensor);
}

static int make_refusing(void **state)
{
	real = spool_io;
	spool_io.openat = full_openat;
	spool_io.pwritev = full_pwritev;
	spool_io.renameat = full_renameat;
	memset(refused, 0, sizeof(refused));
	return make_directory(state);
}

static int make_whole(void **state)
{
	spool_io = real;
	return remove_directory(state);
}

#define OUTPUT_TEST(test) cmocka_unit_test_setup_teardown(test, make_refusing, make_whole)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTPUT_TEST(bulk_that_waits_holds_up_nothing),
		OUTPUT_TEST(keep_that_waits_loses_no_number),
		OUTPUT_TEST(stop_on_a_full_disk),
		OUTPUT_TEST(deleted_spool_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
