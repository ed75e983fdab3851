// SPDX-License-Identifier: Apache-2.0
/*
 * Takes up where an earlier process stopped: the chain of each lane, and, when
 * the kernel's rings are still the same, ledger and sequences.  Reads only the
 * two newest segments of each lane: the ledger stands whole in them many times.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "pipeline.h"
#include "attach/attach.h"
#include "base/log.h"
#include "config/config.h"
#include "frame/frame.h"
#include "spool/spool.h"
#include "stats/ledger.h"
#include "stats/sequence.h"

#define NUMBERS_BLOCK ((uint64_t)1 << 20) /* far more frames than can be missing a receipt */

/* What is read of a lane, and how far. */
struct reading {
	struct pipeline *p;
	enum lane lane;
	struct spool_position from;
	bool from_start; /* no frame of these rings is older */
	struct seal_state *state;
	uint64_t last_ns; /* newest clock of this boot */
};

static bool is_of_rings(const struct pipeline *p, const Hinomi__FrameHeader *h)
{
	return h->rings_id.len == 16 && !memcmp(h->rings_id.data, p->identity.rings_id, 16);
}

static uint64_t last_clock(const struct frame *frame)
{
	const Hinomi__FrameHeader *h = frame->header;

	return h->n_clocks ? h->clocks[h->n_clocks - 1]->boot_ns : 0;
}

static void take_up(struct reading *r, struct frame *frame)
{
	const Hinomi__FrameHeader *h = frame->header;
	struct pipeline *p = r->p;

	r->state->number = h->number;
	memcpy(r->state->previous, frame->hash, sizeof(r->state->previous));
	if (h->boot_id.len == 16 && !memcmp(h->boot_id.data, p->identity.boot_id, 16) &&
	    last_clock(frame) > r->last_ns)
		r->last_ns = last_clock(frame);
	if (!is_of_rings(p, h)) {
		r->from_start = true; /* for those that follow */
		return;
	}
	for (size_t i = 0; i < h->n_ledger; i++)
		ledger_restore(p->ledger, r->lane, h->ledger[i]);
	for (size_t i = 0; i < h->n_sequences; i++) {
		const Hinomi__Sequence *s = h->sequences[i];

		if (s->cpu == CPU_SENSOR)
			p->own_seq = s->last > p->own_seq ? s->last : p->own_seq;
		else
			sequences_restore(p->sequences, r->lane, s->cpu, s->first, s->last,
					  last_clock(frame), r->from_start);
	}
}

/* Gaps are events of the keep lane, whatever lane they tell of. */
static void take_gaps(struct reading *r, struct frame *frame)
{
	if (!is_of_rings(r->p, frame->header) || frame_open_payload(frame))
		return;
	for (size_t i = 0; i < frame->payload->n_events; i++) {
		const Hinomi__Event *event = frame->payload->events[i];
		const Hinomi__Gap *gap =
			event->body_case == HINOMI__EVENT__BODY_GAP ? event->gap : NULL;

		if (gap && (unsigned)gap->lane < LANES)
			sequences_declared(r->p->sequences, (enum lane)gap->lane, gap->cpu,
					   gap->first_seq, gap->last_seq);
	}
}

static int read_frames(struct reading *r, const char *dir,
		       void (*take)(struct reading *r, struct frame *frame))
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	const void *bytes;
	size_t size;
	int err = spool_reader_open(dir, r->lane, r->from, &reader);

	if (err)
		return err;
	spool_reader_all(reader);
	while ((err = spool_read(reader, &bytes, &size)) == 1 || err == -EBADMSG) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		if (err == 1 && !frame_read(bytes, size, &frame))
			take(r, frame);
	}
	return err;
}

static int recover_lane(struct reading *r, const char *dir)
{
	int err = spool_last_segment(dir, r->lane, &r->from);

	if (err || !r->from.segment) {
		r->from_start = true;
		return err == -ENOENT ? 0 : err;
	}
	if (r->from.segment > 1)
		r->from.segment--;
	else
		r->from_start = true;
	return read_frames(r, dir, take_up);
}

/* A cpu that was quiet for two segments: the reader before left its note beside the rings. */
static void resume_quiet(struct pipeline *p, enum lane lane)
{
	const struct sequence_cell *cells = attach_sequences(p->attach);

	for (unsigned cpu = 0; cpu < attach_cpus(p->attach); cpu++)
		sequences_resume(p->sequences, lane, cpu, cells[cpu].consumed[lane]);
}

bool pipeline_is_known(const char *spool)
{
	CLEANUP(close_fd) int dir = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir >= 0 && (!faccessat(dir, "sensor_id", F_OK, 0) || errno != ENOENT);
}

/* Numbers that frames may have had are not given again, or collectors would take one for another:
 * the chain goes on far behind them, and what lies between is declared gone. */
static void pass_over(struct pipeline *p, enum lane lane, struct seal_state *state)
{
	uint64_t covered = release_number(p, lane), last = state->number;
	Hinomi__Gap *gap = &p->lost_end[lane];

	if (covered > last)
		last = covered;
	else if (!spool_lost_end(p->spool, lane))
		return;
	/* with nothing to go by, more than any sensor has made since 1970, one in a millisecond */
	last = last ? (last / NUMBERS_BLOCK + 2) * NUMBERS_BLOCK : clock_real_ns() / NS_PER_MS;
	hinomi__gap__init(gap);
	gap->lane = (Hinomi__Lane)lane;
	gap->cpu = CPU_SENSOR;
	gap->first_frame = state->number + 1;
	gap->last_frame = last;
	gap->cause = HINOMI__GAP__CAUSE__CAUSE_DAMAGED;
	state->number = last;
	log_error("spool %s: the end of its %s lane is gone, damaged or deleted: it goes on with "
		  "frame %" PRIu64 ", and declares what was before it",
		  p->config->spool, lane == LANE_KEEP ? "keep" : "bulk", last + 1);
}

void recover_declare(struct pipeline *p)
{
	for (int lane = 0; lane < LANES; lane++)
		if (p->lost_end[lane].last_frame) {
			announce_gap(p, &p->lost_end[lane]);
			p->frame_due[lane] = true; /* the number stands on the disk then */
		}
}

int pipeline_recover(struct pipeline *p, const char *dir, struct seal_state states[LANES])
{
	struct reading lanes[LANES];
	uint64_t last_ns = 0;
	int err = 0;

	for (int lane = 0; lane < LANES && !err; lane++) {
		lanes[lane] = (struct reading){.p = p, .lane = lane, .state = &states[lane]};
		err = recover_lane(&lanes[lane], dir);
		if (!err && !lanes[lane].from_start)
			resume_quiet(p, lane);
		if (lanes[lane].last_ns > last_ns)
			last_ns = lanes[lane].last_ns;
	}
	if (!err && sequences_have_gaps(p->sequences))
		err = read_frames(&lanes[LANE_KEEP], dir, take_gaps);
	for (int lane = 0; lane < LANES && !err && p->is_known; lane++)
		pass_over(p, (enum lane)lane, &states[lane]);
	if (last_ns)
		p->blind_ns = clock_boot_ns() - last_ns;
	return err;
}
