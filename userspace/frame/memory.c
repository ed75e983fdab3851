/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/memory.h"

#include <stdlib.h>

static void *allocate(void *data, size_t size)
{
	struct frame_memory *memory = data;
	struct arena *arena = &memory->arena;
	void *p = arena_alloc(arena, size);

	if (!p && size < (arena->limit_bytes - arena->used) / 2)
		memory->is_short = true;
	return p;
}

static void release(void *data, void *pointer)
{
	(void)data;
	(void)pointer; /* all of it goes with the frame */
}

struct frame_memory *frame_memory_new(size_t limit_bytes)
{
	struct frame_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	arena_init(&memory->arena, limit_bytes);
	memory->allocator = (ProtobufCAllocator){
		.alloc = allocate,
		.free = release,
		.allocator_data = memory,
	};
	return memory;
}

void frame_memory_free(struct frame_memory *memory)
{
	if (!memory)
		return;
	arena_done(&memory->arena);
	free(memory);
}
