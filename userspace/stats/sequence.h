/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sequence numbers came, per lane and cpu: duplicates after a restart are
 * told apart from new ones, and numbers that do not come become gaps.  A number
 * may come late (a program that was interrupted after it took its number), so a
 * hole is declared only after a while.  One thread.
 */
#pragma once

#include <hinomi/record.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct sequences;

struct gap {
	uint32_t cpu;
	enum lane lane;
	uint64_t first, last;	 /* numbers that are missing */
	uint64_t from_ns, to_ns; /* boot times of the events on either side; 0: none */
};

#define SEQUENCE_PATIENCE_NS 1000000000ULL /* a number may come this late */

int sequences_new(unsigned cpus, struct sequences **ret);
void sequences_free(struct sequences *sequences);
/* False: this number was there already, or its gap was declared. */
bool sequences_see(struct sequences *sequences, enum lane lane, uint32_t cpu, uint64_t seq,
		   uint64_t time_ns);
/* After a restart, from the frames on disk, in their order: these numbers are accounted for.
 * from_start: nothing was before these frames; else the first of a cpu begins where it begins. */
void sequences_restore(struct sequences *sequences, enum lane lane, uint32_t cpu, uint64_t first,
		       uint64_t last, uint64_t time_ns, bool from_start);
/* Also after a restart: a gap has declared these. */
void sequences_declared(struct sequences *sequences, enum lane lane, uint32_t cpu, uint64_t first,
			uint64_t last);
/* All numbers up to this one came or were declared. */
uint64_t sequences_settled(const struct sequences *sequences, enum lane lane, uint32_t cpu);
/* After a restart that did not read all frames: of a cpu that was in none of them this is known
 * from elsewhere. */
void sequences_resume(struct sequences *sequences, enum lane lane, uint32_t cpu, uint64_t settled);
bool sequences_have_gaps(const struct sequences *sequences); /* that were not taken */
/* The kernel has given out `last`; what did not come is missing. */
void sequences_end(struct sequences *sequences, enum lane lane, uint32_t cpu, uint64_t last);
/* A gap that has waited long enough at now_ns (UINT64_MAX: all of them); false when there is none.
 * To be called after each batch: 16,384 can wait, beyond that seen numbers are declared with
 * missing ones. */
bool sequences_take_gap(struct sequences *sequences, uint64_t now_ns, struct gap *ret);

DEFINE_CLEANUP(struct sequences *, sequences_free);
