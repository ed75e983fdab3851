// SPDX-License-Identifier: Apache-2.0
/*
 * Sealed frames on their way to the spool.  One that the disk refuses waits here,
 * and its lane stands still behind it: records stay in the kernel's ring, and what
 * overflows there is counted.  The other lane goes on.
 */
#include <errno.h>
#include <string.h>

#include "pipeline.h"
#include "attach/attach.h"
#include "base/log.h"
#include "config/config.h"
#include "guard/guard.h"
#include "losses.h"
#include "spool/spool.h"

#define RETRY_NS (200 * NS_PER_MS)

static const char *lane_text(enum lane lane)
{
	return lane == LANE_KEEP ? "must-keep" : "bulk";
}

static void refused(struct pipeline *p, enum lane lane, int err, uint64_t now)
{
	struct waiting *w = &p->waiting[lane];

	w->again_ns = now + RETRY_NS;
	w->error = err;
	if (w->said)
		return;
	log_error("spool %s: %s; %s events wait in the kernel's ring, and what does not fit there "
		  "is counted as lost: make room",
		  p->config->spool, strerror(-err), lane_text(lane));
	w->said = true;
}

static void taken(struct pipeline *p, enum lane lane)
{
	struct waiting *w = &p->waiting[lane];

	if (w->said)
		log_info("spool %s: takes events again (%s)", p->config->spool, lane_text(lane));
	p->since_whole_bytes[lane] += w->size;
	if (lane == LANE_KEEP) /* gaps that were in it are said */
		losses_said(p->losses);
	syncer_kick(p->syncer, w->size, lane == LANE_KEEP);
	*w = (struct waiting){0};
}

static void attempt(struct pipeline *p, enum lane lane)
{
	struct waiting *w = &p->waiting[lane];
	uint64_t began = clock_boot_ns(), now;
	int err;

	if (began < w->again_ns)
		return;
	err = spool_append(p->spool, lane, w->number, w->bytes, w->size);
	now = clock_boot_ns();
	p->disk_ns += now - began;
	if (err)
		refused(p, lane, err, now);
	else
		taken(p, lane);
}

void output_put(struct pipeline *p, enum lane lane, const uint8_t *bytes, size_t size)
{
	struct seal_state state;

	sealer_state(p->sealers[lane], &state);
	p->waiting[lane] = (struct waiting){.bytes = bytes, .size = size, .number = state.number};
	attempt(p, lane);
}

bool output_waits(const struct pipeline *p, enum lane lane)
{
	return p->waiting[lane].bytes != NULL;
}

bool output_ready(struct pipeline *p, enum lane lane)
{
	if (output_waits(p, lane))
		attempt(p, lane);
	return !output_waits(p, lane);
}

bool output_stuck(const struct pipeline *p)
{
	return output_waits(p, LANE_KEEP) || output_waits(p, LANE_BULK);
}

bool output_place_lost(struct pipeline *p)
{
	Hinomi__SensorTamper tamper = HINOMI__SENSOR_TAMPER__INIT;

	if (spool_in_place(p->spool) != -ESTALE)
		return false;
	tamper.what = HINOMI__SENSOR_TAMPER__WHAT__WHAT_FILE;
	tamper.object.data = (uint8_t *)p->config->spool;
	tamper.object.len = strlen(p->config->spool);
	guard_tell(p->guard, &tamper, NULL);
	log_error("spool %s: deleted, replaced, or parts of it are: what is written there reaches "
		  "nobody; stopping, to be started anew",
		  p->config->spool);
	p->spool_gone = true;
	return true;
}

void output_give_up(const struct pipeline *p)
{
	for (int lane = 0; lane < LANES; lane++)
		if (output_waits(p, (enum lane)lane))
			log_error("spool %s: %s; the last %s events before this stop are lost, and "
				  "the next start says from when on nothing is known",
				  p->config->spool, strerror(-p->waiting[lane].error),
				  lane_text((enum lane)lane));
}
