/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk with a volatile cache, cut off after every single system call of a
 * recorded run (every fourth without HINOMI_FAULTS_FULL): synced is there, of the rest any part may
 * be, down to sectors. The judge knows from the recorded bytes what was published at that moment.
 */
#include "spool_disk.h"

#define FRAME_SIZE 400
#define LIMIT	   (96 << 10)

static bool may_damage; /* a failed sync left it behind */

/* All that was published is there, but for what was evicted and says so. */
static void judge(const char *dir, enum lane lane, uint64_t until, uint64_t gone)
{
	struct spool_position start = {0};
	uint64_t expect = gone + 1;
	struct spool_reader *reader;
	const void *frame;
	size_t size;
	int r;

	assert_int_equal(spool_reader_open(dir, lane, start, &reader), 0);
	while ((r = spool_read(reader, &frame, &size))) {
		uint64_t number = spool_reader_number(reader);

		if (r == -EBADMSG) {
			/* only what was never published, or a failed sync left behind */
			assert_true(expect > until || may_damage);
			continue;
		}
		assert_int_equal(r, 1);
		assert_true(is_right(reader, frame, size, FRAME_SIZE));
		assert_true(number <= expect || expect > until);
		if (number >= expect)
			expect = number + 1;
	}
	spool_reader_free(reader);
	assert_true(expect > until);
}

static void recover_and_judge(const char *dir, const struct op *last)
{
	uint64_t gone[LANES];
	struct spool_eviction eviction;
	struct spool_writer *writer;

	memcpy(gone, last->evicted, sizeof(gone));
	writer = open_writer(dir, LIMIT, 0);
	while (spool_take_eviction(writer, &eviction))
		if (!eviction.error && eviction.last_frame > gone[eviction.lane])
			gone[eviction.lane] = eviction.last_frame;
	judge(dir, LANE_KEEP, last->promised[LANE_KEEP], gone[LANE_KEEP]);
	judge(dir, LANE_BULK, last->promised[LANE_BULK], gone[LANE_BULK]);
	assert_int_equal(put_frame(writer, LANE_KEEP, 1000000, FRAME_SIZE), 0);
	spool_writer_free(writer);
	assert_int_equal(read_lane(dir, LANE_KEEP, 0, FRAME_SIZE).last, 1000000);
}

/* As SIGKILL does: nothing is finished, nothing synced. */
static void kill_writer(struct spool_writer *writer)
{
	for (int i = 0; i < LANES; i++) {
		struct lane_writer *lane = &writer->lanes[i];

		if (lane->active.fd >= 0)
			close(lane->active.fd);
		lane->active.fd = -1;
	}
	writer->opened = false;
	spool_writer_free(writer);
}

/* As the sensor recovers its chain. */
static uint64_t last_number(const char *dir, enum lane lane)
{
	struct spool_position last;
	struct spool_reader *reader;
	struct pass pass;

	assert_int_equal(spool_last_segment(dir, lane, &last), 0);
	if (!last.segment)
		return 0;
	assert_int_equal(spool_reader_open(dir, lane, last, &reader), 0);
	spool_reader_all(reader);
	pass = read_on(reader, FRAME_SIZE);
	spool_reader_free(reader);
	return pass.last;
}

static void run(const char *dir)
{
	const struct spool_options options = {.limit_bytes = LIMIT, .reader_gid = -1};
	struct spool_eviction eviction;
	uint64_t number[LANES] = {0};
	struct spool_writer *writer;

	for (int restart = 0; restart < 4; restart++) {
		while (spool_writer_open(dir, &options, &writer))
			assert_true(fail_every); /* and the service manager starts it again */
		number[LANE_KEEP] = last_number(dir, LANE_KEEP);
		number[LANE_BULK] = last_number(dir, LANE_BULK);
		for (int i = 0; i < 60 + restart; i++) {
			for (int k = 0; k < 5; k++) {
				enum lane lane = k ? LANE_BULK : LANE_KEEP;

				number[lane] +=
					!put_frame(writer, lane, number[lane] + 1, FRAME_SIZE);
			}
			if (dice() % 4 == 0)
				spool_sync(writer);
			while (spool_take_eviction(writer, &eviction))
				if (eviction.last_frame > evicted[eviction.lane])
					evicted[eviction.lane] = eviction.last_frame;
		}
		if (restart < 3)
			kill_writer(writer);
		else
			spool_writer_free(writer);
	}
	assert_true(evicted[LANE_BULK] > 100);
	assert_int_equal(promised[LANE_KEEP], number[LANE_KEEP]);
	assert_int_equal(promised[LANE_BULK], number[LANE_BULK]);
}

