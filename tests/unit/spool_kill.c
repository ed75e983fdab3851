/* SPDX-License-Identifier: Apache-2.0 */
/* The spool between processes and threads: killed writers, readers beside them. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "spool_tools.h"

#define KILLS	 50
#define SEED	 20240607
#define KILL_MAX (2 * FRAME_MAX)

static void sleep_us(uint64_t us)
{
	struct timespec time = {.tv_sec = (time_t)(us / 1000000),
				.tv_nsec = (long)(us % 1000000 * 1000)};

	nanosleep(&time, NULL);
}

/* As the sensor recovers its chain. */
static uint64_t last_number(const char *dir, enum lane lane)
{
	struct spool_position last = {0};
	struct spool_reader *reader;
	struct pass pass;

	if (spool_last_segment(dir, lane, &last) || !last.segment ||
	    spool_reader_open(dir, lane, last, &reader))
		return 0;
	spool_reader_all(reader);
	pass = read_on(reader, KILL_MAX);
	spool_reader_free(reader);
	return pass.last;
}

/* Appends to both lanes until it is killed; says through the pipe what is durable. */
static void write_until_killed(const char *dir, int pipe, uint64_t seed)
{
	const struct spool_options options = {.segment_bytes = 128 << 10, .reader_gid = -1};
	struct spool_writer *writer;
	uint64_t number[LANES];

	if (spool_writer_open(dir, &options, &writer))
		_exit(1);
	for (int lane = 0; lane < LANES; lane++)
		number[lane] = last_number(dir, (enum lane)lane);
	for (;;) {
		for (uint64_t n = mix(seed++) % 20; n; n--) {
			enum lane lane = (enum lane)(mix(seed + n) % LANES);

			if (put_frame(writer, lane, ++number[lane], KILL_MAX))
				_exit(2);
		}
		if (spool_sync(writer) || write(pipe, number, sizeof(number)) != sizeof(number))
			_exit(3);
	}
}

static void run_and_kill(const char *dir, uint64_t seed, uint64_t durable[LANES])
{
	uint64_t said[LANES];
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		close(ends[0]);
		write_until_killed(dir, ends[1], seed);
	}
	close(ends[1]);
	sleep_us(1000 + mix(seed) % 60000);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(ends[0], said, sizeof(said)) == sizeof(said))
		memcpy(durable, said, sizeof(said));
	close(ends[0]);
}

static void killed_writers(void **state)
{
	const struct test_spool *test = *state;
	uint64_t durable[LANES] = {0};
	struct spool_writer *writer;
	struct pass pass;

	/* a busy machine leaves the writers less time: then there are more of them */
	for (uint64_t i = 0; i < KILLS || durable[0] < 200 || durable[1] < 200; i++) {
		assert_true(i < 100 * KILLS);
		run_and_kill(test->dir, SEED + i * 1000, durable);
		for (int lane = 0; lane < LANES && durable[0] + durable[1]; lane++) {
			/* before the next start: what was published, no more, no less than was
			 * promised */
			pass = read_lane(test->dir, (enum lane)lane, 0, KILL_MAX);
			assert_true(pass.last >= durable[lane]);
			assert_int_equal(pass.holes + pass.repeats + pass.damages, 0);
		}
	}
	writer = open_writer(test->dir, 0, 0);
	assert_false(spool_lost_end(writer, LANE_KEEP) || spool_lost_end(writer, LANE_BULK));
	spool_writer_free(writer);
	for (int lane = 0; lane < LANES; lane++) {
		pass = read_lane(test->dir, (enum lane)lane, 0, KILL_MAX);
		assert_int_equal(pass.first, 1);
		assert_true(pass.frames > 100 && pass.last >= durable[lane]);
		assert_int_equal(pass.holes + pass.repeats + pass.damages, 0);
	}
}

/* Reads while another process writes and evicts; every frame is right, in order, once. */
static int follow(const char *dir, uint64_t until)
{
	struct spool_position start = {0};
	struct spool_reader *reader = NULL;
	uint64_t last = 0, frames = 0;
	const void *frame;
	size_t size;
	int watch = -1, r;

	while (watch < 0) {
		sleep_us(1000);
		watch = spool_watch_open(dir);
	}
	if (spool_reader_open(dir, LANE_BULK, start, &reader))
		return 1;
	while (last < until) {
		r = spool_read(reader, &frame, &size);
		if (!r) {
			sleep_us(500);
			spool_watch_clear(watch);
			continue;
		}
		if (r == -EBADMSG && spool_reader_damage(reader).evicted)
			continue;
		if (r != 1 || !is_right(reader, frame, size, FRAME_MAX) ||
		    spool_reader_number(reader) <= last)
			return 2;
		last = spool_reader_number(reader);
		frames++;
	}
	spool_reader_free(reader);
	close(watch);
	return frames > until / 50 ? 0 : 3;
}

static void reader_beside_a_writer(void **state)
{
	const struct test_spool *test = *state;
	const uint64_t until = 20000;
	struct spool_eviction eviction;
	struct spool_writer *writer;
	pid_t readers[2];
	int status;

	for (int i = 0; i < 2; i++) {
		readers[i] = fork();
		if (!readers[i])
			_exit(follow(test->dir, until));
	}
	writer = open_writer(test->dir, 4 << 20, 64 << 10);
	for (uint64_t number = 1; number <= until; number++) {
		assert_int_equal(put_frame(writer, LANE_BULK, number, FRAME_MAX), 0);
		if (mix(number) % 50 == 0)
			assert_int_equal(spool_sync(writer), 0);
		while (spool_take_eviction(writer, &eviction))
			;
	}
	spool_writer_free(writer);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
		assert_int_equal(status, 0);
	}
}

struct syncing {
	struct spool_writer *writer;
	_Atomic bool stop;
	unsigned long syncs;
};

static void *sync_all_the_time(void *context)
{
	struct syncing *syncing = context;
	struct spool_health health;

	while (!syncing->stop) {
		if (spool_sync(syncing->writer))
			return syncing;
		spool_health(syncing->writer, &health);
		syncing->syncs++;
	}
	return NULL;
}

static void sync_from_another_thread(void **state)
{
	const struct test_spool *test = *state;
	struct syncing syncing = {.writer = open_writer(test->dir, 8 << 20, 64 << 10)};
	struct spool_eviction eviction;
	uint64_t gone = 0;
	struct pass pass;
	pthread_t thread;
	void *failed;

	assert_int_equal(pthread_create(&thread, NULL, sync_all_the_time, &syncing), 0);
	for (uint64_t number = 1; number <= 10000; number++) {
		assert_int_equal(put_frame(syncing.writer, LANE_KEEP, number, FRAME_MAX), 0);
		while (spool_take_eviction(syncing.writer, &eviction))
			gone = eviction.last_frame;
		assert_true(spool_bytes(syncing.writer) <= 8 << 20);
	}
	syncing.stop = true;
	pthread_join(thread, &failed);
	assert_null(failed);
	assert_true(syncing.syncs > 0);
	while (spool_take_eviction(syncing.writer, &eviction))
		gone = eviction.last_frame;
	spool_writer_free(syncing.writer);
	pass = read_lane(test->dir, LANE_KEEP, 0, FRAME_MAX);
	assert_int_equal(pass.first, gone + 1);
	assert_int_equal(pass.last, 10000);
	assert_int_equal(pass.holes + pass.damages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(killed_writers),
		SPOOL_TEST(reader_beside_a_writer),
		SPOOL_TEST(sync_from_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
