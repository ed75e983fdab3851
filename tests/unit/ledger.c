/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/ledger.h"

#define CPUS 4

static struct ledger_cell cells[CPUS * KINDS_MAX];

static struct ledger *new_ledger(void)
{
	struct ledger *ledger = NULL;

	memset(cells, 0, sizeof(cells));
	assert_int_equal(ledger_new(CPUS, &ledger), 0);
	return ledger;
}

static struct ledger_cell *cell(unsigned cpu, unsigned kind)
{
	return &cells[cpu * KINDS_MAX + kind];
}

static void both_halves_are_summed(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	struct ledger_sum sum;

	(void)state;
	*cell(0, KIND_exit) = (struct ledger_cell){.seen = 100,
						   .sent = {[LANE_BULK] = 64},
						   .filtered = 25,
						   .aggregated = 10,
						   .lost_ring = {[LANE_BULK] = 4},
						   .lost_scratch = 1};
	*cell(3, KIND_exit) = (struct ledger_cell){.seen = 7, .sent = {[LANE_BULK] = 7}};
	ledger_kernel(ledger, cells);
	sum = ledger_class(ledger, KIND_exit);
	assert_int_equal(sum.seen, 40);
	assert_int_equal(sum.unaccounted, 67); /* sent, not read yet */

	ledger_count(ledger, LANE_BULK, KIND_exit, 0, OUTCOME_DELIVERED, 50);
	ledger_count(ledger, LANE_BULK, KIND_exit, 0, OUTCOME_FILTERED, 6);
	ledger_count(ledger, LANE_BULK, KIND_exit, 0, OUTCOME_AGGREGATED, 3);
	ledger_count(ledger, LANE_BULK, KIND_exit, 0, OUTCOME_LOST, 1);
	ledger_count(ledger, LANE_BULK, KIND_exit, 3, OUTCOME_DELIVERED, 7);
	sum = ledger_class(ledger, KIND_exit);
	assert_int_equal(sum.seen, 107);
	assert_int_equal(sum.delivered, 57);
	assert_int_equal(sum.filtered, 31);
	assert_int_equal(sum.aggregated, 13);
	assert_int_equal(sum.lost, 6);
	assert_int_equal(sum.unaccounted, 0);
	assert_int_equal(ledger_class(ledger, KIND_exec).seen, 0);
}

static void reading_again_does_not_count_again(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();

	(void)state;
	*cell(1, KIND_fork) = (struct ledger_cell){.seen = 5, .filtered = 5};
	for (int i = 0; i < 3; i++)
		ledger_kernel(ledger, cells);
	assert_int_equal(ledger_class(ledger, KIND_fork).filtered, 5);
	cell(1, KIND_fork)->seen = cell(1, KIND_fork)->filtered = 9;
	ledger_kernel(ledger, cells);
	assert_int_equal(ledger_class(ledger, KIND_fork).filtered, 9);
}

static void the_sensors_own_kinds(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	Hinomi__LedgerRow row;

	(void)state;
	cell(0, KIND_heartbeat)->seen = 99; /* not the kernel's to count */
	cell(0, KIND_task)->seen = 99;
	ledger_kernel(ledger, cells);
	ledger_count(ledger, LANE_KEEP, KIND_heartbeat, CPU_SENSOR, OUTCOME_DELIVERED, 2);
	assert_int_equal(ledger_class(ledger, KIND_heartbeat).seen, 2);
	assert_int_equal(ledger_class(ledger, KIND_heartbeat).unaccounted, 0);
	assert_int_equal(ledger_class(ledger, KIND_task).unaccounted, 0);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, true, &row, 1), 1);
	assert_int_equal(row.cpu, CPU_SENSOR);
	assert_int_equal(row.kind, KIND_heartbeat);
}

static void what_cannot_be_does_no_harm(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	struct ledger *none = NULL;

	(void)state;
	ledger_count(ledger, LANE_KEEP, KINDS_MAX, 0, OUTCOME_LOST, 1);
	ledger_count(ledger, LANE_KEEP, 0, 0, OUTCOME_LOST, 1);
	ledger_count(ledger, LANE_KEEP, UINT32_MAX, 0, OUTCOME_LOST, 1);
	assert_int_equal(ledger_class(ledger, UINT32_MAX).seen, 0);
	ledger_count(ledger, LANE_KEEP, KIND_exec, CPUS + 7, OUTCOME_LOST,
		     1); /* an impossible cpu keeps the sum */
	assert_int_equal(ledger_class(ledger, KIND_exec).lost, 1);
	assert_int_equal(ledger_new(0, &none), -EINVAL);
	assert_int_equal(ledger_new(CPU_SENSOR, &none), -EINVAL);
	assert_null(none);
}

