/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf's wire format, written straight into memory of a fixed size; what does not fit sets
 * `full`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	uint8_t *data;
	size_t size, capacity;
	bool full; /* something was left out */
};

/* Field numbers are below 16, so that a tag is one byte. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

static inline uint8_t wire_tag(unsigned number, enum wire_type type)
{
	return (uint8_t)(number << 3 | type);
}

static inline size_t wire_varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value > 127; value >>= 7)
		size++;
	return size;
}

/* Bytes that a field with a length takes. */
static inline size_t wire_bytes_size(size_t size)
{
	return 1 + wire_varint_size(size) + size;
}

static inline bool wire_has_room(struct wire *wire, size_t size)
{
	wire->full |= size > wire->capacity - wire->size;
	return !wire->full;
}

/* Without a check; 10 bytes at most. */
static inline size_t wire_put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 127; value >>= 7)
		out[n++] = (uint8_t)(value | 128);
	out[n++] = (uint8_t)value;
	return n;
}

static inline void wire_varint(struct wire *wire, unsigned number, uint64_t value)
{
	if (!wire_has_room(wire, 1 + wire_varint_size(value)))
		return;
	wire->data[wire->size++] = wire_tag(number, WIRE_VARINT);
	wire->size += wire_put_varint(wire->data + wire->size, value);
}

/* 0 is left out, as proto3 does. */
static inline void wire_fixed64(struct wire *wire, unsigned number, uint64_t value)
{
	if (!value || !wire_has_room(wire, 9))
		return;
	wire->data[wire->size++] = wire_tag(number, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		wire->data[wire->size++] = (uint8_t)(value >> (8 * i));
}

/* Tag and length of a field whose `size` bytes are written next; false when they do not fit. */
static inline bool wire_head(struct wire *wire, unsigned number, size_t size)
{
	if (!wire_has_room(wire, wire_bytes_size(size)))
		return false;
	wire->data[wire->size++] = wire_tag(number, WIRE_BYTES);
	wire->size += wire_put_varint(wire->data + wire->size, size);
	return true;
}

static inline void wire_bytes(struct wire *wire, unsigned number, const void *data, size_t size)
{
	if (!wire_head(wire, number, size) || !size)
		return;
	memcpy(wire->data + wire->size, data, size);
	wire->size += size;
}
