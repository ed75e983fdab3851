/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/spans.h"

#include <errno.h>
#include <hinomi/record.h>
#include <stdlib.h>

int spans_init(struct spans *spans)
{
	*spans = (struct spans){0};
	spans->ranges = calloc(SPANS_MAX, sizeof(*spans->ranges));
	spans->used = calloc(SPANS_MAX, sizeof(*spans->used));
	spans->newest = calloc(SEAL_CPUS_MAX + 1, sizeof(*spans->newest));
	return spans->ranges && spans->used && spans->newest ? 0 : -ENOMEM;
}

void spans_done(struct spans *spans)
{
	free(spans->ranges);
	free(spans->used);
	free(spans->newest);
	*spans = (struct spans){0};
}

static uint32_t *newest_of(const struct spans *spans, uint32_t cpu)
{
	return &spans->newest[cpu < SEAL_CPUS_MAX ? cpu : SEAL_CPUS_MAX];
}

void spans_reset(struct spans *spans)
{
	for (size_t i = 0; i < spans->n; i++)
		*newest_of(spans, spans->used[i]->cpu) = 0;
	spans->n = 0;
}

bool spans_has_cpu(uint32_t cpu)
{
	return cpu < SEAL_CPUS_MAX || cpu == CPU_SENSOR;
}

static bool goes_on(const Hinomi__Sequence *range, uint64_t first)
{
	return range && first - 1 == range->last; /* numbers begin at 1 */
}

bool spans_fit(const struct spans *spans, uint32_t cpu, uint64_t first)
{
	uint32_t newest = *newest_of(spans, cpu);

	return spans->n < SPANS_MAX || (newest && goes_on(&spans->ranges[newest - 1], first));
}

int spans_cover(struct spans *spans, uint32_t cpu, uint64_t first, uint64_t last)
{
	uint32_t *newest = newest_of(spans, cpu);
	Hinomi__Sequence *range = *newest ? &spans->ranges[*newest - 1] : NULL, *fresh;

	if (goes_on(range, first)) {
		range->last = last;
		return 0;
	}
	if (spans->n == SPANS_MAX)
		return -E2BIG;
	fresh = &spans->ranges[spans->n];
	hinomi__sequence__init(fresh);
	fresh->cpu = cpu;
	fresh->first = first;
	fresh->last = last;
	spans->used[spans->n++] = fresh;
	if (!range || first > range->last)
		*newest = (uint32_t)spans->n;
	return 0;
}
