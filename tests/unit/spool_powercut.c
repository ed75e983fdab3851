/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk with a volatile cache, cut off after every single system call of a recorded run: synced is
 * there; of the call that was cut 0, 1, half, all but 1, 512 or 4,096 bytes, and what was before
 * it; or of all that was not synced any part, down to sectors.  With HINOMI_FAULTS_FULL all of
 * these at every call, else one of them at every second.  The judge knows from the recorded bytes
 * what was published at that moment.
 */
#include <dirent.h>

#include "spool_disk.h"

/* of a run: bytes of a frame at most, of the spool; one in so many segments finds the disk full */
static size_t frame_max;
static uint64_t limit;

static struct spool_writer *open_limited(const char *dir)
{
	const struct spool_options options = {
		.limit_bytes = limit, .reader_gid = -1, .reserve_bytes = limit / 16};
	struct spool_writer *writer = NULL;
	int err;

	/* when a sync fails, the service manager starts it again */
	do
		err = spool_writer_open(dir, &options, &writer);
	while (err && fail_every);
	assert_int_equal(err, 0);
	return writer;
}

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
		assert_true(is_right(reader, frame, size, frame_max));
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
	writer = open_limited(dir);
	for (int lane = 0; lane < LANES; lane++)
		assert_false(last->promised[lane] && !may_damage &&
			     spool_lost_end(writer, (enum lane)lane));
	while (spool_take_eviction(writer, &eviction))
		if (!eviction.error && eviction.last_frame > gone[eviction.lane])
			gone[eviction.lane] = eviction.last_frame;
	judge(dir, LANE_KEEP, last->promised[LANE_KEEP], gone[LANE_KEEP]);
	judge(dir, LANE_BULK, last->promised[LANE_BULK], gone[LANE_BULK]);
	assert_int_equal(put_frame(writer, LANE_KEEP, 1000000, frame_max), 0);
	spool_writer_free(writer);
	assert_int_equal(read_lane(dir, LANE_KEEP, 0, frame_max).last, 1000000);
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
	pass = read_on(reader, frame_max);
	spool_reader_free(reader);
	return pass.last;
}

