/* SPDX-License-Identifier: Apache-2.0 */
/* The spool on a disk that fails: each system call in turn, full, and syncs that do not happen. */
#include <sys/wait.h>

#include "spool/io.h"
#include "spool_tools.h"

static struct spool_io real;
static struct {
	unsigned long calls, fail_at, fail_until; /* numbers of calls, from 1 */
	int error;
	bool shorten; /* a write writes half instead */
	bool syncs_only;
} fault;

static bool is_struck(void)
{
	fault.calls++;
	if (!fault.fail_at || fault.calls < fault.fail_at || fault.calls > fault.fail_until)
		return false;
	errno = fault.error;
	return true;
}

static bool is_struck_unless_syncs(void)
{
	return !fault.syncs_only && is_struck();
}

static int faulty_openat(int dir, const char *name, int flags, mode_t mode)
{
	return is_struck_unless_syncs() ? -1 : real.openat(dir, name, flags, mode);
}

static ssize_t faulty_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (!is_struck_unless_syncs())
		return real.pwritev(fd, parts, count, offset);
	return fault.shorten ? pwrite(fd, parts->iov_base, parts->iov_len / 2, offset) : -1;
}

static int faulty_fdatasync(int fd)
{
	return is_struck() ? -1 : real.fdatasync(fd);
}

static int faulty_fsync(int fd)
{
	return is_struck() ? -1 : real.fsync(fd);
}

static int faulty_fallocate(int fd, int mode, off_t offset, off_t size)
{
	return is_struck_unless_syncs() ? -1 : real.fallocate(fd, mode, offset, size);
}

static int faulty_ftruncate(int fd, off_t size)
{
	return is_struck_unless_syncs() ? -1 : real.ftruncate(fd, size);
}

static int faulty_unlinkat(int dir, const char *name, int flags)
{
	return is_struck_unless_syncs() ? -1 : real.unlinkat(dir, name, flags);
}

static int faulty_renameat(int old_dir, const char *old_name, int dir, const char *name)
{
	return is_struck_unless_syncs() ? -1 : real.renameat(old_dir, old_name, dir, name);
}

static int make_faulty(void **state)
{
	real = spool_io;
	memset(&fault, 0, sizeof(fault));
	spool_io = (struct spool_io){faulty_openat,   faulty_pwritev,	faulty_fdatasync,
				     faulty_fsync,    faulty_fallocate, faulty_ftruncate,
				     faulty_unlinkat, faulty_renameat};
	return make_directory(state);
}

static int make_whole(void **state)
{
	spool_io = real;
	return remove_directory(state);
}

static void fail_syncs(unsigned long skip, unsigned long count)
{
	fault.syncs_only = true;
	fault.error = EIO;
	fault.fail_at = fault.calls + 1 + skip;
	fault.fail_until = fault.calls + skip + count;
}

static void heal(void)
{
	fault.fail_at = 0;
}

static void expect_lane(const char *dir, enum lane lane, uint64_t last)
{
	struct pass pass = read_lane(dir, lane, 0, FRAME_MAX);

	assert_int_equal(pass.error, 0);
	assert_int_equal(pass.frames, last);
	assert_int_equal(pass.last, last);
	assert_int_equal(pass.holes + pass.repeats + pass.damages, 0);
}

/* The sync fails with nothing durable in the segment, in the middle of it, and over a rotation. */
static void failed_sync_is_written_again(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 65536);
	struct spool_health health;
	uint64_t number = 0;

	for (int round = 0; round < 12; round++) {
		uint64_t more = round % 3 == 2 ? 60 : 5;

		put_frames(writer, LANE_KEEP, number + 1, number + more, FRAME_MAX);
		number += more;
		fail_syncs((unsigned)round % 3, 1);
		assert_int_equal(spool_sync(writer), 0);
		heal();
		expect_lane(test->dir, LANE_KEEP, number);
	}
	spool_health(writer, &health);
	assert_int_equal(health.error, 0);
	assert_true(health.failed_syncs >= 4 && health.rewritten_frames >= 20);
	assert_int_equal(health.lost_frames, 0);
	spool_writer_free(writer);
	expect_lane(test->dir, LANE_KEEP, number);
}

