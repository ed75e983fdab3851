/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one batch: handed out in order, given back all at once.  Chunks are
 * kept over resets, so a warm arena does not allocate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *first, *current;
	size_t used;	     /* bytes handed out since the reset */
	size_t limit_bytes;  /* arena_alloc gives NULL beyond this */
	unsigned long epoch; /* of this batch: never the same again, in any arena of this process */
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_done(struct arena *arena);
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type; NULL when over the limit or out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
