/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger and the coverage as the frames of a run tell them, for the table at its end. */
#pragma once

#include <stdio.h>

#include "base/cleanup.h"

struct frame;
struct tally;

int tally_new(struct tally **ret);
void tally_free(struct tally *tally);
void tally_frame(void *tally, const struct frame *frame);
/* Per class seen, delivered, filtered, aggregated, lost, and its hook. */
void tally_print(const struct tally *tally, FILE *out);

DEFINE_CLEANUP(struct tally *, tally_free);
