/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence numbers that a frame accounts for, exactly: a range for each run of
 * them.  A number that is missing is in no range, and one that came late, when a
 * frame with higher ones had gone, is a range of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.pb-c.h"
#include "seal/seal.h"

#define SPANS_MAX (SEAL_CPUS_MAX + 1) /* ranges; room for one of every cpu and the sensor's own */

struct spans {
	Hinomi__Sequence *ranges;
	Hinomi__Sequence **used; /* those in use, in order of appearance */
	uint32_t *newest; /* by cpu: 1 + index of the range with its highest numbers; 0: none */
	size_t n;
};

int spans_init(struct spans *spans);
void spans_done(struct spans *spans);
void spans_reset(struct spans *spans);
bool spans_has_cpu(uint32_t cpu); /* false: no such cpu can be */
/* -E2BIG: no room for one more range. */
int spans_cover(struct spans *spans, uint32_t cpu, uint64_t first, uint64_t last);
bool spans_fit(const struct spans *spans, uint32_t cpu,
	       uint64_t first); /* spans_cover would do it */
