/* SPDX-License-Identifier: Apache-2.0 */
/* Which class rests on which programs, in which order.  Private to attach/. */
#pragma once

#include <hinomi/hooks.h>
#include <hinomi/record.h>

#define TIERS_MAX    2
#define PROGRAMS_MAX 26
#define EXTRAS_MAX   24

struct tier {
	/* all of them; "a|b": whichever of the two this kernel has */
	const char *programs[PROGRAMS_MAX];
	/* they see what the others do not; the class works without them, and no canary asks for
	 * them */
	const char *extras[EXTRAS_MAX];
};

/* Can a canary prove the class? */
enum proof {
	PROOF_CANARY,
	PROOF_UNCONFINED, /* unless the sensor runs with a system call filter, which forbids the
			     calls */
	PROOF_NONE,	  /* no: what makes the event changes the machine */
};

struct class
{
	const char *name;
	unsigned kind;
	enum proof proof;
	struct tier tiers[TIERS_MAX]; /* best first */
};

#define MAP_ELEMENTS "bpf_map_elem" /* what an iterator over a map is for */

/* iterators, which the teller runs */
#define SUMMARIES_PROGRAMS "summaries_tell|summaries_walk"
#define FLOWS_PROGRAMS	   "flows_tell|flows_walk"

extern const struct class classes[];
extern const unsigned nclasses;

const char *hook_name(unsigned hook);  /* of its program; not of HOOK_NONE */
int hook_by_name(const char *program); /* enum hook_id; HOOK_NONE for one that makes no records */
