/* SPDX-License-Identifier: Apache-2.0 */
/* The spool on a disk that does what it should: order, rotation, bounds, damage. */
#include <poll.h>
#include <sys/wait.h>

#include "spool/format.h"
#include "spool_tools.h"

static void round_trip(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 0);
	struct spool_position none = {0}, before = {0};
	struct spool_reader *reader;
	const void *frame;
	size_t size;

	assert_int_equal(spool_append(writer, LANE_KEEP, 1, "", 0), -EINVAL);
	assert_int_equal(spool_append(writer, LANE_KEEP, 1, "x", SPOOL_FRAME_BYTES_MAX + 1),
			 -EINVAL);
	put_frames(writer, LANE_KEEP, 1, 300, FRAME_MAX);
	put_frames(writer, LANE_BULK, 7, 9, SPOOL_FRAME_BYTES_MAX);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames, 0);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(read_lane(test->dir, LANE_BULK, 0, SPOOL_FRAME_BYTES_MAX).frames, 3);

	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, none, &reader), 0);
	for (uint64_t number = 1; number <= 300; number++) {
		assert_int_equal(spool_read(reader, &frame, &size), 1);
		assert_int_equal(spool_reader_number(reader), number);
		assert_true(is_right(reader, frame, size, FRAME_MAX));
		if (number > 1)
			assert_int_equal(spool_reader_at(reader).offset, before.offset);
		before = spool_reader_next(reader);
	}
	assert_int_equal(spool_read(reader, &frame, &size), 0);
	spool_reader_free(reader);

	/* a cursor goes on where it was */
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, before, &reader), 0);
	put_frames(writer, LANE_KEEP, 301, 310, FRAME_MAX);
	assert_int_equal(spool_read(reader, &frame, &size), 0);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 1, FRAME_MAX).frames, 310);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 1, FRAME_MAX).damages, 0);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(read_on(reader, FRAME_MAX).first, 301);
	spool_reader_free(reader);
	spool_writer_free(writer);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames, 310);
}

static void check_is_silent(const char *dir)
{
	CLEANUP(fclose) FILE *null = fopen("/dev/null", "w");

	assert_int_equal(spool_check(dir, null), 0);
}

static void rotation_and_restart(void **state)
{
	const struct test_spool *test = *state;
	struct spool_position last;
	uint64_t number = 1;

	for (int round = 0; round < 5; round++) {
		struct spool_writer *writer = open_writer(test->dir, 0, 16384);
		struct pass pass;

		for (int i = 0; i < 40; i++, number++) {
			assert_int_equal(put_frame(writer, LANE_KEEP, number, FRAME_MAX), 0);
			if (i % 7 == 3)
				assert_int_equal(spool_sync(writer), 0);
		}
		spool_writer_free(writer);
		pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
		assert_int_equal(pass.frames, number - 1);
		assert_int_equal(pass.holes + pass.damages + pass.repeats, 0);
		check_is_silent(test->dir);
	}
	assert_int_equal(spool_last_segment(test->dir, LANE_KEEP, &last), 0);
	assert_true(last.segment > 10);
	assert_int_equal(spool_last_segment(test->dir, LANE_BULK, &last), 0);
	assert_int_equal(last.segment, 0);
}

static void more_segments_than_wait_for_a_sync(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 4096);

	for (uint64_t number = 1; number <= 200; number++)
		assert_int_equal(put_frame(writer, LANE_BULK, number, FRAME_MAX), 0);
	spool_writer_free(writer);
	assert_int_equal(read_lane(test->dir, LANE_BULK, 0, FRAME_MAX).frames, 200);
}

