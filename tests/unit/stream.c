/* SPDX-License-Identifier: Apache-2.0 */
/* Both lanes of a spool as one stream: in the order of time, once each, over damage. */
#include "cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "seal/seal.h"

static char dir[] = "/tmp/hinomi-stream-XXXXXX";
static char spool[64];
static struct spool_writer *writer;
static struct sealer *sealers[LANES];
static uint64_t sequences[LANES];

static const struct seal_identity identity = {"sensor", "boot", "rings"};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	const struct spool_options options = {.reader_gid = -1};
	const struct seal_state fresh = {0};

	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	assert_int_equal(spool_writer_open(spool, &options, &writer), 0);
	for (int lane = 0; lane < LANES; lane++) {
		assert_int_equal(sealer_new((enum lane)lane, &identity, &fresh, &sealers[lane]), 0);
		sequences[lane] = 0;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool_writer_free(writer);
	for (int lane = 0; lane < LANES; lane++)
		sealer_free(sealers[lane]);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A frame with an event at each of the times, durable when it returns. */
static void write_frame(enum lane lane, const uint64_t *times, size_t count)
{
	struct seal_state state;
	const uint8_t *bytes;
	size_t size;

	for (size_t i = 0; i < count; i++) {
		Hinomi__Event body = HINOMI__EVENT__INIT;
		Hinomi__Exec exec = HINOMI__EXEC__INIT;
		Hinomi__Fork fork = HINOMI__FORK__INIT;
		struct event event = {.body = &body, .lane = lane};

		body.lane = (Hinomi__Lane)lane;
		body.time_ns = times[i];
		body.seq = ++sequences[lane];
		event.kind = lane == LANE_KEEP ? KIND_exec : KIND_fork;
		body.body_case = (Hinomi__Event__BodyCase)event.kind;
		if (lane == LANE_KEEP)
			body.exec = &exec;
		else
			body.fork = &fork;
		assert_int_equal(sealer_add(sealers[lane], &event), 0);
	}
	assert_int_equal(sealer_finish(sealers[lane], NULL, 0, false, &bytes, &size), 0);
	sealer_state(sealers[lane], &state);
	assert_int_equal(spool_append(writer, lane, state.number, bytes, size), 0);
	assert_int_equal(spool_sync(writer), 0);
}

#define WRITE(lane, ...)                                   \
	write_frame(lane, (const uint64_t[]){__VA_ARGS__}, \
		    sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static struct stream *open_at(const struct stream_position *from)
{
	struct stream *stream = NULL;

	assert_int_equal(stream_open(spool, from, &stream), 0);
	return stream;
}

/* How many events, which come in the order of time. */
static size_t read_all(struct stream *stream)
{
	const struct frame *frame;
	const Hinomi__Event *event;
	uint64_t last_ns = 0;
	size_t count = 0;
	int got;

	while ((got = stream_next(stream, false, &frame, &event)) == 1) {
		assert_true(event->time_ns >= last_ns);
		last_ns = event->time_ns;
		count++;
	}
	assert_int_equal(got, 0);
	return count;
}

static void test_order(void **state)
{
	const struct stream_position start = {0};
	struct stream *stream;

	(void)state;
	WRITE(LANE_KEEP, 10, 30, 20); /* cpus are not in step */
	WRITE(LANE_KEEP, 28, 60);     /* nor are frames */
	WRITE(LANE_BULK, 5, 15, 25);
	WRITE(LANE_BULK, 40, 45, 70);
	WRITE(LANE_BULK, 65, 80);
	stream = open_at(&start);
	assert_int_equal(read_all(stream), 13);
	WRITE(LANE_KEEP, 90);
	poll(NULL, 0, 10); /* an empty lane is not looked into at every turn */
	assert_int_equal(read_all(stream), 1);
	stream_free(stream);
}

static void test_many_frames(void **state)
{
	const struct stream_position start = {0};
	struct stream *stream;

	(void)state;
	for (uint64_t i = 0; i < 300; i++)
		WRITE(i % 3 ? LANE_BULK : LANE_KEEP, 10 * i + 3, 10 * i + 1, 10 * i + 12);
	stream = open_at(&start);
	assert_int_equal(read_all(stream), 900);
	assert_int_equal(stream_damaged(stream), 0);
	stream_free(stream);
}

static void test_from_end(void **state)
{
	struct stream_position end;
	struct stream *stream;

	(void)state;
	assert_int_equal(stream_end(spool, &end), 0); /* of nothing */
	stream = open_at(&end);
	WRITE(LANE_KEEP, 1, 2, 3);
	assert_int_equal(read_all(stream), 3);
	stream_free(stream);

	WRITE(LANE_BULK, 4, 5);
	assert_int_equal(stream_end(spool, &end), 0);
	stream = open_at(&end);
	assert_int_equal(read_all(stream), 0);
	WRITE(LANE_KEEP, 6);
	WRITE(LANE_BULK, 7);
	poll(NULL, 0, 10);
	assert_int_equal(read_all(stream), 2);
	stream_free(stream);
	assert_int_equal(stream_end("/nonexistent", &end), -ENOENT);
}

/* An event waits for an older one of the other lane, but not forever. */
static void test_patience(void **state)
{
	const struct stream_position start = {0};
	struct stream *stream = open_at(&start);
	const struct frame *frame;
	const Hinomi__Event *event;
	uint64_t until_ns;
	int got;

	(void)state;
	WRITE(LANE_KEEP, 20);
	poll(NULL, 0, 10);
	assert_int_equal(stream_next(stream, true, &frame, &event), 0);
	WRITE(LANE_BULK, 10);
	stream_wait(stream, 1000);
	assert_int_equal(stream_next(stream, true, &frame, &event), 1);
	assert_int_equal(event->time_ns, 10);
	until_ns = clock_boot_ns() + 5 * NS_PER_SEC;
	do
		got = stream_next(stream, true, &frame, &event);
	while (!got && clock_boot_ns() < until_ns);
	assert_int_equal(got, 1);
	assert_int_equal(event->time_ns, 20);
	stream_free(stream);
}

static void test_damage(void **state)
{
	const struct stream_position start = {0};
	struct stream *stream;
	char path[128];
	uint8_t byte;
	int fd;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		WRITE(LANE_KEEP, i);
	snprintf(path, sizeof(path), "%s/keep/0000000000000001.seg", spool);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 600), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, 600), 1);
	close(fd);
	log_set_level(LOG_LEVEL_ERROR);
	stream = open_at(&start);
	assert_int_equal(read_all(stream), 9);
	assert_int_equal(stream_damaged(stream), 1);
	log_set_level(LOG_LEVEL_INFO);
	stream_free(stream);
}

