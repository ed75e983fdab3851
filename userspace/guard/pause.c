// SPDX-License-Identifier: Apache-2.0
/* Time in which nothing of the sensor ran, and steps of the wall clock. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "guard/internal.h"

#define PAUSE_NS   (3 * NS_PER_SEC) /* the loop turns every second at least */
#define STEP_NS	   (20 * NS_PER_MS) /* both clocks are slewed alike: only a step tells them apart */
#define READ_TRIES 100
#define READ_NS	   (NS_PER_SEC / 200) /* reading two clocks took longer: no comparison */

/* Without what a suspended machine slept. */
static uint64_t awake_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* What this thread ever waited for a CPU; 0 where the kernel does not count it. */
static uint64_t ready_ns(void)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/schedstat", "re");
	unsigned long long ran, waited;

	return file && fscanf(file, "%llu %llu", &ran, &waited) == 2 ? waited : 0;
}

static bool real_offset(int64_t *ret)
{
	uint64_t before = clock_boot_ns(), real = clock_real_ns(), after = clock_boot_ns();

	*ret = (int64_t)(real - before);
	return after - before < READ_NS;
}

void pause_init(struct guard *guard)
{
	guard->turn_ns = awake_ns();
	guard->ready_ns = ready_ns();
	for (int i = 0; i < READ_TRIES && !real_offset(&guard->real_offset_ns); i++)
		;
}

void guard_continued(struct guard *guard, uint32_t pid)
{
	guard->continued_by = pid;
}

void guard_turn(struct guard *guard, uint64_t waited_ns)
{
	Hinomi__SensorTamper tamper = HINOMI__SENSOR_TAMPER__INIT;
	uint64_t now = awake_ns(), disk = waited_ns - guard->waited_ns, ready;
	uint64_t pause = now - guard->turn_ns;

	guard->turn_ns = now;
	guard->waited_ns = waited_ns;
	if (pause < PAUSE_NS + disk) {
		guard->continued_by = 0;
		return;
	}
	ready = ready_ns();
	tamper.what = TAMPER(STOPPED);
	tamper.pause_ns = pause - disk;
	tamper.ready_ns = ready - guard->ready_ns < pause ? ready - guard->ready_ns : pause;
	tamper.pid = guard->continued_by;
	guard->ready_ns = ready;
	guard->continued_by = 0;
	guard_tell(guard, &tamper, NULL);
}

void pause_clock(struct guard *guard)
{
	Hinomi__SensorTamper tamper = HINOMI__SENSOR_TAMPER__INIT;
	int64_t offset, step;

	guard->ready_ns = ready_ns();
	if (!real_offset(&offset))
		return;
	step = offset - guard->real_offset_ns;
	guard->real_offset_ns = offset;
	if (llabs(step) < (long long)STEP_NS)
		return;
	tamper.what = TAMPER(CLOCK);
	tamper.step_ns = step;
	guard_tell(guard, &tamper, NULL);
}
