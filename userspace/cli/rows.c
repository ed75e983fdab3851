/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

/* Where the row is, or where it would stand. */
static size_t rows_index(const struct rows *rows, uint32_t kind, uint32_t cpu)
{
	size_t low = 0, high = rows->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct row *row = &rows->rows[middle];

		if (row->kind < kind || (row->kind == kind && row->cpu < cpu))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int rows_grow(struct rows *rows)
{
	size_t room = rows->room ? 2 * rows->room : 64;
	struct row *grown;

	if (rows->count < rows->room)
		return 0;
	if (room > ROWS_MAX)
		return -1;
	grown = reallocarray(rows->rows, room, sizeof(*grown));
	if (!grown)
		return -1;
	rows->rows = grown;
	rows->room = room;
	return 0;
}

struct row *rows_get(struct rows *rows, uint32_t kind, uint32_t cpu)
{
	size_t i = rows_index(rows, kind, cpu);
	struct row *row;

	if (i < rows->count && rows->rows[i].kind == kind && rows->rows[i].cpu == cpu)
		return &rows->rows[i];
	if (rows_grow(rows))
		return NULL;
	row = &rows->rows[i];
	memmove(row + 1, row, (rows->count - i) * sizeof(*row));
	*row = (struct row){.kind = kind, .cpu = cpu};
	rows->count++;
	return row;
}

void row_set(struct row *row, const Hinomi__LedgerRow *from)
{
	row->begun = from->begun;
	row->elsewhere = from->elsewhere;
	row->seen = from->seen;
	row->delivered = from->delivered;
	row->filtered = from->filtered;
	row->aggregated = from->aggregated;
	row->lost = from->lost;
}

void rows_clear(struct rows *rows)
{
	rows->count = 0;
}

void rows_done(struct rows *rows)
{
	free(rows->rows);
	*rows = (struct rows){0};
}
