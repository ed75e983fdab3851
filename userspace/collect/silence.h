/* SPDX-License-Identifier: Apache-2.0 */
/* A sensor speaks at least every 5 s, so one that does not is news. */
#pragma once

#include <stdint.h>

struct findings;
struct store;

#define SILENCE_NS (15 * 1000000000ULL)

/* Now: boot time.  Call every second or so. */
void silence_check(struct store *store, struct findings *findings, uint64_t now_ns);
