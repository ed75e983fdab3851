/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as frames tell it: the last row of each class and cpu. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "frame.pb-c.h"

#define ROWS_MAX (1u << 20) /* foreign bytes may name any class and cpu */

struct row {
	uint32_t kind, cpu;
	uint64_t begun, elsewhere, seen, delivered, filtered, aggregated, lost;
	uint64_t counted; /* events of it that were really there */
	uint64_t frame;	  /* that stated it last; 0: none did */
};

struct rows {
	struct row *rows; /* sorted by class and cpu */
	size_t count, room;
};

/* The row, made when there is none; NULL when out of memory or over the limit. */
struct row *rows_get(struct rows *rows, uint32_t kind, uint32_t cpu);
void row_set(struct row *row, const Hinomi__LedgerRow *from);
void rows_clear(struct rows *rows);
void rows_done(struct rows *rows);
