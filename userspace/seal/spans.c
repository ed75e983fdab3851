/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/spans.h"

#include <errno.h>
#include <hinomi/record.h>
#include <stdlib.h>

int spans_init(struct spans *spans)
{
	*spans = (struct spans){0};
	spans->table = calloc(SPANS_MAX, sizeof(*spans->table));
	spans->used = calloc(SPANS_MAX, sizeof(*spans->used));
	return spans->table && spans->used ? 0 : -ENOMEM;
}

void spans_done(struct spans *spans)
{
	free(spans->table);
	free(spans->used);
	*spans = (struct spans){0};
}

void spans_reset(struct spans *spans)
{
	for (size_t i = 0; i < spans->n; i++)
		spans->used[i]->last = 0;
	spans->n = 0;
}

bool spans_has_cpu(uint32_t cpu)
{
	return cpu < SEAL_CPUS_MAX || cpu == CPU_SENSOR;
}

void spans_cover(struct spans *spans, uint32_t cpu, uint64_t first, uint64_t last)
{
	Hinomi__Sequence *span = &spans->table[cpu < SEAL_CPUS_MAX ? cpu : SEAL_CPUS_MAX];

	if (!span->last) { /* numbers begin at 1 */
		hinomi__sequence__init(span);
		span->cpu = cpu;
		span->first = first;
		span->last = last;
		spans->used[spans->n++] = span;
		return;
	}
	if (first < span->first)
		span->first = first;
	if (last > span->last)
		span->last = last;
}