static void one_writer(void **state)
{
	const struct test_spool *test = *state;
	const struct spool_options options = {.reader_gid = -1};
	struct spool_writer *writer = open_writer(test->dir, 0, 0), *second = NULL;
	pid_t child;
	int status;

	assert_int_equal(spool_writer_open(test->dir, &options, &second), -EBUSY);
	child = fork();
	if (!child)
		_exit(spool_writer_open(test->dir, &options, &second) == -EBUSY ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	spool_writer_free(writer);
	spool_writer_free(open_writer(test->dir, 0, 0));
}

static void no_spool(void **state)
{
	const struct test_spool *test = *state;
	struct spool_position none = {0}, far = {.segment = 9, .offset = 128};
	struct spool_reader *reader = NULL;
	struct spool_writer *writer;
	const void *frame;
	size_t size;

	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, none, &reader), -ENOENT);
	assert_int_equal(spool_last_segment(test->dir, LANE_KEEP, &none), -ENOENT);
	assert_int_equal(spool_watch_open(test->dir), -ENOENT);
	assert_int_equal(spool_check(test->dir, stdout), -ENOENT);

	writer = open_writer(test->dir, 0, 0);
	put_frames(writer, LANE_KEEP, 1, 1, FRAME_MAX);
	spool_writer_free(writer);
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, far, &reader), -ESTALE);
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, none, &reader), 0);
	assert_int_equal(spool_read(reader, &frame, &size), 1);
	remove_tree(test->dir);
	assert_int_equal(spool_read(reader, &frame, &size), -ESTALE);
	spool_reader_free(reader);
}

static void permissions(void **state)
{
	const struct test_spool *test = *state;
	const struct spool_options options = {.reader_gid = 12345};
	struct spool_writer *writer;
	char path[128];
	struct stat st;

	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
	umask(0077);
	assert_int_equal(spool_writer_open(test->dir, &options, &writer), 0);
	put_frames(writer, LANE_KEEP, 1, 1, FRAME_MAX);
	assert_int_equal(stat(test->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_gid, 12345);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_gid, 12345);
	snprintf(path, sizeof(path), "%s/keep/durable", test->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_gid, 12345);
	umask(0022);
	spool_writer_free(writer);
}

static void watch_tells(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 0);
	int watch = spool_watch_open(test->dir);
	struct pollfd poller = {.fd = watch, .events = POLLIN};

	assert_true(watch >= 0);
	put_frames(writer, LANE_BULK, 1, 5, FRAME_MAX);
	assert_int_equal(poll(&poller, 1, 0), 0);
	assert_int_equal(spool_sync(writer), 0);
	assert_int_equal(poll(&poller, 1, 1000), 1);
	spool_watch_clear(watch);
	assert_int_equal(poll(&poller, 1, 0), 0);
	close(watch);
	spool_writer_free(writer);
}

/* A process that died: everything is there up to some byte, the bound is somewhere before. */
static void cut_and_recover(const struct test_spool *test, const uint8_t *bytes, size_t size,
			    size_t cut, bool zeros)
{
	char path[128], durable[128];
	struct spool_writer *writer;
	struct pass pass;
	uint8_t *torn = calloc(1, size);

	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	snprintf(durable, sizeof(durable), "%s/keep/durable", test->dir);
	memcpy(torn, bytes, cut);
	spill(path, torn, zeros ? size : cut);
	free(torn);
	unlink(durable);
	segment_path(test, LANE_KEEP, 2, durable, sizeof(durable));
	unlink(durable);
	writer = open_writer(test->dir, 0, 1 << 20);
	pass = read_lane(test->dir, LANE_KEEP, 0, 100);
	assert_int_equal(pass.frames, 9);
	assert_int_equal(pass.holes + pass.damages + pass.repeats, 0);
	put_frames(writer, LANE_KEEP, 10, 11, 100);
	spool_writer_free(writer);
	pass = read_lane(test->dir, LANE_KEEP, 0, 100);
	assert_int_equal(pass.frames, 11);
	assert_int_equal(pass.holes + pass.damages + pass.repeats, 0);
}

static void torn_tail_at_every_byte(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 1 << 20);
	struct spool_position start = {0};
	struct spool_reader *reader;
	const void *frame;
	char path[128];
	size_t size, at;
	uint8_t *bytes;

	put_frames(writer, LANE_KEEP, 1, 10, 100);
	spool_writer_free(writer);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	bytes = slurp(path, &size);
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, start, &reader), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(spool_read(reader, &frame, &size), 1);
	at = spool_reader_at(reader).offset;
	size = spool_reader_next(reader).offset;
	spool_reader_free(reader);
	/* the padding of a frame is part of it only where it is not zero anyway */
	size -= (8 - frame_size(10, 100) % 8) % 8;
	for (size_t cut = at; cut < size; cut++) {
		cut_and_recover(test, bytes, size, cut, false);
		if (cut < size - 1 || bytes[cut])
			cut_and_recover(test, bytes, size + 4096, cut, true);
	}
	free(bytes);
}

