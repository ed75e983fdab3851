/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of chunks, filled one after the other.  A chunk that is too small for
 * what comes next is replaced, so the list does not grow from batch to batch.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define CHUNK_BYTES ((size_t)64 << 10)
#define ALIGN	    _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

static _Atomic unsigned long epochs;

void arena_init(struct arena *arena, size_t limit_bytes)
{
	*arena = (struct arena){.limit_bytes = limit_bytes, .epoch = ++epochs};
}

void arena_done(struct arena *arena)
{
	struct arena_chunk *next;

	for (struct arena_chunk *chunk = arena->first; chunk; chunk = next) {
		next = chunk->next;
		ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->size);
		free(chunk);
	}
	arena_init(arena, arena->limit_bytes);
}

void arena_reset(struct arena *arena)
{
	for (struct arena_chunk *chunk = arena->first; chunk; chunk = chunk->next) {
		chunk->used = 0;
		ASAN_POISON_MEMORY_REGION(chunk->data, chunk->size);
		if (chunk == arena->current)
			break; /* those behind it are untouched */
	}
	arena->current = arena->first;
	arena->used = 0;
	arena->epoch = ++epochs;
}

static struct arena_chunk *chunk_new(size_t need)
{
	size_t size = CHUNK_BYTES;
	struct arena_chunk *chunk;

	while (size - sizeof(*chunk) < need) {
		if (size > SIZE_MAX / 2)
			return NULL;
		size *= 2;
	}
	chunk = malloc(size);
	if (!chunk)
		return NULL;
	chunk->next = NULL;
	chunk->size = size - sizeof(*chunk);
	chunk->used = 0;
	ASAN_POISON_MEMORY_REGION(chunk->data, chunk->size);
	return chunk;
}

/* Makes a chunk with room for size the current one. */
static struct arena_chunk *chunk_advance(struct arena *arena, size_t size)
{
	struct arena_chunk **link = arena->current ? &arena->current->next : &arena->first;
	struct arena_chunk *old = *link, *chunk = old;

	if (!old || old->size < size) {
		chunk = chunk_new(size);
		if (!chunk)
			return NULL;
		chunk->next = old ? old->next : NULL;
		if (old)
			ASAN_UNPOISON_MEMORY_REGION(old->data, old->size);
		free(old);
		*link = chunk;
	}
	arena->current = chunk;
	return chunk;
}

static void *alloc_raw(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->current;
	size_t need;
	void *p;

	if (size > arena->limit_bytes || size > SIZE_MAX - ALIGN)
		return NULL;
	need = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (need > arena->limit_bytes - arena->used)
		return NULL;
	if (!chunk || chunk->size - chunk->used < need)
		chunk = chunk_advance(arena, need);
	if (!chunk)
		return NULL;
	p = chunk->data + chunk->used;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	chunk->used += need;
	arena->used += need;
	return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p = alloc_raw(arena, size);

	return p ? memset(p, 0, size) : NULL;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	void *p = alloc_raw(arena, size);

	return p && size ? memcpy(p, data, size) : p;
}
