// SPDX-License-Identifier: Apache-2.0
/* The end of a run: what is left in rings and sealers, as far as the disk takes it. */
#include <time.h>

#include "pipeline.h"
#include "attach/attach.h"
#include "stats/sequence.h"

#define STOP_NS (5 * NS_PER_SEC) /* that a disk which takes nothing may hold up a stop */

void pipeline_drain(struct pipeline *p)
{
	const struct timespec grace = {.tv_nsec = 20 * NS_PER_MS};
	const struct sequence_cell *cells = attach_sequences(p->attach);
	unsigned quiet = 0;

	p->stop_ns = clock_boot_ns() + STOP_NS;
	/* a program that began before it was detached still ends: twice nothing is nothing */
	for (int i = 0; i < 1000 && quiet < 2; i++) {
		quiet = pipeline_run(p) ? 0 : quiet + 1;
		if (output_stuck(p) && !p->spool_gone && clock_boot_ns() < p->stop_ns)
			quiet = 0;
		if (quiet || output_stuck(p))
			nanosleep(&grace, NULL);
	}
	for (unsigned cpu = 0; cpu < attach_cpus(p->attach); cpu++)
		for (int lane = 0; lane < LANES; lane++)
			sequences_end(p->sequences, lane, cpu,
				      __atomic_load_n(&cells[cpu].next[lane], __ATOMIC_ACQUIRE));
	pipeline_gaps(p, true);
}

void pipeline_end(struct pipeline *p)
{
	const struct timespec pause = {.tv_nsec = 20 * NS_PER_MS};

	for (int lane = 0; lane < LANES; lane++)
		p->whole_due[lane] = p->frame_due[lane] = true;
	pipeline_seal(p);
	while ((output_stuck(p) || p->frame_due[LANE_KEEP] || p->frame_due[LANE_BULK]) &&
	       !p->spool_gone && clock_boot_ns() < p->stop_ns) {
		nanosleep(&pause, NULL);
		pipeline_seal(p);
	}
	output_give_up(p);
}
