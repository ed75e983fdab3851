/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with every field set, made from their descriptors, so that a new field
 * is tested without anybody thinking of it.  Values follow from the salt: small,
 * negative, and the largest turn up.
 */
#pragma once

#include <hinomi/record.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "event/event.h"

static void *fill_message(struct arena *arena, const ProtobufCMessageDescriptor *type,
			  unsigned oneof, unsigned *salt);

static inline uint64_t fill_number(unsigned *salt)
{
	static const uint64_t edges[] = {1,	     0x7f,	   0x80,	 0x3fff,
					 0x4000,     0x1fffff,	   0x200000,	 0xfffffff,
					 0x10000000, 0x7fffffff,   0x80000000,	 0xffffffff,
					 1ull << 35, (1ull << 42), (1ull << 49), (1ull << 56) - 1,
					 1ull << 56, 1ull << 63,   UINT64_MAX};

	return edges[(*salt)++ % (sizeof(edges) / sizeof(*edges))];
}

static inline ProtobufCBinaryData fill_bytes(struct arena *arena, unsigned *salt)
{
	static const size_t sizes[] = {1, 16, 5, 127, 128, 300};
	size_t size = sizes[*salt % (sizeof(sizes) / sizeof(*sizes))];
	uint8_t *data = arena_alloc(arena, size);

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(*salt * 31 + i * 7);
	(*salt)++;
	return (ProtobufCBinaryData){.len = size, .data = data};
}

static inline char *fill_string(struct arena *arena, unsigned *salt)
{
	char text[32];

	snprintf(text, sizeof(text), "string %u", (*salt)++);
	return arena_copy(arena, text, strlen(text) + 1);
}

static inline void fill_value(struct arena *arena, const ProtobufCFieldDescriptor *field,
			      void *value, unsigned *salt)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)value = (uint32_t)(fill_number(salt) | 1);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		*(uint32_t *)value = 1;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)value = 1;
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(uint64_t *)value = fill_number(salt);
		break;
	case PROTOBUF_C_TYPE_STRING:
		*(char **)value = fill_string(arena, salt);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)value = fill_bytes(arena, salt);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(void **)value = fill_message(arena, field->descriptor, 0, salt);
		break;
	default:
		abort(); /* a type that the schema did not use when this was written */
	}
}

static inline void fill_repeated(struct arena *arena, const ProtobufCFieldDescriptor *field,
				 uint8_t *base, unsigned *salt)
{
	size_t n = 1 + *salt % 3;
	size_t width =
		field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(void *);
	uint8_t *array = arena_alloc(arena, n * width);

	for (size_t i = 0; i < n; i++)
		fill_value(arena, field, array + i * width, salt);
	*(size_t *)(base + field->quantifier_offset) = n;
	*(void **)(base + field->offset) = array;
}

/* oneof: number of the member to set, 0 for none. */
static inline void *fill_message(struct arena *arena, const ProtobufCMessageDescriptor *type,
				 unsigned oneof, unsigned *salt)
{
	uint8_t *base = arena_alloc(arena, type->sizeof_message);

	type->message_init((ProtobufCMessage *)base);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			fill_repeated(arena, field, base, salt);
			continue;
		}
		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			if (field->id != oneof)
				continue;
			*(uint32_t *)(base + field->quantifier_offset) = oneof;
		}
		fill_value(arena, field, base + field->offset, salt);
	}
	return base;
}

/* An event of this kind with every field set, fit for its lane's sealer. */
static inline struct event fill_event(struct arena *arena, unsigned kind, uint32_t cpu,
				      uint64_t seq, unsigned *salt)
{
	struct event event = {.kind = (enum kind)kind, .lane = (enum lane)kind_lane(kind)};

	event.body = fill_message(arena, &hinomi__event__descriptor, kind, salt);
	event.body->cpu = cpu;
	event.body->seq = seq;
	event.body->lane = (Hinomi__Lane)event.lane;
	event.body->process = 0;
	if (kind_is_kernel(kind))
		event.process = fill_message(arena, &hinomi__process__descriptor, 0, salt);
	return event;
}
