// SPDX-License-Identifier: Apache-2.0
/* When what was appended becomes durable: userspace/sync.c. */
#include <time.h>

#include "base/clock.h"
#include "pipeline.h"
#include "spool_tools.h"

#define TRIES 20

static const uint8_t frame[256 << 10];

/* The shortest of some tries, so that a busy machine does not count: ms until a sync after it. */
static double shortest_ms(const char *dir, size_t size, bool at_once)
{
	struct spool_writer *writer = open_writer(dir, 0, 0);
	struct syncer *syncer = NULL;
	double ret = 1e9;

	assert_int_equal(syncer_new(writer, &syncer), 0);
	for (uint64_t number = 1; number <= TRIES; number++) {
		uint64_t began = clock_boot_ns();

		assert_int_equal(spool_append(writer, LANE_BULK, number, frame, size), 0);
		syncer_kick(syncer, size, at_once);
		while (syncer_last_ns(syncer) < began)
			usleep(200);
		if ((double)(clock_boot_ns() - began) / NS_PER_MS < ret)
			ret = (double)(clock_boot_ns() - began) / NS_PER_MS;
	}
	syncer_free(syncer);
	spool_writer_free(writer);
	remove_tree(dir);
	return ret;
}

static void within_50_ms_or_256_kib(void **state)
{
	const struct test_spool *test = *state;
	double little = shortest_ms(test->dir, 1000, false);

	print_message("1000 bytes: %.1f ms\n", little);
	assert_true(little > 45 && little < 80);
	assert_true(shortest_ms(test->dir, sizeof(frame), false) < 40);
	assert_true(shortest_ms(test->dir, 1000, true) < 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {SPOOL_TEST(within_50_ms_or_256_kib)};

	setenv("TMPDIR", "/dev/shm", 0); /* the disk's own time is not asked for */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
