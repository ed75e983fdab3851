/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define ELEMENTS 8 /* of a list that are remembered */
#define ZEROS	 2048

enum type { U32, I32, BOOLEAN, U64, BYTES, STRING, MESSAGE, BYTES_LIST, MESSAGE_LIST };

static const uint8_t zeros[ZEROS];

static enum type type_of(const ProtobufCFieldDescriptor *field)
{
	bool list = field->label == PROTOBUF_C_LABEL_REPEATED;

	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
		return U32;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		return I32;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return U64;
	case PROTOBUF_C_TYPE_BOOL:
		return BOOLEAN;
	case PROTOBUF_C_TYPE_STRING:
		return STRING;
	case PROTOBUF_C_TYPE_BYTES:
		return list ? BYTES_LIST : BYTES;
	case PROTOBUF_C_TYPE_MESSAGE:
		return list ? MESSAGE_LIST : MESSAGE;
	default:
		assert(!"a type that the schema does not use");
		return U32;
	}
}

void place_free(struct place *place)
{
	for (unsigned i = 0; place && i < place->nfields; i++) {
		struct field *field = &place->fields[i];

		if (field->type == MESSAGE)
			place_free(field->place);
		for (unsigned j = 0; field->type == MESSAGE_LIST && field->places && j < ELEMENTS;
		     j++)
			place_free(field->places[j]);
		if (field->type == MESSAGE_LIST)
			free(field->places);
		else if (field->type == BYTES_LIST)
			free(field->elements);
	}
	if (place)
		free(place->last);
	free(place);
}

struct place *place_new(const ProtobufCMessageDescriptor *type)
{
	struct place *place = calloc(1, sizeof(*place) + type->n_fields * sizeof(struct field));

	if (!place)
		return NULL;
	assert(type->sizeof_message <= ZEROS);
	place->type = type;
	place->nfields = type->n_fields;
	place->last = calloc(1, type->sizeof_message);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *from = &type->fields[i];
		struct field *field = &place->fields[i];
		bool oneof = from->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;

		field->offset = (uint16_t)from->offset;
		field->quantifier = (uint16_t)from->quantifier_offset;
		field->id = (uint16_t)from->id;
		field->type = (uint8_t)type_of(from);
		assert(!oneof || field->type == MESSAGE);
		assert(oneof || place->nplain == i);
		place->nplain += !oneof;
		if (field->type == BYTES_LIST)
			field->elements = calloc(ELEMENTS, sizeof(*field->elements));
		else if (field->type == MESSAGE_LIST)
			field->places = calloc(ELEMENTS, sizeof(*field->places));
		if (!place->last || (field->type >= BYTES_LIST && !field->places)) {
			place->nfields = i + 1;
			place_free(place);
			return NULL;
		}
	}
	return place;
}

bool has_room(struct writer *writer, size_t size)
{
	if ((size_t)(writer->end - writer->at) < size && !writer->error)
		writer->error = -E2BIG;
	return !writer->error;
}

static void put_number(struct writer *writer, unsigned id, uint64_t now, uint64_t before)
{
	if (now == before || !has_room(writer, SCALAR_MAX))
		return;
	put_key(writer, id, FORM_NUMBER);
	put_varint(writer, zigzag(now - before));
}

/* Literally, or as what was there before; where it lies from now on. */
static const uint8_t *put_bytes(struct writer *writer, const uint8_t *bytes, size_t size)
{
	struct string_place place = {0};
	size_t from = 0;

	if (has_room(writer, 3 * SCALAR_MAX + size))
		place = strings_put(&writer->strings, bytes, size);
	if (!place.bytes) {
		has_room(writer, SIZE_MAX);
		return NULL;
	}
	if (place.same) {
		put_varint(writer, ((uint64_t)place.same->number + 1) << 1 | 1);
		return place.bytes;
	}
	if (place.beginning) {
		from = place.beginning->size;
		put_varint(writer, 1);
		put_varint(writer, place.beginning->number);
		put_varint(writer, from);
		put_varint(writer, size - from);
	} else {
		put_varint(writer, (uint64_t)size << 1);
	}
	if (bytes && size > from)
		memcpy(writer->at, bytes + from, size - from);
	writer->at += size - from;
	return place.bytes;
}

static inline bool is_same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static void put_bytes_field(struct writer *writer, unsigned id, const ProtobufCBinaryData *value,
			    const ProtobufCBinaryData *before, ProtobufCBinaryData *now)
{
	writer->weight += value->len;
	if (is_same(value, before)) {
		*now = *before;
		return;
	}
	if (!has_room(writer, SCALAR_MAX))
		return;
	put_key(writer, id, FORM_BYTES);
	now->data = (uint8_t *)put_bytes(writer, value->data, value->len);
	now->len = value->len;
}

/* Told whenever it is not empty, or was not. */
static void put_string_field(struct writer *writer, unsigned id, const char *value,
			     const char *before, const char **now)
{
	size_t size = value ? strlen(value) : 0;

	writer->weight += size;
	*now = size ? value : NULL;
	if ((!size && !before) || !has_room(writer, SCALAR_MAX))
		return;
	put_key(writer, id, FORM_BYTES);
	put_bytes(writer, (const uint8_t *)value, size);
}

/* A message up to its end; false: it is as before, and nothing but its end was written. */
bool put_message(struct writer *writer, const struct place *before, struct place **now,
		 const ProtobufCMessageDescriptor *type, const void *message)
{
	const uint8_t *start = writer->at;
	bool same;

	if (!*now)
		*now = place_new(type);
	if (!*now)
		writer->error = -ENOMEM;
	if (!*now || !has_room(writer, SCALAR_MAX))
		return true;
	put_fields(writer, before, *now, message);
	same = writer->at == start;
	if (has_room(writer, 1))
		*writer->at++ = 0;
	return !same;
}

