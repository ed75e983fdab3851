/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the spool share: a directory of their own, and frames that tell whether they
 * are right. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "spool/spool.h"

#define FRAME_MAX 4096

/* xorshift: the same on every machine */
static inline uint64_t mix(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ull;
	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 29;
}

static inline size_t frame_size(uint64_t number, size_t max)
{
	return 1 + (size_t)(mix(number) % max);
}

static inline void frame_fill(uint64_t number, uint8_t *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)mix(number * 31 + i / 8) ^ (uint8_t)i;
}

static inline int put_frame(struct spool_writer *writer, enum lane lane, uint64_t number,
			    size_t max)
{
	static uint8_t bytes[SPOOL_FRAME_BYTES_MAX];
	size_t size = frame_size(number, max);

	frame_fill(number, bytes, size);
	return spool_append(writer, lane, number, bytes, size);
}

static inline void put_frames(struct spool_writer *writer, enum lane lane, uint64_t first,
			      uint64_t last, size_t max)
{
	for (uint64_t number = first; number <= last; number++)
		assert_int_equal(put_frame(writer, lane, number, max), 0);
}

/* Is it the frame that was appended under its number? */
static inline int is_right(const struct spool_reader *reader, const void *frame, size_t size,
			   size_t max)
{
	static uint8_t bytes[SPOOL_FRAME_BYTES_MAX];
	uint64_t number = spool_reader_number(reader);

	if (size != frame_size(number, max))
		return 0;
	frame_fill(number, bytes, size);
	return !memcmp(bytes, frame, size);
}

/* What one pass over a lane gives until it returns 0. */
struct pass {
	uint64_t frames, first, last;
	uint64_t damages, damaged_bytes, missing_segments;
	uint64_t holes;	  /* numbers that do not follow the one before */
	uint64_t repeats; /* numbers not above the one before */
	int error;
};

static inline struct pass read_on(struct spool_reader *reader, size_t max)
{
	struct pass pass = {0};
	const void *frame;
	size_t size;
	int r;

	while ((r = spool_read(reader, &frame, &size))) {
		struct spool_damage damage = spool_reader_damage(reader);
		uint64_t number = spool_reader_number(reader);

		if (r == -EBADMSG) {
			pass.damages++;
			pass.damaged_bytes += damage.bytes;
			pass.missing_segments += damage.segments;
			continue;
		}
		if (r < 0) {
			pass.error = r;
			break;
		}
		assert_true(is_right(reader, frame, size, max));
		if (!pass.frames++)
			pass.first = number;
		else if (number <= pass.last)
			pass.repeats++;
		else if (number != pass.last + 1)
			pass.holes++;
		pass.last = number;
	}
	return pass;
}

static inline struct pass read_lane(const char *dir, enum lane lane, int all, size_t max)
{
	struct spool_position start = {0};
	struct spool_reader *reader;
	struct pass pass = {0};

	pass.error = spool_reader_open(dir, lane, start, &reader);
	if (pass.error)
		return pass;
	if (all)
		spool_reader_all(reader);
	pass = read_on(reader, max);
	spool_reader_free(reader);
	return pass;
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct test_spool {
	char top[64];
	char dir[96];
};

static inline int make_directory(void **state)
{
	struct test_spool *test = calloc(1, sizeof(*test));
	const char *tmp = getenv("TMPDIR");

	if (!test)
		return -1;
	snprintf(test->top, sizeof(test->top), "%.40s/hinomi-spool-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(test->top))
		return -1;
	snprintf(test->dir, sizeof(test->dir), "%s/spool", test->top);
	*state = test;
	return 0;
}

static inline int remove_directory(void **state)
{
	struct test_spool *test = *state;

	remove_tree(test->top);
	free(test);
	return 0;
}

static inline struct spool_writer *open_writer(const char *dir, uint64_t limit_bytes,
					       uint64_t segment_bytes)
{
	const struct spool_options options = {
		.limit_bytes = limit_bytes, .segment_bytes = segment_bytes, .reader_gid = -1};
	struct spool_writer *writer = NULL;

	assert_int_equal(spool_writer_open(dir, &options, &writer), 0);
	return writer;
}

static inline void segment_path(const struct test_spool *test, enum lane lane, unsigned number,
				char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s/%016x.seg", test->dir, lane == LANE_KEEP ? "keep" : "bulk",
		 number);
}

static inline uint8_t *slurp(const char *path, size_t *size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *bytes;

	assert_true(fd >= 0 && !fstat(fd, &st));
	*size = (size_t)st.st_size;
	bytes = malloc(*size + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *size), (ssize_t)*size);
	return bytes;
}

static inline void spill(const char *path, const void *bytes, size_t size)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
}

/* A small tmpfs that only this process sees; skipped without the right to mount. */
static inline void mount_small(const struct test_spool *test, const char *options)
{
	assert_int_equal(mkdir(test->dir, 0755), 0);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", test->dir, "tmpfs", 0, options)) {
		print_message("skipped: may not mount a tmpfs of its own: %s\n", strerror(errno));
		skip();
	}
}

static inline void unmount_small(const struct test_spool *test)
{
	umount2(test->dir, MNT_DETACH);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
