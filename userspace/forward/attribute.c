/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/attribute.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/escape.h"

#define ELEMENT_OVERHEAD 12 /* tags and lengths of an array's element at most */

void attributes_init(struct attributes *attributes, struct arena *arena, size_t value_max)
{
	attributes->arena = arena;
	attributes->value_max = value_max;
	attributes->truncated = false;
	attributes->dropped = 0;
	attributes->count = 0;
}

bool attribute_has(const struct attributes *attributes, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < attributes->count; i++) {
		const ProtobufCBinaryData *other = &attributes->list[i]->key;

		if (other->len == length && !memcmp(other->data, key, length))
			return true;
	}
	return false;
}

/* An empty value under the key, NULL when there is no room. */
static Otlp__AnyValue *add(struct attributes *attributes, const char *key)
{
	Otlp__KeyValue *pair = NULL;
	Otlp__AnyValue *value = NULL;

	if (attributes->count < ATTRIBUTES_MAX) {
		pair = arena_alloc(attributes->arena, sizeof(*pair));
		value = arena_alloc(attributes->arena, sizeof(*value));
	}
	if (!pair || !value) {
		attributes->dropped++;
		return NULL;
	}
	otlp__key_value__init(pair);
	otlp__any_value__init(value);
	pair->key.data = (uint8_t *)key;
	pair->key.len = strlen(key);
	pair->value = value;
	attributes->list[attributes->count++] = pair;
	return value;
}

/* UTF-8 of at most value_max bytes; the cut falls on an input byte, never inside of an escape. */
static ProtobufCBinaryData utf8_of(struct attributes *attributes, const void *data, size_t size)
{
	ProtobufCBinaryData text = {0};
	char *out;

	if (size > attributes->value_max) {
		size = attributes->value_max;
		attributes->truncated = true;
	}
	if (size && is_utf8(data, size) && !memchr(data, '\\', size)) {
		text.data = arena_copy(attributes->arena, data, size);
		text.len = text.data ? size : 0;
		return text;
	}
	if (size > attributes->value_max / 4) {
		/* each byte may take four */
		attributes->truncated |= size > attributes->value_max / 4;
		size = attributes->value_max / 4;
	}
	out = arena_alloc(attributes->arena, 4 * size);
	text.data = (uint8_t *)out;
	text.len = out ? escape_utf8(data, size, out) : 0;
	return text;
}

Otlp__AnyValue *attribute_value_text(struct attributes *attributes, const void *data, size_t size)
{
	Otlp__AnyValue *value = arena_alloc(attributes->arena, sizeof(*value));

	if (!value)
		return NULL;
	otlp__any_value__init(value);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = utf8_of(attributes, data, size);
	return value;
}

void attribute_text(struct attributes *attributes, const char *key, const void *data, size_t size)
{
	Otlp__AnyValue *value = add(attributes, key);

	if (!value)
		return;
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = utf8_of(attributes, data, size);
}

void attribute_string(struct attributes *attributes, const char *key, const char *text)
{
	attribute_text(attributes, key, text, strlen(text));
}

void attribute_hex(struct attributes *attributes, const char *key, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	char text[257];

	if (size > sizeof(text) / 2) {
		size = sizeof(text) / 2;
		attributes->truncated = true;
	}
	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	attribute_text(attributes, key, text, 2 * size);
}

void attribute_int(struct attributes *attributes, const char *key, int64_t number)
{
	Otlp__AnyValue *value = add(attributes, key);

	if (!value)
		return;
	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = number;
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
	Otlp__AnyValue *value = add(attributes, key);

	if (!value)
		return;
	value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	value->bool_value = truth;
}

static bool add_element(struct attributes *attributes, Otlp__ArrayValue *array, size_t *left,
			const ProtobufCBinaryData *element)
{
	Otlp__AnyValue value;
	ProtobufCBinaryData *packed = &array->values[array->n_values];

	otlp__any_value__init(&value);
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = utf8_of(attributes, element->data, element->len);
	packed->len = otlp__any_value__get_packed_size(&value);
	if (packed->len + ELEMENT_OVERHEAD > *left)
		return false;
	packed->data = arena_alloc(attributes->arena, packed->len);
	if (!packed->data)
		return false;
	otlp__any_value__pack(&value, packed->data);
	*left -= packed->len + ELEMENT_OVERHEAD;
	array->n_values++;
	return true;
}

void attribute_texts(struct attributes *attributes, const char *key,
		     const ProtobufCBinaryData *values, size_t count)
{
	Otlp__AnyValue *value = add(attributes, key);
	size_t left = attributes->value_max + ELEMENT_OVERHEAD;
	Otlp__ArrayValue *array;

	if (!value)
		return;
	if (count > left / ELEMENT_OVERHEAD) {
		count = left / ELEMENT_OVERHEAD;
		attributes->truncated = true;
	}
	array = arena_alloc(attributes->arena, sizeof(*array));
	if (!array)
		return;
	otlp__array_value__init(array);
	array->values = arena_alloc(attributes->arena, count * sizeof(*array->values));
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
	for (size_t i = 0; array->values && i < count; i++) {
		if (!add_element(attributes, array, &left, &values[i])) {
			attributes->truncated = true;
			break;
		}
	}
}