/* What is wrong with a foot cannot be told from a crash while it was written: said, and no damage.
 */
static void check_says(const char *dir, bool in_foot)
{
	CLEANUP(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(spool_check(dir, out), !in_foot);
	fclose(out);
	assert_non_null(strstr(text, in_foot ? "not finished" : "damaged at byte"));
}

/* Each bit of a finished segment, one at a time. */
static void every_flip_is_found(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 1 << 20);
	char path[128];
	uint8_t *bytes;
	size_t size;
	uint64_t lost = 0;

	put_frames(writer, LANE_KEEP, 1, 12, 60);
	spool_writer_free(writer);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	bytes = slurp(path, &size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		CLEANUP(close_fd) int fd = open(path, O_WRONLY);
		uint8_t flipped = bytes[bit / 8] ^ (uint8_t)(1 << bit % 8);
		struct pass pass;

		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(bit / 8)), 1);
		pass = read_lane(test->dir, LANE_KEEP, 0, 60);
		assert_int_equal(pass.error, 0);
		/* a foot says nothing to a reader behind the bound; the check says it */
		assert_int_equal(pass.damages, bit / 8 >= size - 64 ? 0 : 1);
		assert_true(pass.frames >= 11);
		lost += 12 - pass.frames;
		if (bit % 8 == 5)
			check_says(test->dir, bit / 8 >= size - 64);
		assert_int_equal(pwrite(fd, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
	}
	assert_int_equal(lost, (size - 192) * 8); /* a record each, none for head and foot */
	free(bytes);
}

static void damage_across_records(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 1 << 20);
	uint8_t junk[5000];
	char path[128];
	struct pass pass;
	int fd;

	put_frames(writer, LANE_KEEP, 1, 100, FRAME_MAX);
	assert_int_equal(spool_sync(writer), 0);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	fd = open(path, O_WRONLY);
	frame_fill(99, junk, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 30001), sizeof(junk));
	assert_int_equal(pwrite(fd, "", 1, 0), 1); /* one copy of the head */
	close(fd);
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_in_range(pass.frames, 90, 99);
	assert_int_equal(pass.holes, 1);
	assert_int_equal(pass.last, 100);
	assert_true(pass.damaged_bytes >= 5000);
	spool_writer_free(writer);
	/* a restart cuts nothing that was durable */
	spool_writer_free(open_writer(test->dir, 0, 1 << 20));
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames, pass.frames);
}

/* Damage at the very end looks like a torn write; the bound tells. */
static void what_was_durable_is_not_cut(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 1 << 20);
	struct spool_position start = {0}, end;
	struct spool_reader *reader;
	char path[128];
	struct stat st;
	int fd;

	put_frames(writer, LANE_KEEP, 1, 10, 100);
	spool_writer_free(writer);
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, start, &reader), 0);
	read_on(reader, 100);
	end = spool_reader_next(reader);
	spool_reader_free(reader);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)end.offset - 9), 1);
	assert_int_equal(ftruncate(fd, (off_t)end.offset), 0); /* and no foot */
	close(fd);
	spool_writer_free(open_writer(test->dir, 0, 1 << 20));
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size >= (off_t)end.offset);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, 100).frames, 9);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, 100).damages, 1);
}

/* What a frame holds is never taken for a record, even where damage makes the reader look for one.
 */
static void frames_in_frames(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 1 << 20);
	struct spool_position start = {0};
	struct spool_reader *reader;
	const void *frame;
	uint8_t *bytes;
	char path[128];
	size_t size;
	int r, fd, inner = 0, outer = 0;

	put_frames(writer, LANE_KEEP, 1, 20, 200);
	assert_int_equal(spool_sync(writer), 0);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	bytes = slurp(path, &size);
	assert_int_equal(spool_append(writer, LANE_BULK, 1000, bytes, size < 4096 ? size : 4096),
			 0);
	assert_int_equal(spool_append(writer, LANE_BULK, 1001, "last", 4), 0);
	free(bytes);
	spool_writer_free(writer);
	segment_path(test, LANE_BULK, 1, path, sizeof(path));
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "damage", 6, 128), 6);
	close(fd);
	assert_int_equal(spool_reader_open(test->dir, LANE_BULK, start, &reader), 0);
	while ((r = spool_read(reader, &frame, &size)))
		if (r == 1) {
			inner += spool_reader_number(reader) < 1000;
			outer += spool_reader_number(reader) == 1001;
		}
	spool_reader_free(reader);
	assert_int_equal(inner, 0);
	assert_int_equal(outer, 1);
}

