// SPDX-License-Identifier: Apache-2.0
/* A disk that cannot read some of its blocks, and one that lost frames which declared others gone.
 */
#include <sys/syscall.h>

#include "spool/io.h"
#include "spool_tools.h"

#define BLOCK 4096
#define FIXED 1000 /* bytes of a frame */

static struct {
	int strikes;   /* how often a block was asked for that cannot be read */
	off_t block;   /* 0: all can */
	int bad_syncs; /* to come */
} disk;

/* Instead of libc's, for the whole program. */
ssize_t pread(int fd, void *to, size_t size, off_t at)
{
	if (disk.block && at < disk.block + BLOCK && at + (off_t)size > disk.block) {
		disk.strikes++;
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, to, size, at);
}

static int bad_fdatasync(int fd)
{
	if (!disk.bad_syncs)
		return fdatasync(fd);
	disk.bad_syncs--;
	errno = EIO;
	return -1;
}

static void fill_fixed(struct spool_writer *writer, uint64_t last)
{
	uint8_t bytes[FIXED];

	for (uint64_t number = 1; number <= last; number++) {
		memset(bytes, (int)number, sizeof(bytes));
		assert_int_equal(spool_append(writer, LANE_KEEP, number, bytes, sizeof(bytes)), 0);
	}
	assert_int_equal(spool_sync(writer), 0);
}

/* Only the frames that lie in the block are lost, wherever it lies. */
static void unreadable_block(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 0);
	struct spool_position start = {0};

	fill_fixed(writer, 100);
	spool_writer_free(writer);
	for (disk.block = BLOCK; disk.block < 90 * FIXED; disk.block += BLOCK) {
		struct spool_reader *reader;
		unsigned frames = 0, damages = 0;
		uint64_t last = 0;
		const void *frame;
		size_t size;
		int r;

		disk.strikes = 0;
		assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, start, &reader), 0);
		while ((r = spool_read(reader, &frame, &size))) {
			assert_true(r == 1 || r == -EBADMSG);
			damages += r == -EBADMSG;
			if (r != 1)
				continue;
			frames++;
			last = spool_reader_number(reader);
			assert_int_equal(*(const uint8_t *)frame, (uint8_t)last);
		}
		spool_reader_free(reader);
		assert_true(disk.strikes > 0);
		assert_in_range(damages, 1, BLOCK / FIXED + 2);
		assert_in_range(frames, 100 - (BLOCK / FIXED + 2), 99);
		assert_int_equal(last, 100);
	}
	disk.block = 0;
}

/* The newest frame of bulk that evictions name; what is declared from now on is in `number`. */
static uint64_t take_evictions(struct spool_writer *writer, uint64_t number)
{
	struct spool_eviction eviction;
	uint64_t newest = 0;

	while (spool_take_eviction(writer, &eviction))
		if (eviction.lane == LANE_BULK && eviction.last_frame > newest)
			newest = eviction.last_frame;
	spool_declare(writer, number);
	return newest;
}

/* The window keeps what was written first: the newest frame is lost, and with it what it told. */
static void lost_declaration_is_told_again(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 24 << 20, 1 << 20);
	uint64_t newest;

	put_frames(writer, LANE_BULK, 1, 12000, 2 * FRAME_MAX);
	put_frames(writer, LANE_KEEP, 1, 2999, 2 * FRAME_MAX);
	newest = take_evictions(writer, 3000);
	assert_true(newest > 0);
	put_frames(writer, LANE_KEEP, 3000, 3000, 2 * FRAME_MAX);
	disk.bad_syncs = 1;
	spool_io.fdatasync = bad_fdatasync;
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(disk.bad_syncs, 0);
	assert_true(read_lane(test->dir, LANE_KEEP, 0, 2 * FRAME_MAX).last < 3000);
	assert_int_equal(take_evictions(writer, 3001), newest);
	spool_writer_free(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(unreadable_block),
		SPOOL_TEST(lost_declaration_is_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