static void disk_that_stays_broken(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 65536);
	struct spool_health health;
	uint64_t number = 10;

	put_frames(writer, LANE_KEEP, 1, 10, FRAME_MAX);
	assert_int_equal(spool_sync(writer), 0);
	fail_syncs(0, 1000000);
	for (int round = 0; round < 50; round++) {
		put_frames(writer, LANE_KEEP, number + 1, number + 3, FRAME_MAX);
		number += 3;
		assert_int_equal(spool_sync(writer), -EIO);
		expect_lane(test->dir, LANE_KEEP, 10); /* nothing that may vanish */
	}
	spool_health(writer, &health);
	assert_int_equal(health.error, -EIO);
	heal();
	assert_int_equal(spool_sync(writer), 0);
	expect_lane(test->dir, LANE_KEEP, number);
	spool_health(writer, &health);
	assert_int_equal(health.error, 0);
	spool_writer_free(writer);
}

/* More than the window holds: what it does not is lost with the sync, and said. */
static void loss_beyond_the_window(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 1 << 20);
	struct spool_eviction lost;
	struct spool_health health;
	struct pass pass;

	put_frames(writer, LANE_BULK, 1, 3000, 2 * FRAME_MAX);
	fail_syncs(0, 1);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(spool_take_eviction(writer, &lost), 1);
	assert_int_equal(lost.error, -EIO);
	assert_int_equal(lost.lane, LANE_BULK);
	assert_int_equal(lost.last_frame - lost.first_frame + 1, lost.frames);
	assert_int_equal(lost.last_frame, 3000);
	spool_health(writer, &health);
	assert_int_equal(health.lost_frames, lost.frames);
	pass = read_lane(test->dir, LANE_BULK, 0, 2 * FRAME_MAX);
	assert_int_equal(pass.frames + lost.frames, 3000);
	assert_int_equal(pass.last + 1, lost.first_frame);
	assert_int_equal(pass.holes + pass.repeats + pass.damages, 0);
	put_frames(writer, LANE_BULK, 3001, 3010, 2 * FRAME_MAX);
	spool_writer_free(writer);
	pass = read_lane(test->dir, LANE_BULK, 0, 2 * FRAME_MAX);
	assert_int_equal(pass.last, 3010);
}

#define WORK_FRAMES 60

struct work {
	bool appended[WORK_FRAMES + 1]; /* append said 0 */
	uint64_t synced;		/* all appended up to here, sync said 0 */
};

/* Small segments and a limit: every kind of call is made. */
static void work(const char *dir, struct work *work)
{
	const struct spool_options options = {
		.limit_bytes = 360000, .reader_gid = -1, .reserve_bytes = 20000};
	struct spool_writer *writer;

	if (spool_writer_open(dir, &options, &writer))
		return;
	for (uint64_t number = 1; number <= WORK_FRAMES; number++) {
		work->appended[number] = !put_frame(writer, LANE_KEEP, number, FRAME_MAX);
		put_frame(writer, LANE_BULK, number, 2 * FRAME_MAX);
		if (number % 4 == 0 && !spool_sync(writer))
			work->synced = number;
	}
	spool_writer_free(writer);
}

static void check_work(const char *dir, const struct work *work)
{
	struct spool_position start = {0};
	bool seen[WORK_FRAMES + 1] = {0};
	struct spool_reader *reader;
	const void *frame;
	size_t size;
	int r;

	spool_writer_free(open_writer(dir, 360000, 0)); /* whatever happened, a start repairs it */
	assert_int_equal(spool_reader_open(dir, LANE_KEEP, start, &reader), 0);
	while ((r = spool_read(reader, &frame, &size))) {
		uint64_t number = spool_reader_number(reader);

		if (r == -EBADMSG)
			continue;
		assert_int_equal(r, 1);
		assert_in_range(number, 1, WORK_FRAMES);
		assert_true(is_right(reader, frame, size, FRAME_MAX));
		seen[number] = true;
	}
	spool_reader_free(reader);
	for (uint64_t number = 1; number <= WORK_FRAMES; number++)
		if (work->appended[number] && number <= work->synced)
			assert_true(seen[number]);
}