static void put_message_field(struct writer *writer, const struct place *before, struct place *now,
			      unsigned i, const void *message, const void *was)
{
	struct field *field = &now->fields[i];
	const struct place *last = was && before ? before->fields[i].place : NULL;
	uint8_t *start = writer->at;

	if (!has_room(writer, SCALAR_MAX))
		return;
	if (message) {
		put_key(writer, field->id, FORM_MESSAGE);
		if (!put_message(writer, last, &field->place, now->type->fields[i].descriptor,
				 message) &&
		    was)
			writer->at = start;
	} else if (was) {
		put_key(writer, field->id, FORM_LIST);
		put_varint(writer, 0);
	}
}

static void put_bytes_list(struct writer *writer, const struct field *now, size_t n,
			   const ProtobufCBinaryData *list, const struct field *before,
			   size_t nbefore)
{
	bool same = n == nbefore && n <= ELEMENTS;

	for (size_t i = 0; i < n; i++) {
		same = same && is_same(&list[i], &before->elements[i]);
		writer->weight += WEIGHT + list[i].len;
	}
	if (same && n)
		memmove(now->elements, before->elements, n * sizeof(*now->elements));
	if (same || !has_room(writer, SCALAR_MAX))
		return;
	put_key(writer, now->id, FORM_LIST);
	put_varint(writer, (uint64_t)n << 1);
	for (size_t i = 0; i < n && !writer->error; i++) {
		const uint8_t *at = put_bytes(writer, list[i].data, list[i].len);

		if (i < ELEMENTS)
			now->elements[i] =
				(ProtobufCBinaryData){.data = (uint8_t *)at, .len = list[i].len};
	}
}

/* Each is held against the one of the same index, or else the one before it. */
static void put_message_list(struct writer *writer, const struct place *now, unsigned i, size_t n,
			     const void *const *list, const struct field *before, size_t nbefore)
{
	const struct field *field = &now->fields[i];
	const ProtobufCMessageDescriptor *type = now->type->fields[i].descriptor;
	bool same = n == nbefore && n <= ELEMENTS;
	uint8_t *start = writer->at;

	if ((!n && !nbefore) || !has_room(writer, SCALAR_MAX))
		return;
	put_key(writer, field->id, FORM_LIST);
	put_varint(writer, (uint64_t)n << 1 | 1);
	for (size_t j = 0; j < n && !writer->error; j++) {
		struct place **at = &field->places[j < ELEMENTS ? j : ELEMENTS - 1];
		const struct place *last = j >= ELEMENTS ? *at : j ? field->places[j - 1] : NULL;

		if (j < ELEMENTS && j < nbefore)
			last = before->places[j];
		same &= !put_message(writer, last, at, type, list[j]);
		writer->weight += WEIGHT;
	}
	if (same)
		writer->at = start;
}

static inline uint64_t load32(const void *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline uint64_t load64(const void *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static void put_list(struct writer *writer, const struct place *before, struct place *now,
		     unsigned i, const uint8_t *message)
{
	const struct field *field = &now->fields[i];
	const void *list = *(const void *const *)(message + field->offset);
	size_t n = load64(message + field->quantifier);
	size_t nbefore = before ? load64(before->last + field->quantifier) : 0;
	const struct field *was = before ? &before->fields[i] : NULL;

	if (field->type == BYTES_LIST)
		put_bytes_list(writer, field, n, list, was, nbefore);
	else
		put_message_list(writer, now, i, n, list, was, nbefore);
	memcpy(now->last + field->quantifier, &n, sizeof(n));
}

/* One that is not a number. */
static void put_field(struct writer *writer, const struct place *before, struct place *now,
		      unsigned i, const uint8_t *message)
{
	const struct field *field = &now->fields[i];
	const uint8_t *value = message + field->offset;
	const uint8_t *was = (before ? before->last : zeros) + field->offset;
	uint8_t *to = now->last + field->offset;

	switch (field->type) {
	case BYTES:
		put_bytes_field(writer, field->id, (const void *)value, (const void *)was,
				(void *)to);
		break;
	case STRING:
		put_string_field(writer, field->id, *(const char *const *)value,
				 *(const char *const *)was, (const char **)to);
		break;
	case MESSAGE:
		put_message_field(writer, before, now, i, *(const void *const *)value,
				  *(const void *const *)was);
		*(const void **)to = *(const void *const *)value;
		break;
	default:
		put_list(writer, before, now, i, message);
	}
}

static inline uint64_t signed32(uint64_t value)
{
	return (uint64_t)(int32_t)value;
}

/* Most fields are numbers, and most of them as before. */
void put_fields(struct writer *writer, const struct place *before, struct place *now,
		const uint8_t *message)
{
	const uint8_t *last = before ? before->last : zeros;

	writer->weight += WEIGHT;
	for (unsigned i = 0; i < now->nplain && !writer->error; i++) {
		const struct field *field = &now->fields[i];
		size_t at = field->offset;
		uint64_t value, was;

		if (field->type > U64) {
			put_field(writer, before, now, i, message);
			continue;
		}
		value = field->type == U64 ? load64(message + at) : load32(message + at);
		was = field->type == U64 ? load64(last + at) : load32(last + at);
		memcpy(now->last + at, message + at, field->type == U64 ? 8 : 4);
		if (value == was)
			continue;
		if (field->type == I32)
			put_number(writer, field->id, signed32(value), signed32(was));
		else if (field->type == BOOLEAN)
			put_number(writer, field->id, !!value, !!was);
		else
			put_number(writer, field->id, value, was);
	}
}
