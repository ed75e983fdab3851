/* SPDX-License-Identifier: Apache-2.0 */
/* What a sensor said of itself last: out of the newest frames of its spool, not all of them. */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "cli/rows.h"
#include "frame.pb-c.h"

#define VITALS_SPAN_NS (60 * 1000000000ULL) /* that rates are of, at most */

/* A number that only grows, in the order of time. */
struct trend {
	struct {
		uint64_t ns, value;
	} samples[1024];
	size_t count;
};

struct vitals {
	/* NULL: none is in these frames */
	Hinomi__Heartbeat *beat;
	Hinomi__SensorStart *start;
	bool stopped;		 /* in good order, after the beat */
	uint64_t beat_ns;	 /* boot time of the beat, or of the start or stop behind it */
	uint64_t real_ns;	 /* the same in UTC */
	uint8_t boot_id[16];	 /* in which that was */
	struct rows rows[LANES]; /* of the newest rings */
	struct trend cpu, wakeups, events[LANES];
	/* private: */
	uint8_t rings[LANES][16];
	bool whole[LANES]; /* every row is there */
};

/* -ENOENT: no spool there; other -errno. */
int vitals_read(const char *dir, struct vitals **ret);
void vitals_free(struct vitals *vitals);
/* Of a class, of all for 0. */
struct row vitals_sum(const struct vitals *vitals, unsigned kind);

void trend_add(struct trend *trend, uint64_t ns, uint64_t value);
/* Per second over the newest minute or less; negative when there is too little to tell. */
double trend_rate(const struct trend *trend);

DEFINE_CLEANUP(struct vitals *, vitals_free);
