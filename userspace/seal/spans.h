/* SPDX-License-Identifier: Apache-2.0 */
/* First and last sequence number that a frame accounts for, of each cpu. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.pb-c.h"
#include "seal/seal.h"

#define SPANS_MAX (SEAL_CPUS_MAX + 1) /* and the sensor's own */

struct spans {
	Hinomi__Sequence *table; /* by cpu */
	Hinomi__Sequence **used; /* those in use, in order of appearance */
	size_t n;
};

int spans_init(struct spans *spans);
void spans_done(struct spans *spans);
void spans_reset(struct spans *spans);
bool spans_has_cpu(uint32_t cpu); /* false: no such cpu can be */
void spans_cover(struct spans *spans, uint32_t cpu, uint64_t first, uint64_t last);