static void each_call_fails(void **state, int error, bool shorten, unsigned long length)
{
	const struct test_spool *test = *state;
	unsigned long total;
	struct work clean = {0};

	work(test->dir, &clean);
	assert_int_equal(clean.synced, WORK_FRAMES);
	total = fault.calls;
	assert_true(total > 200);
	for (unsigned long n = 1; n <= total; n++) {
		struct work with_fault = {0};

		remove_tree(test->dir);
		fault.calls = 0;
		fault.error = error;
		fault.shorten = shorten;
		fault.fail_at = n;
		fault.fail_until = n + length - 1;
		work(test->dir, &with_fault);
		heal();
		check_work(test->dir, &with_fault);
		/* one failure of the disk is overcome at once, or with the next sync */
		if (length == 1 && n > 40)
			assert_true(with_fault.synced >= WORK_FRAMES - 4);
	}
}

static void each_call_fails_with_eio(void **state)
{
	each_call_fails(state, EIO, false, 1);
}
static void each_call_finds_it_full(void **state)
{
	each_call_fails(state, ENOSPC, false, 1);
}
static void each_write_is_short(void **state)
{
	each_call_fails(state, ENOSPC, true, 1);
}
static void ten_calls_fail(void **state)
{
	each_call_fails(state, EIO, false, 10);
}
static void rest_is_read_only(void **state)
{
	each_call_fails(state, EROFS, false, 1000000);
}

static void full_disk(void **state)
{
	const struct test_spool *test = *state;
	struct spool_eviction eviction;
	struct spool_writer *writer;
	uint64_t keep = 0, bulk = 0, gone[LANES] = {0};
	struct pass pass;

	mount_small(test, "size=4m");
	writer = open_writer(test->dir, 8 << 20, 256 << 10);
	for (int i = 0; i < 4000; i++) {
		if (i % 4 == 0)
			assert_int_equal(put_frame(writer, LANE_KEEP, ++keep, FRAME_MAX), 0);
		assert_int_equal(put_frame(writer, LANE_BULK, ++bulk, FRAME_MAX), 0);
		if (i % 8 == 0)
			assert_int_equal(spool_sync(writer), 0);
		while (spool_take_eviction(writer, &eviction)) {
			assert_int_equal(eviction.lane, LANE_BULK);
			assert_int_equal(eviction.first_frame, gone[LANE_BULK] + 1);
			gone[LANE_BULK] = eviction.last_frame;
		}
	}
	assert_true(gone[LANE_BULK] > 1000);
	assert_int_equal(spool_sync(writer), 0);
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_int_equal(pass.frames, keep);
	pass = read_lane(test->dir, LANE_BULK, 0, FRAME_MAX);
	assert_int_equal(pass.first, gone[LANE_BULK] + 1);
	assert_int_equal(pass.last, bulk);
	assert_int_equal(pass.holes, 0);

	spool_writer_free(writer);
	unmount_small(test);
}

/* Somebody else takes all that is free: must-keep lives on what it evicts, down to what is
 * protected. */
static void fill_up(const struct test_spool *test, struct spool_writer *writer, uint64_t *keep,
		    int *failed, int frames)
{
	static const char block[4096];
	char path[128];
	int fill;

	snprintf(path, sizeof(path), "%s/other", test->dir);
	fill = open(path, O_WRONLY | O_CREAT, 0600);
	*failed = 0;
	for (int i = 0; i < frames; i++) {
		int err;

		while (write(fill, block, sizeof(block)) > 0)
			;
		err = put_frame(writer, LANE_KEEP, *keep + 1, FRAME_MAX);
		assert_true(!err || err == -ENOSPC);
		*keep += !err;
		*failed += !!err;
		if (i % 8 == 0)
			assert_int_equal(spool_sync(writer), 0);
	}
	assert_int_equal(spool_sync(writer), 0);
	close(fill);
	unlink(path);
}

static void full_disk_above_what_is_protected(void **state)
{
	const struct test_spool *test = *state;
	struct spool_eviction eviction;
	struct spool_writer *writer;
	uint64_t keep = 0, gone = 0;
	struct pass pass;
	int failed;

	mount_small(test, "size=4m");
	writer = open_writer(test->dir, 8 << 20, 128 << 10);
	while (spool_bytes(writer) < 3 << 20) {
		put_frames(writer, LANE_KEEP, keep + 1, keep + 8, FRAME_MAX);
		keep += 8;
		assert_int_equal(spool_sync(writer), 0);
	}
	fill_up(test, writer, &keep, &failed, 4000);
	assert_int_equal(failed, 0);
	while (spool_take_eviction(writer, &eviction)) {
		assert_int_equal(eviction.lane, LANE_KEEP);
		assert_int_equal(eviction.first_frame, gone + 1);
		gone = eviction.last_frame;
	}
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_int_equal(pass.first, gone + 1);
	assert_int_equal(pass.last, keep);
	assert_int_equal(pass.holes + pass.damages, 0);
	assert_true(spool_bytes(writer) >= (2 << 20) - (128 << 10));
	spool_writer_free(writer);
	unmount_small(test);
}