static void rows_are_of_the_lane_and_of_what_changed(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	Hinomi__LedgerRow rows[16];

	(void)state;
	ledger_count(ledger, LANE_KEEP, KIND_exec, 1, OUTCOME_DELIVERED, 3);
	ledger_count(ledger, LANE_KEEP, KIND_exec, 2, OUTCOME_DELIVERED, 4);
	ledger_count(ledger, LANE_BULK, KIND_fork, 1, OUTCOME_FILTERED, 5);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, false, rows, 16), 2);
	assert_int_equal(rows[0].kind, KIND_exec);
	assert_int_equal(rows[0].cpu, 1);
	assert_int_equal(rows[0].seen, 3);
	assert_int_equal(rows[0].delivered, 3);
	assert_int_equal(rows[1].cpu, 2);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, false, rows, 16), 0);
	assert_int_equal(ledger_rows(ledger, LANE_BULK, false, rows, 16), 1);
	assert_int_equal(rows[0].filtered, 5);
	assert_int_equal(rows[0].filtered_user, 5);

	ledger_count(ledger, LANE_KEEP, KIND_exec, 2, OUTCOME_LOST, 1);
	*cell(0, KIND_exec) =
		(struct ledger_cell){.seen = 6, .lost_ring = {[LANE_KEEP] = 2}, .filtered = 4};
	ledger_kernel(ledger, cells);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, false, rows, 16), 2);
	assert_int_equal(rows[0].lost, 2);
	assert_int_equal(rows[0].lost_user, 0);
	assert_int_equal(rows[0].filtered, 4);
	assert_int_equal(rows[0].filtered_user, 0);
	assert_int_equal(rows[1].lost, 1);
	assert_int_equal(rows[1].lost_user, 1);
	assert_int_equal(rows[1].seen, 5);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, true, rows, 16), 3);
}

/* a class that is in both lanes has a row in each, with what that lane holds */
static void lanes_of_a_class_have_rows_of_their_own(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	CLEANUP(ledger_free) struct ledger *after = new_ledger();
	Hinomi__LedgerRow rows[2];
	struct ledger_sum sum;

	(void)state;
	*cell(0, KIND_exec) = (struct ledger_cell){.seen = 101,
						   .sent = {32, 54},
						   .filtered = 13,
						   .lost_ring = {2, 4},
						   .lost_scratch = 1};
	ledger_kernel(ledger, cells);
	ledger_count(ledger, LANE_KEEP, KIND_exec, 0, OUTCOME_DELIVERED, 30);
	ledger_count(ledger, LANE_BULK, KIND_exec, 0, OUTCOME_DELIVERED, 40);
	ledger_count(ledger, LANE_BULK, KIND_exec, 0, OUTCOME_FILTERED, 10);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, true, rows, 1), 1);
	assert_int_equal(ledger_rows(ledger, LANE_BULK, true, rows + 1, 1), 1);
	assert_int_equal(rows[0].seen, 46);
	assert_int_equal(rows[0].delivered, 30);
	assert_int_equal(rows[0].filtered, 13); /* before it had a lane */
	assert_int_equal(rows[0].lost, 3);
	assert_int_equal(rows[1].seen, 54);
	assert_int_equal(rows[1].delivered, 40);
	assert_int_equal(rows[1].filtered, 10);
	assert_int_equal(rows[1].lost, 4);
	assert_int_equal(rows[0].begun, 101); /* one is under way */
	assert_int_equal(rows[0].elsewhere, 54);
	assert_int_equal(rows[1].begun, 54);
	assert_int_equal(rows[1].elsewhere, 0);
	sum = ledger_class(ledger, KIND_exec);
	assert_int_equal(sum.seen, 100);
	assert_int_equal(sum.unaccounted, 1);

	for (int lane = 0; lane < LANES; lane++)
		ledger_restore(after, (enum lane)lane, &rows[lane]);
	ledger_kernel(after, cells);
	assert_int_equal(ledger_class(after, KIND_exec).delivered, 70);
	assert_int_equal(ledger_class(after, KIND_exec).lost, 7);
	assert_int_equal(ledger_class(after, KIND_exec).unaccounted, 1);
}

static void rows_that_do_not_fit_come_next_time(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	Hinomi__LedgerRow rows[3];

	(void)state;
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		ledger_count(ledger, LANE_BULK, KIND_bind, cpu, OUTCOME_DELIVERED, 1);
	assert_int_equal(ledger_rows(ledger, LANE_BULK, false, rows, 3), 3);
	assert_int_equal(ledger_rows(ledger, LANE_BULK, false, rows, 3), 1);
	assert_int_equal(rows[0].cpu, 3);
	assert_int_equal(ledger_rows(ledger, LANE_BULK, false, rows, 0), 0);
}

