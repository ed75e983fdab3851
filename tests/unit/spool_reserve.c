/* SPDX-License-Identifier: Apache-2.0 */
/* What is set aside for must-keep, how old a segment may become, and a spool that is taken away. */
#include <dirent.h>
#include <time.h>

#include "base/clock.h"
#include "spool/io.h"
#include "spool_tools.h"

#define SEGMENT (64 << 10)
#define RESERVE (256 << 10)
#define LIMIT	(4 << 20)

static struct spool_writer *open_with(const char *dir, uint64_t reserve_bytes, uint64_t age_ns)
{
	const struct spool_options options = {.limit_bytes = LIMIT,
					      .segment_bytes = SEGMENT,
					      .reader_gid = -1,
					      .reserve_bytes = reserve_bytes,
					      .age_ns = age_ns};
	struct spool_writer *writer = NULL;

	assert_int_equal(spool_writer_open(dir, &options, &writer), 0);
	return writer;
}

/* Files in keep/ whose names begin with that. */
static unsigned count_files(const char *dir, const char *prefix)
{
	char path[128];
	struct dirent *entry;
	unsigned ret = 0;
	DIR *stream;

	snprintf(path, sizeof(path), "%s/keep", dir);
	stream = opendir(path);
	assert_non_null(stream);
	while ((entry = readdir(stream)))
		ret += !strncmp(entry->d_name, prefix, strlen(prefix));
	closedir(stream);
	return ret;
}

/* Must-keep frames of a fixed size until the disk refuses one: bytes that it took. */
static uint64_t append_until_refused(struct spool_writer *writer, uint64_t *number)
{
	static uint8_t bytes[FRAME_MAX];
	uint64_t ret = 0;
	int err;

	while (!(err = spool_append(writer, LANE_KEEP, *number + 1, bytes, sizeof(bytes)))) {
		assert_int_equal(spool_sync(writer), 0);
		ret += sizeof(bytes);
		++*number;
		assert_true(ret < LIMIT);
	}
	assert_int_equal(err, -ENOSPC);
	return ret;
}

static void take_all_space(const struct test_spool *test, const char *name)
{
	static const char block[4096];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", test->dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void full_disk_leaves_the_reserve(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer;
	uint64_t number = 0;
	char path[128];

	mount_small(test, "size=2m");
	writer = open_with(test->dir, RESERVE, 0);
	assert_int_equal(count_files(test->dir, "reserve."), RESERVE / SEGMENT);
	assert_int_equal(spool_bytes(writer), RESERVE);
	assert_int_equal(spool_append(writer, LANE_KEEP, ++number, "first", 5), 0);
	assert_int_equal(spool_sync(writer), 0);
	take_all_space(test, "other");
	/* one segment was begun, the others are the reserve; what a segment holds is a little less
	 */
	assert_in_range(append_until_refused(writer, &number), RESERVE + SEGMENT / 2,
			RESERVE + SEGMENT);
	assert_int_equal(count_files(test->dir, "reserve."), 0);
	snprintf(path, sizeof(path), "%s/other", test->dir);
	assert_int_equal(unlink(path), 0);
	usleep(1100000); /* it is tried each second */
	assert_int_equal(spool_append(writer, LANE_KEEP, ++number, "again", 5), 0);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(count_files(test->dir, "reserve."), RESERVE / SEGMENT);
	spool_writer_free(writer);
	unmount_small(test);
}

static int no_fallocate(int fd, int mode, off_t offset, off_t size)
{
	(void)fd, (void)mode, (void)offset, (void)size;
	errno = EOPNOTSUPP;
	return -1;
}

/* A file system that cannot set blocks aside has them written. */
static void reserve_without_fallocate(void **state)
{
	const struct test_spool *test = *state;
	int (*own)(int fd, int mode, off_t offset, off_t size) = spool_io.fallocate;
	struct spool_writer *writer;
	char path[128];
	struct stat st;

	spool_io.fallocate = no_fallocate;
	writer = open_with(test->dir, RESERVE, 0);
	spool_io.fallocate = own;
	for (int i = 0; i < RESERVE / SEGMENT; i++) {
		snprintf(path, sizeof(path), "%s/keep/reserve.%d", test->dir, i);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, SEGMENT);
		assert_true(st.st_blocks * 512 >= SEGMENT);
	}
	spool_writer_free(writer);
}

