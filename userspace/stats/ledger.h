/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The account of every event, per lane, class and cpu: what became of it.  Kernel
 * counters come in with ledger_kernel, outcomes in user space one by one, and
 * sequence numbers show what never arrived.  One thread.
 */
#pragma once

#include <hinomi/record.h>
#include <hinomi/maps.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "frame.pb-c.h"

struct ledger;

enum outcome { OUTCOME_DELIVERED, OUTCOME_FILTERED, OUTCOME_AGGREGATED, OUTCOME_LOST };

struct ledger_sum {
	uint64_t seen, delivered, filtered, aggregated, lost;
	uint64_t unaccounted; /* begun in the kernel, no outcome yet: 0 once hooks are off and rings
				 empty */
};

int ledger_new(unsigned cpus, struct ledger **ret);
void ledger_free(struct ledger *ledger);
/* cells: the mapped `ledger` array, cpus * KINDS_MAX; read at once, atomically by counter. */
void ledger_kernel(struct ledger *ledger, const struct ledger_cell *cells);
void ledger_count(struct ledger *ledger, enum lane lane, unsigned kind, uint32_t cpu,
		  enum outcome outcome, uint64_t n);
/* What the kernel's programs skipped of a class since they were loaded, on no known cpu; how much
 * of it is new: that is counted as lost, in the lane where the class mostly is. */
uint64_t ledger_skipped(struct ledger *ledger, unsigned kind, uint64_t skipped);
/* No program counts any more, and what they gave was read: rows say so from here on. */
void ledger_close(struct ledger *ledger);
/* Of both lanes. */
struct ledger_sum ledger_class(const struct ledger *ledger, unsigned kind);
/* Rows that changed since they were last taken for this lane, or all; written to rows (capacity
 * max), returns how many. */
size_t ledger_rows(struct ledger *ledger, enum lane lane, bool whole, Hinomi__LedgerRow *rows,
		   size_t max);
/* Takes up a row that an earlier process of the same rings had written. */
void ledger_restore(struct ledger *ledger, enum lane lane, const Hinomi__LedgerRow *row);

DEFINE_CLEANUP(struct ledger *, ledger_free);
