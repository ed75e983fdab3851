/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the account of events costs over the number of CPUs, as it is done for each
 * frame: the kernel's counters are read and the rows that changed are made.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stats/ledger.h"

#define ROUNDS 2000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void bench(unsigned cpus)
{
	struct ledger_cell *cells = calloc((size_t)cpus * KINDS_MAX, sizeof(*cells));
	size_t max = ((size_t)cpus + 1) * KINDS_MAX, changed = 0, whole = 0;
	Hinomi__LedgerRow *rows = calloc(max, sizeof(*rows));
	struct ledger *ledger;
	uint64_t start, read_ns = 0, rows_ns = 0, whole_ns = 0;

	if (!cells || !rows || ledger_new(cpus, &ledger))
		die("ledger");
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned cpu = 0; cpu < cpus; cpu++) { /* four classes are busy */
			cells[cpu * KINDS_MAX + KIND_exec].seen++;
			cells[cpu * KINDS_MAX + KIND_exec].filtered++;
			ledger_count(ledger, LANE_BULK, KIND_file_open, cpu, OUTCOME_DELIVERED, 1);
			ledger_count(ledger, LANE_BULK, KIND_connect, cpu, OUTCOME_DELIVERED, 1);
			ledger_count(ledger, LANE_BULK, KIND_fork, cpu, OUTCOME_DELIVERED, 1);
		}
		start = clock_boot_ns();
		ledger_kernel(ledger, cells);
		read_ns += clock_boot_ns() - start;
		start = clock_boot_ns();
		for (int lane = 0; lane < LANES; lane++)
			changed += ledger_rows(ledger, (enum lane)lane, false, rows, max);
		rows_ns += clock_boot_ns() - start;
		start = clock_boot_ns();
		for (int lane = 0; lane < LANES; lane++)
			whole += ledger_rows(ledger, (enum lane)lane, true, rows, max);
		whole_ns += clock_boot_ns() - start;
	}
	printf("%5u %10.1f %15.1f %12zu %13.1f %12zu\n", cpus, (double)read_ns / ROUNDS / 1e3,
	       (double)rows_ns / ROUNDS / 1e3, changed / ROUNDS, (double)whole_ns / ROUNDS / 1e3,
	       whole / ROUNDS);
	ledger_free(ledger);
	free(rows);
	free(cells);
}

int main(void)
{
	printf(" cpus    read us      changed us         rows      whole us         rows\n");
	for (unsigned cpus = 1; cpus <= 64; cpus *= 4)
		bench(cpus);
	return 0;
}
