// SPDX-License-Identifier: Apache-2.0
/* What is missing, as events: numbers that never came, and frames that left the spool. */
#include "pipeline.h"
#include "attach/attach.h"
#include "losses.h"
#include "spool/spool.h"
#include "stats/sequence.h"

static void declare_missing(struct pipeline *p, const struct gap *missing)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;
	struct loss_list lost;

	gap.cpu = missing->cpu;
	gap.lane = (Hinomi__Lane)missing->lane;
	gap.first_seq = missing->first;
	gap.last_seq = missing->last;
	gap.from_ns = missing->from_ns;
	gap.to_ns = missing->to_ns;
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_RING_FULL;
	losses_of_ring(p->losses, missing->cpu, missing->lane, missing->last - missing->first + 1,
		       &lost);
	gap.n_lost = lost.n;
	gap.lost = lost.list;
	/* covered by no frame from here on: frames with later numbers may have gone already */
	p->frame_due[missing->lane] = true;
	announce_gap(p, &gap);
}

static void declare_eviction(struct pipeline *p, const struct spool_eviction *gone)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;

	gap.lane = (Hinomi__Lane)gone->lane;
	gap.first_frame = gone->first_frame;
	gap.last_frame = gone->last_frame;
	gap.cause = gone->error	     ? HINOMI__GAP__CAUSE__CAUSE_SPOOL_FAILED
		    : gone->released ? HINOMI__GAP__CAUSE__CAUSE_RELEASED
		    : gone->aged     ? HINOMI__GAP__CAUSE__CAUSE_AGED
				     : HINOMI__GAP__CAUSE__CAUSE_EVICTED;
	announce_gap(p, &gap);
	if (gone->lane == LANE_KEEP) /* and what it has declared of the other */
		announce_front(p, LANE_BULK);
}

void pipeline_gaps(struct pipeline *p, bool all)
{
	uint64_t now = all ? UINT64_MAX : clock_boot_ns();
	struct spool_eviction gone;
	struct seal_state state;
	struct gap missing;
	bool taken = false;

	while (!output_waits(p, LANE_KEEP) && sequences_take_gap(p->sequences, now, &missing))
		declare_missing(p, &missing);
	if (!output_waits(p, LANE_KEEP))
		losses_declare(p, all);
	while (!output_waits(p, LANE_KEEP) && spool_take_eviction(p->spool, &gone) == 1) {
		declare_eviction(p, &gone);
		taken = true;
	}
	if (!taken)
		return;
	/* in the frame that is being filled, or one before it */
	sealer_state(p->sealers[LANE_KEEP], &state);
	spool_declare(p->spool, state.number + 1);
}
