// SPDX-License-Identifier: Apache-2.0
/* The end of a run: what is left in rings and sealers, as far as the disk takes it. */
#include <time.h>

#include "pipeline.h"
#include "attach/attach.h"
#include "stats/ledger.h"
#include "stats/sequence.h"

#define STOP_NS	   (5 * NS_PER_SEC) /* that a disk which takes nothing may hold up a stop */
#define ROUNDS_MAX 4096		    /* of 1,048,576 summaries some 300 fit into the smallest ring */

static void rings_drain(struct pipeline *p)
{
	const struct timespec grace = {.tv_nsec = 20 * NS_PER_MS};
	unsigned quiet = 0;

	/* a program that began before it was detached still ends: twice nothing is nothing */
	for (int i = 0; i < 1000 && quiet < 2; i++) {
		quiet = pipeline_run(p) ? 0 : quiet + 1;
		if (output_stuck(p) && !p->spool_gone && clock_boot_ns() < p->stop_ns)
			quiet = 0;
		if (quiet || output_stuck(p))
			nanosleep(&grace, NULL);
	}
}

void pipeline_drain(struct pipeline *p)
{
	const struct sequence_cell *cells = attach_sequences(p->attach);
	int rounds = 0;

	p->stop_ns = clock_boot_ns() + STOP_NS;
	do { /* what the kernel side has counted is told as far as the ring has room */
		rings_drain(p);
	} while (!attach_flows(p->attach, true) && attach_untold(p->attach) &&
		 rounds++ < ROUNDS_MAX && !output_stuck(p));
	rings_drain(p);
	for (unsigned cpu = 0; cpu < attach_cpus(p->attach); cpu++)
		for (int lane = 0; lane < LANES; lane++)
			sequences_end(p->sequences, lane, cpu,
				      __atomic_load_n(&cells[cpu].next[lane], __ATOMIC_ACQUIRE));
	pipeline_gaps(p, true);
	if (attach_detached(p->attach))
		ledger_close(p->ledger);
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