/* What is on the disk now is where the next recording begins. */
static void record_image(const char *dir)
{
	for (unsigned lane = 0; lane < LANES; lane++) {
		unsigned count = nfiles;

		for (unsigned file = 0; file < count; file++) {
			char path[256];
			struct op *op;

			snprintf(path, sizeof(path), "%s/%s/%s", dir, lane_name((enum lane)lane),
				 files[file].name);
			if (files[file].lane != lane || access(path, F_OK) ||
			    find_file(lane, files[file].name) != file)
				continue;
			record(OP_CREATE, file);
			op = record(OP_WRITE, file);
			op->bytes = slurp(path, &op->size);
			record(OP_SYNC, file);
		}
		record(OP_DIRECTORY_SYNC, lane);
	}
}

/* The power fails again while the next start repairs what the first failure left. */
static void cut_recovery(const char *image, const struct op *last)
{
	struct op *outer = ops;
	unsigned outer_ops = nops, outer_files = nfiles, first;
	struct op judged = *last;

	ops = calloc(OPS_MAX, sizeof(*ops));
	nops = 0;
	memset(directory_of, 0, sizeof(directory_of));
	record_image(image);
	first = nops;
	start_recording();
	spool_writer_free(open_writer(image, LIMIT, 0));
	spool_io = real;
	for (unsigned cut = first; cut <= nops; cut++) {
		make_image(image, cut);
		recover_and_judge(image, &judged);
	}
	for (unsigned i = 0; i < nops; i++)
		free(ops[i].bytes);
	free(ops);
	ops = outer;
	nops = outer_ops;
	nfiles = outer_files;
}

static void cut_recording(const struct test_spool *test, unsigned first, unsigned step)
{
	unsigned cuts = 0;
	char image[128];

	spool_io = real;
	snprintf(image, sizeof(image), "%s/image", test->top);
	for (unsigned cut = first; cut <= nops; cut += step, cuts++) {
		seed = cut * 1000003ull;
		make_image(image, cut);
		if (cuts % 25 == 7)
			cut_recovery(image, &ops[cut - 1]);
		else
			recover_and_judge(image, &ops[cut - 1]);
	}
	print_message("%u power cuts\n", cuts);
	forget_run();
}

static void cut_everywhere(void **state, unsigned long failing, uint64_t start)
{
	const struct test_spool *test = *state;
	unsigned step = getenv("HINOMI_FAULTS_FULL") ? 1 : 4;

	seed = start;
	fail_every = failing;
	may_damage = failing > 0;
	start_recording();
	run(test->dir);
	fail_every = 0;
	cut_recording(test, 1 + (unsigned)start % step, step);
}

/* The next start reads it from memory, and must not unlink by what the disk does not have. */
static void marker_that_is_not_on_disk(void **state)
{
	const struct test_spool *test = *state;
	struct spool_writer *writer;
	unsigned first;

	seed = 7;
	may_damage = false;
	start_recording();
	writer = open_writer(test->dir, LIMIT, 0);
	fail_name = "evicted";
	for (uint64_t number = 1; !put_frame(writer, LANE_BULK, number, FRAME_SIZE); number++)
		if (number % 10 == 0)
			assert_int_equal(spool_sync(writer), 0);
	kill_writer(writer);
	fail_name = NULL;
	first = nops;
	spool_writer_free(open_writer(test->dir, LIMIT, 0));
	cut_recording(test, first, 1);
}

static void any_moment(void **state)
{
	cut_everywhere(state, 0, 42);
}
static void any_moment_after_failed_syncs(void **state)
{
	cut_everywhere(state, 7, 42);
}
static void where_one_sync_in_three_fails(void **state)
{
	cut_everywhere(state, 3, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(any_moment),
		SPOOL_TEST(any_moment_after_failed_syncs),
		SPOOL_TEST(where_one_sync_in_three_fails),
		SPOOL_TEST(marker_that_is_not_on_disk),
	};
	int failed;

	setenv("TMPDIR", "/dev/shm", 0); /* the cache is ours */
	ops = calloc(OPS_MAX, sizeof(*ops));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(ops);
	return failed;
}