/* What is whole on disk and no frame, and a segment that is gone: the rest is shown. */
static void test_nonsense(void **state)
{
	const struct stream_position start = {0};
	struct stream *stream;
	char path[128];

	(void)state;
	WRITE(LANE_KEEP, 1);
	assert_int_equal(spool_append(writer, LANE_KEEP, 2, "no frame", 8), 0);
	WRITE(LANE_KEEP, 3);
	log_set_level(LOG_LEVEL_ERROR);
	stream = open_at(&start);
	assert_int_equal(read_all(stream), 2);
	assert_int_equal(stream_damaged(stream), 1);
	stream_free(stream);
	for (unsigned segment = 2; segment <= 3; segment++) {
		spool_writer_free(writer);
		assert_int_equal(spool_writer_open(spool, &(struct spool_options){.reader_gid = -1},
						   &writer),
				 0);
		WRITE(LANE_KEEP, segment * 10);
	}
	snprintf(path, sizeof(path), "%s/keep/%016x.seg", spool, 2);
	assert_int_equal(unlink(path), 0);
	stream = open_at(&start);
	assert_int_equal(read_all(stream), 3);
	assert_int_equal(stream_damaged(stream), 2);
	log_set_level(LOG_LEVEL_INFO);
	stream_free(stream);
}

static void count_frame(void *ctx, const struct frame *frame)
{
	(void)frame;
	++*(size_t *)ctx;
}

/* whoever counts the ledger sees frames without events as well */
static void test_every_frame_is_seen(void **state)
{
	const struct stream_position start = {0};
	struct stream *stream;
	size_t seen = 0;

	(void)state;
	WRITE(LANE_KEEP, 1);
	write_frame(LANE_KEEP, NULL, 0);
	write_frame(LANE_BULK, NULL, 0);
	stream = open_at(&start);
	stream_on_frame(stream, count_frame, &seen);
	assert_int_equal(read_all(stream), 1);
	assert_int_equal(seen, 3);
	stream_free(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_many_frames),
		TEST(test_from_end),
		TEST(test_patience),
		TEST(test_damage),
		TEST(test_nonsense),
		TEST(test_every_frame_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
