/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/attribute.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

/* field numbers of KeyValue, AnyValue and ArrayValue */
enum { KEY = 1, VALUE = 2 };
enum { STRING_VALUE = 1, BOOL_VALUE = 2, INT_VALUE = 3, ARRAY_VALUE = 5 };
enum { VALUES = 1 };

void attributes_init(struct attributes *attributes, struct wire *out, unsigned number,
		     size_t value_max, uint8_t *scratch)
{
	*attributes = (struct attributes){.out = out,
					  .number = number,
					  .value_max = value_max,
					  .scratch = scratch,
					  .start = out->size};
}

static size_t take_varint(const uint8_t **at)
{
	size_t value = 0;
	unsigned shift = 0;

	do
		value |= (size_t)(**at & 127) << shift, shift += 7;
	while (*(*at)++ & 128);
	return value;
}

bool attribute_has(const struct attributes *attributes, const char *key)
{
	const uint8_t *at = attributes->out->data + attributes->start;
	const uint8_t *end = attributes->out->data + attributes->out->size;
	size_t length = strlen(key);

	while (at < end) {
		const uint8_t *next;
		size_t size;

		at++;
		size = take_varint(&at);
		next = at + size;
		at++;
		size = take_varint(&at);
		if (size == length && !memcmp(at, key, length))
			return true;
		at = next;
	}
	return false;
}

/* An attribute but for its AnyValue, whose `size` bytes are written next; false: it is left out. */
static bool begin(struct attributes *attributes, const char *key, size_t size)
{
	struct wire *out = attributes->out;
	size_t length = strlen(key);

	if (attributes->count == ATTRIBUTES_MAX) {
		attributes->dropped++;
		return false;
	}
	attributes->count++;
	size = wire_bytes_size(size);
	if (!wire_head(out, attributes->number, wire_bytes_size(length) + size))
		return false;
	wire_bytes(out, KEY, key, length);
	return true;
}

/* UTF-8 of at most value_max bytes, in the input or in the scratch; a cut falls on an input byte,
 * never inside of an escape. */
static const void *utf8_of(struct attributes *attributes, const void *data, size_t *size)
{
	size_t most = attributes->value_max;

	if (*size > most) {
		*size = most;
		attributes->truncated = true;
	}
	if (!*size || (is_utf8(data, *size) && !memchr(data, '\\', *size)))
		return data;
	if (*size > most / 4) { /* each byte may take four */
		attributes->truncated = true;
		*size = most / 4;
	}
	*size = escape_utf8(data, *size, (char *)attributes->scratch);
	return attributes->scratch;
}

void attribute_value(struct attributes *attributes, unsigned number, const void *data, size_t size)
{
	const void *text = utf8_of(attributes, data, &size);

	if (wire_head(attributes->out, number, wire_bytes_size(size)))
		wire_bytes(attributes->out, STRING_VALUE, text, size);
}

void attribute_text(struct attributes *attributes, const char *key, const void *data, size_t size)
{
	const void *text = utf8_of(attributes, data, &size);
	size_t value = wire_bytes_size(size);

	if (!begin(attributes, key, value))
		return;
	wire_head(attributes->out, VALUE, value);
	wire_bytes(attributes->out, STRING_VALUE, text, size);
}

void attribute_string(struct attributes *attributes, const char *key, const char *text)
{
	attribute_text(attributes, key, text, strlen(text));
}

void attribute_hex(struct attributes *attributes, const char *key, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	char text[256];

	if (size > sizeof(text) / 2) {
		size = sizeof(text) / 2;
		attributes->truncated = true;
	}
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	attribute_text(attributes, key, text, 2 * size);
}

static void add_number(struct attributes *attributes, const char *key, unsigned kind,
		       uint64_t number)
{
	size_t value = 1 + wire_varint_size(number);

	if (!begin(attributes, key, value))
		return;
	wire_head(attributes->out, VALUE, value);
	wire_varint(attributes->out, kind, number);
}

void attribute_int(struct attributes *attributes, const char *key, int64_t number)
{
	add_number(attributes, key, INT_VALUE, (uint64_t)number);
}

void attribute_uint(struct attributes *attributes, const char *key, uint64_t number)
{
	char text[24];

	if (number <= INT64_MAX) {
		attribute_int(attributes, key, (int64_t)number);
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, number);
	attribute_string(attributes, key, text);
}

void attribute_bool(struct attributes *attributes, const char *key, bool truth)
{
	add_number(attributes, key, BOOL_VALUE, truth);
}

/* Elements that fit into value_max, as an ArrayValue, behind the scratch of their text. */
static struct wire pack_texts(struct attributes *attributes, const ProtobufCBinaryData *values,
			      size_t count)
{
	struct wire array = {.data = attributes->scratch + ATTRIBUTE_VALUE_MAX,
			     .capacity = attributes->value_max};

	for (size_t i = 0; i < count && !array.full; i++) {
		size_t size = values[i].len;
		const void *text = utf8_of(attributes, values[i].data, &size);

		if (wire_head(&array, VALUES, wire_bytes_size(size)))
			wire_bytes(&array, STRING_VALUE, text, size);
	}
	attributes->truncated |= array.full;
	return array;
}

void attribute_texts(struct attributes *attributes, const char *key,
		     const ProtobufCBinaryData *values, size_t count)
{
	struct wire array = pack_texts(attributes, values, count);
	size_t value = wire_bytes_size(array.size);

	if (!begin(attributes, key, value))
		return;
	wire_head(attributes->out, VALUE, value);
	wire_bytes(attributes->out, ARRAY_VALUE, array.data, array.size);
}