/* the kernel's counters live on in the kept rings, so a restart must not count them twice */
static void restart_goes_on(void **state)
{
	CLEANUP(ledger_free) struct ledger *before = new_ledger();
	CLEANUP(ledger_free) struct ledger *after = new_ledger();
	Hinomi__LedgerRow rows[16];
	struct ledger_sum sum;
	size_t n;

	(void)state;
	*cell(0, KIND_file_open) = (struct ledger_cell){.seen = 100,
							.sent = {[LANE_BULK] = 80},
							.filtered = 20,
							.lost_ring = {[LANE_BULK] = 10}};
	ledger_kernel(before, cells);
	ledger_count(before, LANE_BULK, KIND_file_open, 0, OUTCOME_DELIVERED, 40);
	ledger_count(before, LANE_BULK, KIND_file_open, 0, OUTCOME_FILTERED, 10);
	ledger_count(before, LANE_BULK, KIND_file_open, 0, OUTCOME_LOST, 1);
	n = ledger_rows(before, LANE_BULK, true, rows, 16);

	cell(0, KIND_file_open)->seen += 30; /* while nobody was there */
	cell(0, KIND_file_open)->filtered += 5;
	cell(0, KIND_file_open)->sent[LANE_BULK] += 25;
	while (n--)
		ledger_restore(after, LANE_BULK, &rows[n]);
	ledger_kernel(after, cells);
	sum = ledger_class(after, KIND_file_open);
	assert_int_equal(sum.delivered, 40);
	assert_int_equal(sum.filtered, 35);
	assert_int_equal(sum.lost, 11);
	assert_int_equal(sum.unaccounted, 130 - 40 - 35 - 11);
	assert_int_equal(ledger_rows(after, LANE_BULK, false, rows, 16), 1);
	assert_int_equal(rows[0].filtered_user, 10);

	hinomi__ledger_row__init(rows);
	rows->kind = 5;
	ledger_restore(after, LANE_BULK, rows);
}

/* the kernel's own count enters the rows beside the sum of the outcomes */
static void begun_is_a_count_of_its_own(void **state)
{
	CLEANUP(ledger_free) struct ledger *ledger = new_ledger();
	Hinomi__LedgerRow rows[4];

	(void)state;
	*cell(1, KIND_exec) = (struct ledger_cell){.seen = 5, .sent = {[LANE_KEEP] = 5}};
	ledger_kernel(ledger, cells);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, true, rows, 4), 1); /* all under way */
	assert_int_equal(rows[0].begun, 5);
	assert_int_equal(rows[0].seen, 0);
	assert_false(rows[0].closed);
	ledger_count(ledger, LANE_KEEP, KIND_exec, 1, OUTCOME_DELIVERED, 4);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, false, rows, 4), 1);
	assert_int_equal(rows[0].begun, 5);
	assert_int_equal(rows[0].seen, 4);
	cell(1, KIND_exec)->seen++; /* begun alone is a change */
	ledger_kernel(ledger, cells);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, false, rows, 4), 1);
	assert_int_equal(rows[0].begun, 6);
	ledger_count(ledger, LANE_KEEP, KIND_gap, CPU_SENSOR, OUTCOME_DELIVERED, 2);
	ledger_close(ledger);
	assert_int_equal(ledger_rows(ledger, LANE_KEEP, true, rows, 4), 2);
	assert_true(rows[0].closed);
	assert_int_equal(rows[1].begun, 2);
	assert_int_equal(rows[1].seen, 2);
}

/* counters of programs are absolute and outlive the process; a program may go */
static void skipped_is_lost_once(void **state)
{
	CLEANUP(ledger_free) struct ledger *before = new_ledger();
	CLEANUP(ledger_free) struct ledger *after = new_ledger();
	Hinomi__LedgerRow rows[4];
	struct ledger_sum sum;

	(void)state;
	assert_int_equal(ledger_skipped(before, KIND_connect, 0), 0);
	assert_int_equal(ledger_skipped(before, KIND_connect, 7), 7);
	assert_int_equal(ledger_skipped(before, KIND_connect, 7), 0);
	assert_int_equal(ledger_skipped(before, KIND_connect, 3), 0);
	assert_int_equal(ledger_skipped(before, KIND_connect, 9), 2);
	assert_int_equal(ledger_skipped(before, KIND_gap, 9), 0);
	assert_int_equal(ledger_skipped(before, KINDS_MAX, 9), 0);
	sum = ledger_class(before, KIND_connect);
	assert_int_equal(sum.seen, 9);
	assert_int_equal(sum.lost, 9);
	assert_int_equal(sum.unaccounted, 0);
	assert_int_equal(ledger_rows(before, LANE_BULK, true, rows, 4), 1);
	assert_int_equal(rows[0].cpu, CPU_UNKNOWN);
	assert_int_equal(rows[0].begun, 9);
	assert_int_equal(rows[0].lost_user, 9);
	ledger_restore(after, LANE_BULK, &rows[0]);
	assert_int_equal(ledger_skipped(after, KIND_connect, 11), 2);
	assert_int_equal(ledger_class(after, KIND_connect).lost, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_halves_are_summed),
		cmocka_unit_test(reading_again_does_not_count_again),
		cmocka_unit_test(the_sensors_own_kinds),
		cmocka_unit_test(what_cannot_be_does_no_harm),
		cmocka_unit_test(rows_are_of_the_lane_and_of_what_changed),
		cmocka_unit_test(lanes_of_a_class_have_rows_of_their_own),
		cmocka_unit_test(rows_that_do_not_fit_come_next_time),
		cmocka_unit_test(restart_goes_on),
		cmocka_unit_test(begun_is_a_count_of_its_own),
		cmocka_unit_test(skipped_is_lost_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
