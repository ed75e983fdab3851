// SPDX-License-Identifier: Apache-2.0
/* When what was appended becomes durable: userspace/sync.c. */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "pipeline.h"
#include "spool_tools.h"

#define TRIES 20

static const uint8_t frame[256 << 10];

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1
						       : *(const double *)a > *(const double *)b;
}

/* ms until a sync after it: the shortest of some tries, which a busy machine spoils least, and
 * the median. */
struct took {
	double shortest, median;
};

static struct took commits(const char *dir, size_t size, bool at_once)
{
	struct spool_writer *writer = open_writer(dir, 0, 0);
	struct syncer *syncer = NULL;
	double took[TRIES];

	assert_int_equal(syncer_new(writer, &syncer), 0);
	for (uint64_t number = 1; number <= TRIES; number++) {
		uint64_t began = clock_boot_ns();

		assert_int_equal(spool_append(writer, LANE_BULK, number, frame, size), 0);
		syncer_kick(syncer, size, at_once);
		while (syncer_last_ns(syncer) < began)
			usleep(200);
		took[number - 1] = (double)(clock_boot_ns() - began) / NS_PER_MS;
	}
	syncer_free(syncer);
	spool_writer_free(writer);
	remove_tree(dir);
	qsort(took, TRIES, sizeof(*took), by_size);
	return (struct took){.shortest = took[0], .median = took[TRIES / 2]};
}

static void within_50_ms_or_256_kib(void **state)
{
	const struct test_spool *test = *state;
	struct took little = commits(test->dir, 1000, false);

	print_message("1000 bytes: %.1f ms, at least %.1f\n", little.median, little.shortest);
	/* what a frame was held for before, HOLD_NS of pipeline.c, comes to it */
	assert_true(little.median > 4 && little.shortest < 30);
	assert_true(commits(test->dir, sizeof(frame), false).shortest < 40);
	assert_true(commits(test->dir, 1000, true).shortest < 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {SPOOL_TEST(within_50_ms_or_256_kib)};

	setenv("TMPDIR", "/dev/shm", 0); /* the disk's own time is not asked for */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
