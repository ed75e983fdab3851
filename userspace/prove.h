/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves again and again that every hook still works, and tells by an event
 * when a class is seen differently than before.  The sensor's main loop turns it.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stdint.h>

#include "event.pb-c.h"

struct attach;
struct pipeline;

struct prover {
	struct attach *attach;
	struct pipeline *pipeline;
	uint64_t every_ns, report_every_ns;
	uint64_t next_ns;     /* a round begins */
	uint64_t until_ns;    /* the round that goes on is given up; 0: none does */
	uint64_t answered_ns; /* it is over since then, and its records are being read */
	uint64_t report_ns;   /* the next regular account */
	bool settled;	      /* every class has its tier */
	Hinomi__Coverage__State told[KINDS_MAX];
	char reasons[KINDS_MAX][192]; /* of what was told */
};

void prover_init(struct prover *prover, struct pipeline *pipeline);
/* Once in every turn of the loop.  1: every class has found its tier, told once; 0; -EPIPE: the
 * keeper is gone, also told once. */
int prover_turn(struct prover *prover, uint64_t now_ns);
int prover_fd(const struct prover *prover); /* readable when there is something to do at once */