static void full_disk_within_what_is_protected(void **state)
{
	const struct test_spool *test = *state;
	struct spool_eviction eviction;
	struct spool_writer *writer;
	uint64_t keep = 200;
	int failed;

	mount_small(test, "size=1m");
	writer = open_writer(test->dir, 8 << 20, 64 << 10);
	put_frames(writer, LANE_KEEP, 1, keep, FRAME_MAX);
	assert_int_equal(spool_sync(writer), 0);
	fill_up(test, writer, &keep, &failed, 500);
	assert_in_range(failed, 400, 499); /* the last of what was set aside was used */
	expect_lane(test->dir, LANE_KEEP, keep);
	assert_int_equal(spool_take_eviction(writer, &eviction), 0);
	/* and goes on as soon as there is room */
	put_frames(writer, LANE_KEEP, keep + 1, keep + 50, FRAME_MAX);
	put_frames(writer, LANE_BULK, 1, 50, FRAME_MAX);
	spool_writer_free(writer);
	expect_lane(test->dir, LANE_KEEP, keep + 50);
	expect_lane(test->dir, LANE_BULK, 50);
	unmount_small(test);
}

static void no_inodes(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer;
	struct spool_eviction eviction;
	uint64_t evicted = 0;
	struct pass pass;

	mount_small(test, "nr_inodes=16");
	writer = open_writer(test->dir, 0, 8192);
	for (uint64_t number = 1; number <= 200; number++) {
		assert_int_equal(put_frame(writer, LANE_BULK, number, FRAME_MAX), 0);
		assert_int_equal(spool_sync(writer), 0);
		while (spool_take_eviction(writer, &eviction))
			evicted += eviction.frames;
	}
	pass = read_lane(test->dir, LANE_BULK, 0, FRAME_MAX);
	assert_int_equal(pass.frames + evicted, 200);
	spool_writer_free(writer);
	unmount_small(test);
}

static void cannot_set_aside(void **state)
{
	const struct test_spool *test = *state;
	struct spool_position start = {0};
	struct spool_reader *reader;
	struct spool_writer *writer;
	const void *frame;
	size_t size;

	fault.error = EOPNOTSUPP;
	fault.fail_at = 1;
	fault.fail_until = 1000000;
	spool_io = real;
	spool_io.fallocate = faulty_fallocate;
	writer = open_writer(test->dir, 0, 16384);
	put_frames(writer, LANE_KEEP, 1, 1, FRAME_MAX);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, start, &reader), 0);
	assert_int_equal(spool_read(reader, &frame, &size), 1);
	put_frames(writer, LANE_KEEP, 2, 100, FRAME_MAX);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(read_on(reader, FRAME_MAX).last, 100);
	spool_reader_free(reader);
	spool_writer_free(writer);
	expect_lane(test->dir, LANE_KEEP, 100);
}

#define FAULT_TEST(test) cmocka_unit_test_setup_teardown(test, make_faulty, make_whole)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(failed_sync_is_written_again),
		FAULT_TEST(disk_that_stays_broken),
		FAULT_TEST(loss_beyond_the_window),
		FAULT_TEST(each_call_fails_with_eio),
		FAULT_TEST(each_call_finds_it_full),
		FAULT_TEST(each_write_is_short),
		FAULT_TEST(ten_calls_fail),
		FAULT_TEST(rest_is_read_only),
		FAULT_TEST(full_disk),
		FAULT_TEST(full_disk_above_what_is_protected),
		FAULT_TEST(full_disk_within_what_is_protected),
		FAULT_TEST(no_inodes),
		FAULT_TEST(cannot_set_aside),
	};

	setenv("TMPDIR", "/dev/shm", 0); /* thousands of syncs */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
