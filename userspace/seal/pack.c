/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/pack.h"

#include <assert.h>
#include <string.h>

#define SCALAR_MAX 16 /* a tag of five bytes and a varint of ten */

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static inline bool has_room(struct packer *packer, size_t size)
{
	if ((size_t)(packer->at - packer->start) < size)
		packer->full = true;
	return !packer->full;
}

static void put_long_varint(struct packer *packer, uint64_t value)
{
	uint8_t *p = packer->at -= value >> 63 ? 10 : 9;

	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p = (uint8_t)value;
}

/* The caller has seen to the room.  Groups of seven bits are spread to bytes all at once; the store
 * also touches free bytes in front. */
static inline void put_varint(struct packer *packer, uint64_t value)
{
	unsigned size;
	uint64_t wide;

	if (value < 0x80) {
		*--packer->at = (uint8_t)value;
		return;
	}
	if (value >> 56) {
		put_long_varint(packer, value);
		return;
	}
	size = (70u - (unsigned)__builtin_clzll(value)) / 7;
	wide = (value & 0x0fffffff) | (value & 0x00fffffff0000000) << 4;
	wide = (wide & 0x00003fff00003fff) | (wide & 0x0fffc0000fffc000) << 2;
	wide = (wide & 0x007f007f007f007f) | (wide & 0x3f803f803f803f80) << 1;
	wide |= 0x8080808080808080 & ((1ull << 8 * (size - 1)) - 1);
	wide <<= 8 * (8 - size);
	memcpy(packer->at - 8, &wide, 8);
	packer->at -= size;
}

static inline void put_tag(struct packer *packer, unsigned id, enum wire wire)
{
	put_varint(packer, (uint64_t)id << 3 | wire);
}

static void put_number(struct packer *packer, unsigned id, uint64_t value)
{
	if (!value || !has_room(packer, SCALAR_MAX))
		return;
	put_varint(packer, value);
	put_tag(packer, id, WIRE_VARINT);
}

static void put_fixed(struct packer *packer, unsigned id, enum wire wire, const void *value,
		      size_t size)
{
	static const uint8_t zero[8];

	if (!memcmp(value, zero, size) || !has_room(packer, SCALAR_MAX))
		return;
	packer->at -= size;
	memcpy(packer->at, value, size); /* both architectures are little-endian, as the wire is */
	put_tag(packer, id, wire);
}

static void put_bytes(struct packer *packer, unsigned id, const void *data, size_t size)
{
	if (!has_room(packer, SCALAR_MAX) || !has_room(packer, size + SCALAR_MAX))
		return;
	packer->at -= size;
	if (size)
		memcpy(packer->at, data, size);
	put_varint(packer, size);
	put_tag(packer, id, WIRE_BYTES);
}

static void put_message(struct packer *packer, const ProtobufCFieldDescriptor *field,
			const void *message)
{
	const uint8_t *end = packer->at;

	pack_message(packer, field->descriptor, message);
	pack_field(packer, field->id, end);
}

/* A field that proto3 leaves out when it is zero or empty. */
static void put_single(struct packer *packer, const ProtobufCFieldDescriptor *field,
		       const void *value)
{
	const ProtobufCBinaryData *bytes;
	const char *string;
	const void *message;

	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
		put_number(packer, field->id, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		put_number(packer, field->id, (uint64_t)(int64_t) * (const int32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
		put_number(packer, field->id, *(const uint64_t *)value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		put_number(packer, field->id, !!*(const protobuf_c_boolean *)value);
		break;
	case PROTOBUF_C_TYPE_FIXED64:
		put_fixed(packer, field->id, WIRE_64, value, 8);
		break;
	case PROTOBUF_C_TYPE_FIXED32:
		put_fixed(packer, field->id, WIRE_32, value, 4);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		bytes = value;
		if (bytes->len)
			put_bytes(packer, field->id, bytes->data, bytes->len);
		break;
	case PROTOBUF_C_TYPE_STRING:
		string = *(const char *const *)value;
		if (string && *string)
			put_bytes(packer, field->id, string, strlen(string));
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		message = *(const void *const *)value;
		if (message)
			put_message(packer, field, message);
		break;
	default:
		assert(!"a type that the schema does not use");
	}
}

/* The schema repeats messages and bytes, nothing else. */
static void put_repeated(struct packer *packer, const ProtobufCFieldDescriptor *field,
			 const void *array, size_t n)
{
	const ProtobufCBinaryData *bytes = array;
	const void *const *messages = array;

	assert(field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_BYTES);
	while (n-- && !packer->full)
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			put_message(packer, field, messages[n]);
		else
			put_bytes(packer, field->id, bytes[n].data, bytes[n].len);
}

void pack_message(struct packer *packer, const ProtobufCMessageDescriptor *type,
		  const void *message)
{
	const uint8_t *base = message;

	for (unsigned i = type->n_fields; i-- && !packer->full;) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const void *value = base + field->offset,
			   *quantifier = base + field->quantifier_offset;

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			const size_t *n = quantifier;

			if (*n)
				put_repeated(packer, field, *(const void *const *)value, *n);
		} else if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
			   *(const uint32_t *)quantifier == field->id) {
			put_single(packer, field, value);
		}
	}
}

void pack_field(struct packer *packer, unsigned id, const uint8_t *end)
{
	if (!has_room(packer, SCALAR_MAX))
		return;
	put_varint(packer, (uint64_t)(end - packer->at));
	put_tag(packer, id, WIRE_BYTES);
}
