/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <sys/timex.h>
#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

uint64_t clock_real_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

/* The tightest of a few tries: a preemption between the readings would tear the pair. */
struct clock_pair clock_pair_now(void)
{
	struct clock_pair pair = {0};
	struct timex tx = {.modes = 0};
	uint64_t best = UINT64_MAX;
	int clock_state;

	for (int i = 0; i < 4; i++) {
		uint64_t before = clock_boot_ns(), real = clock_real_ns(), width;

		width = clock_boot_ns() - before;
		if (width < best) {
			best = width;
			pair.boot_ns = before + width / 2;
			pair.real_ns = real;
		}
	}
	clock_state = adjtimex(&tx);
	if (clock_state >= 0) {
		pair.synchronised = clock_state != TIME_ERROR && !(tx.status & STA_UNSYNC);
		pair.error_ns = tx.maxerror > 0 ? (uint64_t)tx.maxerror * 1000 : 0;
	}
	return pair;
}
