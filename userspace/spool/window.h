/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that were appended and are not yet durable: written again from here
 * when a sync fails, as the pages of the kernel cannot be trusted then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/format.h"

struct window {
	uint8_t *bytes;
	size_t limit;	/* of `used` */
	size_t used;	/* frames wait in [0, used) */
	size_t written; /* those in [0, written) are in a segment */
};

int window_init(struct window *window, size_t limit);
void window_done(struct window *window);
/* false: no room, this frame would be lost with a failed sync.  Counts as written. */
bool window_add(struct window *window, const struct record *record, const void *frame);
/* The first one not written, NULL when all are; then window_advance. */
const void *window_unwritten(const struct window *window, struct record *ret);
void window_advance(struct window *window);
/* Forgets [0, mark): it is durable. */
void window_drop(struct window *window, size_t mark);