static void no_inode_is_needed(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer;
	uint64_t number = 0;
	char path[128];

	mount_small(test, "size=8m,nr_inodes=24");
	writer = open_with(test->dir, RESERVE, 0);
	assert_int_equal(spool_append(writer, LANE_KEEP, ++number, "first", 5), 0);
	assert_int_equal(spool_sync(writer), 0);
	for (int i = 0, fd = 0; fd >= 0; i++) {
		snprintf(path, sizeof(path), "%s/other.%d", test->dir, i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd >= 0)
			close(fd);
	}
	assert_true(append_until_refused(writer, &number) > RESERVE);
	spool_writer_free(writer);
	unmount_small(test);
}

/* Bulk has to go for it, and everything together stays within the limit. */
static void reserve_is_part_of_the_limit(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_with(test->dir, 0, 0);
	struct spool_eviction eviction;

	put_frames(writer, LANE_BULK, 1, 3000, FRAME_MAX);
	spool_writer_free(writer);
	writer = open_with(test->dir, RESERVE, 0);
	while (spool_take_eviction(writer, &eviction))
		assert_int_equal(eviction.lane, LANE_BULK);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(count_files(test->dir, "reserve."), RESERVE / SEGMENT);
	for (uint64_t number = 3001; number < 6000; number++) {
		assert_int_equal(put_frame(writer, LANE_BULK, number, FRAME_MAX), 0);
		assert_true(spool_bytes(writer) <= LIMIT);
		if (number % 16 == 0)
			assert_int_equal(spool_sync(writer), 0);
	}
	assert_int_equal(count_files(test->dir, "reserve."), RESERVE / SEGMENT);
	spool_writer_free(writer);
}

/* A power cut can give a segment its old name back, with frames in it. */
static void old_reserve_is_not_used(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_with(test->dir, RESERVE, 0);
	char path[128];
	uint8_t *bytes;
	size_t size;

	spool_writer_free(writer);
	snprintf(path, sizeof(path), "%s/keep/reserve.0", test->dir);
	spill(path, "HINOSEG1 and what was in it", 27);
	writer = open_with(test->dir, RESERVE, 0);
	bytes = slurp(path, &size);
	assert_int_equal(size, SEGMENT);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], 0);
	free(bytes);
	spool_writer_free(writer);
}

/* As if it had been written so long ago. */
static void make_old(const struct test_spool *test, enum lane lane, unsigned number, int64_t age_s)
{
	struct timespec times[2];
	char path[256];

	segment_path(test, lane, number, path, sizeof(path));
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age_s;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void old_segments_go(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_with(test->dir, 0, 0);
	struct spool_eviction eviction;
	uint64_t gone[LANES] = {0};
	struct pass pass;

	put_frames(writer, LANE_KEEP, 1, 200, FRAME_MAX);
	put_frames(writer, LANE_BULK, 1, 200, FRAME_MAX);
	spool_writer_free(writer);
	for (unsigned number = 1; number <= 2; number++)
		for (int lane = 0; lane < LANES; lane++)
			make_old(test, (enum lane)lane, number, 7200);
	make_old(test, LANE_KEEP, 3, 1800); /* not old enough */
	make_old(test, LANE_BULK, 4, 7200); /* a younger one is before it */
	writer = open_with(test->dir, 0, 3600 * NS_PER_SEC);
	assert_int_equal(spool_sync(writer), 0);
	while (spool_take_eviction(writer, &eviction)) {
		assert_true(eviction.aged && !eviction.error && !eviction.released);
		assert_int_equal(eviction.first_frame, gone[eviction.lane] + 1);
		gone[eviction.lane] = eviction.last_frame;
	}
	spool_writer_free(writer);
	for (int lane = 0; lane < LANES; lane++) {
		assert_true(gone[lane] > 40 && gone[lane] < 100);
		pass = read_lane(test->dir, (enum lane)lane, 0, FRAME_MAX);
		assert_int_equal(pass.first, gone[lane] + 1);
		assert_int_equal(pass.last, 200);
	}
}

/* One that is filled slowly is closed in time; the end of the chain stays whatever its age. */
static void slow_segments_go_too(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_with(test->dir, 0, 400 * NS_PER_MS);
	struct spool_eviction eviction;
	uint64_t gone = 0;

	for (uint64_t number = 1; number <= 12; number++) {
		assert_int_equal(put_frame(writer, LANE_KEEP, number, FRAME_MAX), 0);
		assert_int_equal(spool_sync(writer), 0);
		usleep(60000);
		while (spool_take_eviction(writer, &eviction))
			gone = eviction.last_frame;
	}
	assert_in_range(gone, 1, 11);
	usleep(900000);
	assert_int_equal(spool_sync(writer), 0);
	spool_writer_free(writer);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).last, 12);
}