static void records_are_good_in_their_place(void **state)
{
	struct record record = {.length = 5, .number = 7, .body_crc = 9}, got;
	uint8_t head[RECORD_HEAD_BYTES];

	(void)state;
	record_encode(&record, 42, 128, head);
	assert_true(record_decode(head, 42, 128, &got));
	assert_int_equal(got.length, 5);
	assert_int_equal(got.number, 7);
	assert_int_equal(got.body_crc, 9);
	assert_false(record_decode(head, 43, 128, &got));
	assert_false(record_decode(head, 42, 136, &got));
	record.length = SPOOL_FRAME_BYTES_MAX + 1;
	record_encode(&record, 42, 128, head);
	assert_false(record_decode(head, 42, 128, &got));
}

/* The last frame of a segment that has no foot ends in bytes that look like one. */
static void frame_that_looks_like_a_foot(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 0);
	const struct segment_foot foot = {.id = {.number = 1, .salt = 42},
					  .offset = SEGMENT_HEAD_BYTES + RECORD_HEAD_BYTES};
	struct spool_position start = {0};
	uint8_t bytes[SEGMENT_FOOT_BYTES];
	struct spool_reader *reader;
	char path[128];
	const void *frame;
	size_t size;

	segment_foot_encode(&foot, bytes);
	assert_int_equal(spool_append(writer, LANE_KEEP, 1, bytes, sizeof(bytes)), 0);
	spool_writer_free(writer);
	segment_path(test, LANE_KEEP, 1, path, sizeof(path));
	assert_int_equal(truncate(path, (off_t)(foot.offset + sizeof(bytes))), 0);
	snprintf(path, sizeof(path), "%s/keep/durable", test->dir);
	assert_int_equal(unlink(path), 0);
	spool_writer_free(open_writer(test->dir, 0, 0));
	assert_int_equal(spool_reader_open(test->dir, LANE_KEEP, start, &reader), 0);
	assert_int_equal(spool_read(reader, &frame, &size), 1);
	assert_int_equal(size, sizeof(bytes));
	spool_reader_free(reader);
}

static void without_a_bound(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 16384);
	char durable[128];

	put_frames(writer, LANE_KEEP, 1, 30, FRAME_MAX);
	assert_int_equal(spool_sync(writer), 0);
	snprintf(durable, sizeof(durable), "%s/keep/durable", test->dir);
	spill(durable, "damaged", 7);
	/* a writer is alive: who knows what is durable */
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames, 0);
	spool_writer_free(writer);
	spill(durable, "damaged", 7);
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames, 30);
	spool_writer_free(open_writer(test->dir, 0, 16384));
	assert_int_equal(read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX).frames, 30);
}

static void lost_segment_is_damage(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer = open_writer(test->dir, 0, 16384);
	CLEANUP(free) char *text = NULL;
	char path[128];
	struct pass pass;
	size_t size;
	FILE *out;

	put_frames(writer, LANE_KEEP, 1, 100, FRAME_MAX);
	spool_writer_free(writer);
	segment_path(test, LANE_KEEP, 3, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_int_equal(pass.missing_segments, 1);
	assert_int_equal(pass.holes, 1);
	out = open_memstream(&text, &size);
	assert_int_equal(spool_check(test->dir, out), 1);
	fclose(out);
	assert_non_null(strstr(text, "keep: segments 3 to 3 are missing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(round_trip),
		SPOOL_TEST(rotation_and_restart),
		SPOOL_TEST(more_segments_than_wait_for_a_sync),
		SPOOL_TEST(one_writer),
		SPOOL_TEST(no_spool),
		SPOOL_TEST(permissions),
		SPOOL_TEST(watch_tells),
		SPOOL_TEST(torn_tail_at_every_byte),
		SPOOL_TEST(every_flip_is_found),
		SPOOL_TEST(damage_across_records),
		SPOOL_TEST(what_was_durable_is_not_cut),
		SPOOL_TEST(frames_in_frames),
		cmocka_unit_test(records_are_good_in_their_place),
		SPOOL_TEST(frame_that_looks_like_a_foot),
		SPOOL_TEST(without_a_bound),
		SPOOL_TEST(lost_segment_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
