/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel side could not hand over, by its own counters, named once each in gaps: of a
 * cpu's missing numbers the classes they were of; and what had no number, as gaps of its own.
 * What gaps on disk have named is noted beside the counters, so a successor goes on there.
 */
#pragma once

#include <hinomi/record.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "frame.pb-c.h"

struct attach;
struct losses;
struct pipeline;

/* A list of losses by class, as Gap has it. */
struct loss_list {
	Hinomi__LostClass items[KINDS_MAX], *list[KINDS_MAX];
	size_t n;
};

int losses_new(const struct attach *attach, struct losses **ret);
void losses_free(struct losses *losses);
/* Of `numbers` that are missing on a cpu: their classes, as far as the counters say. */
void losses_of_ring(struct losses *losses, uint32_t cpu, enum lane lane, uint64_t numbers,
		    struct loss_list *ret);
/* Gaps for what was lost without a number; at most one a second and cpu, all: now. */
void losses_declare(struct pipeline *p, bool all);
/* The gaps so far are in a frame that the disk has taken. */
void losses_said(struct losses *losses);

DEFINE_CLEANUP(struct losses *, losses_free);