static void spool_that_is_taken_away(void **state)
{
	static const char *const parts[] = {"",
					    "/keep",
					    "/bulk",
					    "/lock",
					    "/keep/durable",
					    "/bulk/evicted",
					    "/keep/0000000000000001.seg"};
	const struct test_spool *test = *state;
	char path[160], other[160];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct spool_writer *writer = open_with(test->dir, 0, 0);

		put_frames(writer, LANE_KEEP, 1, 3, FRAME_MAX);
		assert_int_equal(spool_in_place(writer), 0);
		snprintf(path, sizeof(path), "%s%s", test->dir, parts[i]);
		snprintf(other, sizeof(other), "%s/away", test->top);
		assert_int_equal(rename(path, other), 0);
		assert_int_equal(spool_in_place(writer), -ESTALE);
		assert_int_equal(rename(other, path), 0);
		assert_int_equal(spool_in_place(writer), 0);
		spool_writer_free(writer);
		remove_tree(test->dir);
	}
}

/* Frames that are durable before the one that declares it do not count. */
static void eviction_stays_until_its_own_frame(void **state)
{
	const struct test_spool *test = *state;
	struct spool_eviction eviction, again;
	struct spool_writer *writer = open_writer(test->dir, 64 << 10, 0);
	uint64_t bulk = 0;

	while (!spool_take_eviction(writer, &eviction)) {
		put_frames(writer, LANE_BULK, bulk + 1, bulk + 1, FRAME_MAX);
		bulk++;
		assert_int_equal(spool_sync(writer), 0);
	}
	put_frames(writer, LANE_KEEP, 1, 1,
		   FRAME_MAX); /* was full already: the gap is in the next */
	spool_declare(writer, 2);
	spool_writer_free(writer);
	writer = open_writer(test->dir, 64 << 10, 0);
	assert_int_equal(spool_take_eviction(writer, &again), 1);
	assert_int_equal(again.last_frame, eviction.last_frame);
	spool_declare(writer, 2);
	put_frames(writer, LANE_KEEP, 2, 2, FRAME_MAX);
	spool_writer_free(writer);
	writer = open_writer(test->dir, 64 << 10, 0);
	assert_int_equal(spool_take_eviction(writer, &again), 0);
	spool_writer_free(writer);
}

static void torn_end_is_repaired(void **state)
{
	const struct test_spool *test = *state;
	CLEANUP(fclose) FILE *null = fopen("/dev/null", "w");
	struct spool_writer *writer = open_with(test->dir, 0, 0);
	char path[256];
	uint8_t *bytes;
	size_t size;

	put_frames(writer, LANE_KEEP, 1, 5, FRAME_MAX);
	spool_writer_free(writer);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	bytes = slurp(path, &size);
	spill(path, bytes, size - 100); /* without its foot, and part of the last frame */
	free(bytes);
	snprintf(path, sizeof(path), "%s/keep/durable", test->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(spool_check(test->dir, null), 1);
	assert_int_equal(spool_repair(test->dir), 0);
	assert_int_equal(spool_check(test->dir, null), 0);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).last, 4);
	writer = open_with(test->dir, 0, 0);
	assert_int_equal(spool_repair(test->dir), -EBUSY);
	spool_writer_free(writer);
	assert_int_equal(spool_repair("/nowhere/at/all"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(reserve_without_fallocate),
		SPOOL_TEST(full_disk_leaves_the_reserve),
		SPOOL_TEST(no_inode_is_needed),
		SPOOL_TEST(reserve_is_part_of_the_limit),
		SPOOL_TEST(old_reserve_is_not_used),
		SPOOL_TEST(old_segments_go),
		SPOOL_TEST(slow_segments_go_too),
		SPOOL_TEST(spool_that_is_taken_away),
		SPOOL_TEST(eviction_stays_until_its_own_frame),
		SPOOL_TEST(torn_end_is_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
