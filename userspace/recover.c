// SPDX-License-Identifier: Apache-2.0
/*
 * Takes up where an earlier process stopped: the chain of each lane, and, when
 * the kernel's rings are still the same, ledger and sequences.  Reads only the
 * newest segment of each lane, or two when the ledger does not stand whole in it.
 */
#include <errno.h>
#include <string.h>

#include "pipeline.h"
#include "frame/frame.h"
#include "spool/spool.h"
#include "stats/ledger.h"
#include "stats/sequence.h"

static void take_up(struct pipeline *p, const struct frame *frame, enum lane lane)
{
	const Hinomi__FrameHeader *h = frame->header;

	if (h->rings_id.len != 16 || memcmp(h->rings_id.data, p->identity.rings_id, 16))
		return;
	for (size_t i = 0; i < h->n_ledger; i++)
		ledger_restore(p->ledger, h->ledger[i]);
	for (size_t i = 0; i < h->n_sequences; i++) {
		const Hinomi__Sequence *s = h->sequences[i];

		if (s->cpu == CPU_SENSOR)
			p->own_seq = s->last > p->own_seq ? s->last : p->own_seq;
		else
			sequences_restore(p->sequences, lane, s->cpu, s->last);
	}
}

static uint64_t last_clock(const struct frame *frame)
{
	const Hinomi__FrameHeader *h = frame->header;

	return h->n_clocks ? h->clocks[h->n_clocks - 1]->boot_ns : 0;
}

static int read_from(struct pipeline *p, const char *dir, enum lane lane,
		     struct spool_position from, struct seal_state *state, uint64_t *last_ns,
		     bool *whole)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	const void *bytes;
	size_t size;
	int err = spool_reader_open(dir, lane, from, &reader);

	if (err)
		return err;
	spool_reader_all(reader);
	while ((err = spool_read(reader, &bytes, &size)) == 1 || err == -EBADMSG) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		if (err != 1 || frame_read(bytes, size, &frame))
			continue;
		state->number = frame->header->number;
		memcpy(state->previous, frame->hash, sizeof(state->previous));
		if (frame->header->boot_id.len == 16 &&
		    !memcmp(frame->header->boot_id.data, p->identity.boot_id, 16) &&
		    last_clock(frame) > *last_ns)
			*last_ns = last_clock(frame);
		*whole |= frame->header->ledger_whole;
		take_up(p, frame, lane);
	}
	return err;
}

static int recover_lane(struct pipeline *p, const char *dir, enum lane lane,
			struct seal_state *state, uint64_t *last_ns)
{
	struct spool_position from;
	bool whole = false;
	int err = spool_last_segment(dir, lane, &from);

	if (err || !from.segment)
		return err == -ENOENT ? 0 : err;
	err = read_from(p, dir, lane, from, state, last_ns, &whole);
	if (err || whole || from.segment == 1)
		return err;
	from.segment--;
	return read_from(p, dir, lane, from, state, last_ns, &whole);
}

int pipeline_recover(struct pipeline *p, const char *dir, struct seal_state states[LANES])
{
	uint64_t last_ns = 0;
	int err = 0;

	for (int lane = 0; lane < LANES && !err; lane++)
		err = recover_lane(p, dir, lane, &states[lane], &last_ns);
	if (last_ns)
		p->blind_ns = clock_boot_ns() - last_ns;
	return err;
}
