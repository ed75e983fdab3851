/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks in ns, and the state of their synchronisation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS  1000000ULL

struct clock_pair {
	uint64_t boot_ns, real_ns; /* the same moment */
	bool synchronised;	   /* adjtimex(2) */
	uint64_t error_ns;
};

uint64_t clock_boot_ns(void);
uint64_t clock_real_ns(void);
struct clock_pair clock_pair_now(void);
