/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector acknowledged stays, whatever the disk does. */
#include "collect_tools.h"

#include "collect/notary.h"
#include "spool/io.h"
#include "spool/spool.h"

#define LARGE (1 << 20)

static struct spool_io real_io;
static off_t room; /* bytes of disk that are left */
static unsigned failing_syncs;

static int small_fallocate(int fd, int mode, off_t offset, off_t size)
{
	if (size > room) {
		errno = ENOSPC;
		return -1;
	}
	room -= size;
	return real_io.fallocate(fd, mode, offset, size);
}

static int failing_fdatasync(int fd)
{
	if (!failing_syncs)
		return real_io.fdatasync(fd);
	failing_syncs--;
	errno = EIO;
	return -1;
}

static int setup_disk(void **state)
{
	real_io = spool_io;
	spool_io.fallocate = small_fallocate;
	spool_io.fdatasync = failing_fdatasync;
	room = 64 << 20;
	failing_syncs = 0;
	return setup(state);
}

static int teardown_disk(void **state)
{
	spool_io = real_io;
	return teardown(state);
}

static struct sensor *open_one(void)
{
	struct sensor *sensor;

	assert_int_equal(store_sensor(options.store, (const uint8_t *)"one\0\0\0\0\0\0\0\0\0\0\0\0",
				      true, &sensor),
			 0);
	return sensor;
}

/* What store.c takes for a frame need not be one: it is accept.c that judges. */
static int append_large(struct sensor *sensor, enum lane lane, uint64_t number)
{
	static uint8_t bytes[LARGE];
	struct chain end = {.number = number};

	return store_append(sensor, lane, &end, bytes, sizeof(bytes));
}

static uint64_t count_stored(enum lane lane)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	struct spool_position start = {0};
	uint64_t count = 0;
	const void *bytes;
	char path[128];
	size_t size;
	int n;

	snprintf(path, sizeof(path), "%s/%s", dir, "6f6e6500000000000000000000000000");
	assert_int_equal(spool_reader_open(path, lane, start, &reader), 0);
	while ((n = spool_read(reader, &bytes, &size)) == 1) {
		count++;
		assert_int_equal(spool_reader_number(reader), count);
	}
	assert_int_equal(n, 0);
	return count;
}

/* Segments enough that a spool would begin to evict: the next frame is refused, none goes. */
static void full_disk_refuses_what_is_new(void **state)
{
	struct sensor *sensor = open_one();

	(void)state;
	for (int lane = 0; lane < LANES; lane++) {
		uint64_t number = 0;
		int err;

		room = 40 << 20;
		while (!(err = append_large(sensor, (enum lane)lane, number + 1))) {
			number++;
			assert_int_equal(store_sync(sensor), 0);
			assert_true(number < 64);
		}
		assert_int_equal(err, -ENOSPC);
		assert_true(number > 20);
		for (int again = 0; again < 20; again++)
			assert_int_equal(append_large(sensor, (enum lane)lane, number + 1),
					 -ENOSPC);
		assert_int_equal(store_sync(sensor), 0);
		assert_int_equal(count_stored((enum lane)lane), number);
		room = 40 << 20;
		assert_int_equal(append_large(sensor, (enum lane)lane, number + 1), 0);
		assert_int_equal(store_sync(sensor), 0);
		assert_int_equal(count_stored((enum lane)lane), number + 1);
	}
}

/* More than memory has a second copy of goes with a failed sync, which a second one does not show.
 */
static void lost_with_a_failed_sync_is_not_acknowledged(void **state)
{
	struct sensor *sensor = open_one();
	uint64_t stored;

	(void)state;
	assert_int_equal(append_large(sensor, LANE_BULK, 1), 0);
	assert_int_equal(store_sync(sensor), 0);
	for (uint64_t number = 2; number <= 14; number++)
		assert_int_equal(append_large(sensor, LANE_BULK, number), 0);
	failing_syncs = 1;
	assert_int_not_equal(store_sync(sensor), 0);
	assert_int_equal(failing_syncs, 0);
	stored = count_stored(LANE_BULK);
	assert_true(stored >= 1 && stored < 14);
	/* and from then on it goes on from what is there: its frames are none, so from nothing */
	sensor = open_one();
	assert_int_equal(sensor->lanes[LANE_BULK].number, 0);
	assert_int_equal(append_large(sensor, LANE_BULK, stored + 1), 0);
	assert_int_equal(store_sync(sensor), 0);
	assert_int_equal(count_stored(LANE_BULK), stored + 1);
}

static void acknowledge(const struct accept_result *result)
{
	size_t size;
	uint8_t *bytes = answer_pack(&options, result, &size);

	assert_non_null(bytes);
	free(bytes);
}

/* Whoever sets the store back would have to know of the receipts as well. */
static void lost_frames_with_receipts_are_found(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	struct accept_result result;
	char command[160];

	(void)state;
	assert_int_equal(notary_open(store_dir(options.store), &options.notary), 0);
	result = bring(made, 1, 10);
	assert_taken(&result, 10);
	acknowledge(&result);
	result = bring(made, 3, 4);
	assert_int_equal(result.receipts[0].number, 4);
	assert_int_equal(result.receipts[0].end, 10);
	acknowledge(&result);
	reopen();
	result = bring(made, 11, 11);
	assert_taken(&result, 11);
	acknowledge(&result);
	assert_int_equal(count_findings("lost"), 0);
	snprintf(command, sizeof(command), "rm -r %s/6f6e65*/bulk", dir);
	store_free(options.store);
	options.store = NULL;
	assert_int_equal(system(command), 0);
	assert_int_equal(store_open(dir, &options.store), 0);
	result = bring(made, 1, 5);
	assert_taken(&result, 5);
	result = bring(made, 6, 20);
	assert_taken(&result, 20);
	assert_int_equal(count_findings("lost"), 1);
	notary_free(options.notary);
	options.notary = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_disk_refuses_what_is_new, setup_disk,
						teardown_disk),
		cmocka_unit_test_setup_teardown(lost_with_a_failed_sync_is_not_acknowledged,
						setup_disk, teardown_disk),
		cmocka_unit_test_setup_teardown(lost_frames_with_receipts_are_found, setup_disk,
						teardown_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
