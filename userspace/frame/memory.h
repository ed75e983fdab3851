/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What protobuf-c unpacks into: foreign bytes decide how much it asks for, so it
 * gets an arena with a limit.  Two bytes of a frame can cost it about a hundred.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/arena.h"

struct frame_memory {
	struct arena arena;
	ProtobufCAllocator allocator;
	bool is_short; /* the system had no more, below the limit: not the frame's fault */
};

struct frame_memory *frame_memory_new(size_t limit_bytes); /* NULL: out of memory */
void frame_memory_free(struct frame_memory *memory);