static void run(const char *dir)
{
	struct spool_eviction eviction;
	uint64_t number[LANES] = {0};
	struct spool_writer *writer;

	for (int restart = 0; restart < 4; restart++) {
		writer = open_limited(dir);
		number[LANE_KEEP] = last_number(dir, LANE_KEEP);
		number[LANE_BULK] = last_number(dir, LANE_BULK);
		for (int i = 0; i < 60 + restart; i++) {
			for (int k = 0; k < 5; k++) {
				enum lane lane = k ? LANE_BULK : LANE_KEEP;

				number[lane] +=
					!put_frame(writer, lane, number[lane] + 1, frame_max);
			}
			if (dice() % 4 == 0)
				spool_sync(writer);
			while (spool_take_eviction(writer, &eviction))
				if (eviction.last_frame > evicted[eviction.lane])
					evicted[eviction.lane] = eviction.last_frame;
			spool_declare(writer, number[LANE_KEEP] + 1);
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

static void record_file(const char *dir, unsigned lane, const char *name)
{
	unsigned file = nfiles++;
	char path[512];
	struct op *op;

	assert_true(nfiles < FILES_MAX);
	files[file] = (struct file){.lane = lane};
	snprintf(files[file].name, NAME_SIZE, "%.*s", NAME_SIZE - 1, name);
	memcpy(files[file].first_name, files[file].name, NAME_SIZE);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	record(OP_CREATE, file);
	op = record(OP_WRITE, file);
	op->bytes = slurp(path, &op->size);
	record(OP_SYNC, file);
}

/* What is on the disk now is where the next recording begins. */
static void record_image(const char *image)
{
	for (unsigned lane = 0; lane < LANES; lane++) {
		struct dirent *entry;
		char dir[256];
		DIR *stream;

		snprintf(dir, sizeof(dir), "%s/%s", image, lane_name((enum lane)lane));
		stream = opendir(dir);
		assert_non_null(stream);
		while ((entry = readdir(stream)))
			if (entry->d_name[0] != '.')
				record_file(dir, lane, entry->d_name);
		closedir(stream);
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
	spool_writer_free(open_limited(image));
	spool_io = real;
	for (unsigned cut = first; cut <= nops; cut++) {
		make_image(image, cut, TEAR_ANY);
		recover_and_judge(image, &judged);
	}
	for (unsigned i = 0; i < nops; i++)
		free(ops[i].bytes);
	free(ops);
	ops = outer;
	nops = outer_ops;
	nfiles = outer_files;
}

/* A tear that leaves what another one does says nothing new. */
static bool is_worth(const struct op *op, enum tear tear)
{
	if (tear == TEAR_ANY || tear == TEAR_NONE)
		return true;
	if (op->kind != OP_WRITE)
		return false;
	for (enum tear before = TEAR_NONE; before < tear; before++)
		if (torn_size(op->size, before) == torn_size(op->size, tear))
			return false;
	return true;
}

static bool is_chosen(unsigned cut, enum tear tear)
{
	if (getenv("HINOMI_FAULTS_FULL"))
		return true;
	return cut % 4 == 0 ? tear == TEAR_ANY : cut % 4 == 2 && tear == cut / 4 % TEAR_ANY;
}

static void cut_recording(const struct test_spool *test, unsigned first, bool all)
{
	unsigned cuts = 0;
	char image[128];

	spool_io = real;
	snprintf(image, sizeof(image), "%s/image", test->top);
	for (unsigned cut = first; cut <= nops; cut++)
		for (enum tear tear = TEAR_NONE; tear < TEARS; tear++) {
			if (!is_worth(&ops[cut - 1], tear) || !(all || is_chosen(cut, tear)))
				continue;
			seed = cut * 1000003ull + tear;
			make_image(image, cut, tear);
			if (cuts++ % 25 == 7)
				cut_recovery(image, &ops[cut - 1]);
			else
				recover_and_judge(image, &ops[cut - 1]);
		}
	print_message("%u power cuts at %u calls\n", cuts, nops);
	forget_run();
}

static void cut_everywhere(void **state, unsigned long failing, uint64_t start)
{
	const struct test_spool *test = *state;

	seed = start;
	fail_every = failing;
	may_damage = failing > 0;
	start_recording();
	run(test->dir);
	fail_every = full_every = 0;
	cut_recording(test, 1, false);
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
	writer = open_limited(test->dir);
	fail_name = "evicted";
	for (uint64_t number = 1; !put_frame(writer, LANE_BULK, number, frame_max); number++)
		if (number % 10 == 0)
			assert_int_equal(spool_sync(writer), 0);
	kill_writer(writer);
	fail_name = NULL;
	first = nops;
	spool_writer_free(open_limited(test->dir));
	cut_recording(test, first, true);
}

static void any_moment_on_a_full_disk(void **state)
{
	full_every = 3;
	cut_everywhere(state, 0, 42);
}
/* Longer than a block of the disk. */
static void any_moment_of_long_frames(void **state)
{
	frame_max = 9000;
	limit = 512 << 10;
	cut_everywhere(state, 0, 42);
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

static int make_disk(void **state)
{
	if (real.openat) /* a test before this one failed */
		spool_io = real;
	forget_run();
	frame_max = 400;
	limit = 96 << 10;
	full_every = 0;
	return make_directory(state);
}

#define CUT_TEST(test) cmocka_unit_test_setup_teardown(test, make_disk, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CUT_TEST(any_moment),
		CUT_TEST(any_moment_on_a_full_disk),
		CUT_TEST(any_moment_of_long_frames),
		CUT_TEST(any_moment_after_failed_syncs),
		CUT_TEST(where_one_sync_in_three_fails),
		CUT_TEST(marker_that_is_not_on_disk),
	};
	int failed;

	setenv("TMPDIR", "/dev/shm", 0); /* the cache is ours */
	ops = calloc(OPS_MAX, sizeof(*ops));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(ops);
	return failed;
}
