// SPDX-License-Identifier: Apache-2.0
/* Which numbers came and which are missing: userspace/stats/sequence.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stats/sequence.h"

#define SECOND 1000000000ULL

static void in_order_has_no_gap(void **state)
{
	CLEANUP(sequences_free) struct sequences *s = NULL;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(2, &s), 0);
	for (uint64_t n = 1; n <= 1000; n++)
		assert_true(sequences_see(s, LANE_BULK, 1, n, n));
	assert_false(sequences_take_gap(s, UINT64_MAX, &gap));
}

static void late_number_closes_its_hole(void **state)
{
	CLEANUP(sequences_free) struct sequences *s = NULL;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(1, &s), 0);
	assert_true(sequences_see(s, LANE_KEEP, 0, 1, 10));
	assert_true(sequences_see(s, LANE_KEEP, 0, 4, 20));
	assert_true(sequences_see(s, LANE_KEEP, 0, 3, 21));
	assert_true(sequences_see(s, LANE_KEEP, 0, 2, 22));
	assert_false(sequences_see(s, LANE_KEEP, 0, 2, 22));
	assert_false(sequences_take_gap(s, UINT64_MAX, &gap));
}

static void missing_number_is_declared_after_a_while(void **state)
{
	CLEANUP(sequences_free) struct sequences *s = NULL;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(2, &s), 0);
	assert_true(sequences_see(s, LANE_BULK, 1, 5, SECOND));
	assert_true(sequences_see(s, LANE_BULK, 1, 9, 2 * SECOND));
	assert_true(sequences_see(s, LANE_BULK, 1, 7, 2 * SECOND));
	assert_false(sequences_take_gap(s, SECOND + 1, &gap));
	assert_true(sequences_take_gap(s, 4 * SECOND, &gap));
	assert_int_equal(gap.first, 1);
	assert_int_equal(gap.last, 4);
	assert_int_equal(gap.cpu, 1);
	assert_int_equal(gap.lane, LANE_BULK);
	assert_true(sequences_take_gap(s, 4 * SECOND, &gap));
	assert_int_equal(gap.first, 6);
	assert_int_equal(gap.last, 6);
	assert_int_equal(gap.from_ns, SECOND);
	assert_true(sequences_take_gap(s, 4 * SECOND, &gap));
	assert_int_equal(gap.first, 8);
	assert_false(sequences_take_gap(s, UINT64_MAX, &gap));
	assert_false(sequences_see(s, LANE_BULK, 1, 8, 5 * SECOND)); /* declared: too late */
}

static void restart_tells_old_from_new(void **state)
{
	CLEANUP(sequences_free) struct sequences *s = NULL;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(1, &s), 0);
	sequences_restore(s, LANE_KEEP, 0, 90, 100, SECOND, false);
	assert_false(sequences_see(s, LANE_KEEP, 0, 99, 1));
	assert_false(sequences_see(s, LANE_KEEP, 0, 100, 1));
	assert_true(sequences_see(s, LANE_KEEP, 0, 101, 1));
	sequences_end(s, LANE_KEEP, 0, 103);
	assert_true(sequences_take_gap(s, UINT64_MAX, &gap));
	assert_int_equal(gap.first, 102);
	assert_int_equal(gap.last, 103);
}

/* Frames on disk tell what is missing, be it that gaps were declared or that numbers came late. */
static void restart_takes_up_what_is_missing(void **state)
{
	CLEANUP(sequences_free) struct sequences *s = NULL;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(1, &s), 0);
	sequences_restore(s, LANE_KEEP, 0, 3, 4, SECOND, true);
	sequences_restore(s, LANE_KEEP, 0, 10, 10, SECOND, true);
	sequences_restore(s, LANE_KEEP, 0, 20, 30, SECOND, true);
	sequences_restore(s, LANE_KEEP, 0, 7, 7, SECOND, true); /* late */
	assert_true(sequences_have_gaps(s));
	sequences_declared(s, LANE_KEEP, 0, 11, 19);
	sequences_declared(s, LANE_KEEP, 0, 2, 2);
	assert_true(sequences_see(s, LANE_KEEP, 0, 8, 2 * SECOND)); /* still in the ring */
	assert_false(sequences_see(s, LANE_KEEP, 0, 7, 2 * SECOND));
	static const uint64_t missing[][2] = {{1, 1}, {5, 6}, {9, 9}};
	unsigned found = 0;

	while (sequences_take_gap(s, UINT64_MAX, &gap)) {
		for (unsigned i = 0; i < 3; i++)
			found |= (gap.first == missing[i][0] && gap.last == missing[i][1]) << i;
		assert_in_range(gap.last, gap.first, 9);
	}
	assert_int_equal(found, 7);
	assert_false(sequences_have_gaps(s));
}

/* A cpu that is in none of the frames that were read is known from the note beside the rings. */
static void quiet_cpu_goes_on_where_it_was(void **state)
{
	CLEANUP(sequences_free) struct sequences *before = NULL, *s = NULL;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(2, &before), 0);
	for (uint64_t n = 1; n <= 50; n++)
		assert_true(sequences_see(before, LANE_BULK, 1, n, n));
	assert_int_equal(sequences_settled(before, LANE_BULK, 1), 50);
	assert_true(sequences_see(before, LANE_BULK, 1, 53, 53));
	assert_int_equal(sequences_settled(before, LANE_BULK, 1), 50);

	assert_int_equal(sequences_new(2, &s), 0);
	sequences_restore(s, LANE_BULK, 0, 7, 9, SECOND, false);
	for (unsigned cpu = 0; cpu < 2; cpu++)
		sequences_resume(s, LANE_BULK, cpu, sequences_settled(before, LANE_BULK, cpu));
	assert_true(sequences_see(s, LANE_BULK, 0, 10, SECOND)); /* the frames know better */
	assert_false(sequences_see(s, LANE_BULK, 1, 50, SECOND));
	assert_true(sequences_see(s, LANE_BULK, 1, 51, SECOND));
	assert_false(sequences_take_gap(s, UINT64_MAX, &gap));
}

/* Whatever the order and the losses: seen once and declared make up every number, none twice. */
static void every_number_is_seen_or_declared(void **state)
{
	enum { N = 20000 };
	static unsigned char times[N + 1];
	CLEANUP(sequences_free) struct sequences *s = NULL;
	unsigned seed = 7;
	struct gap gap;

	(void)state;
	assert_int_equal(sequences_new(1, &s), 0);
	for (unsigned at = 0; at < N; at++) {
		unsigned n = at + rand_r(&seed) % 40; /* out of order within 40 */

		if (n >= 1 && n <= N && rand_r(&seed) % 3 && sequences_see(s, LANE_KEEP, 0, n, at))
			times[n]++;
	}
	sequences_end(s, LANE_KEEP, 0, N);
	while (sequences_take_gap(s, UINT64_MAX, &gap))
		for (uint64_t n = gap.first; n <= gap.last; n++)
			times[n]++;
	for (unsigned n = 1; n <= N; n++)
		assert_int_equal(times[n], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_has_no_gap),
		cmocka_unit_test(late_number_closes_its_hole),
		cmocka_unit_test(missing_number_is_declared_after_a_while),
		cmocka_unit_test(restart_tells_old_from_new),
		cmocka_unit_test(restart_takes_up_what_is_missing),
		cmocka_unit_test(quiet_cpu_goes_on_where_it_was),
		cmocka_unit_test(every_number_is_seen_or_declared),
	};

	return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
