/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of one OTLP record or resource while it is made.  All memory is the
 * arena's; what goes over a limit is cut or left out, and said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otlp.pb-c.h"

#define ATTRIBUTES_MAX 192

struct arena;

struct attributes {
	struct arena *arena;
	size_t value_max; /* bytes of one value, all elements together */
	bool truncated;	  /* a value was cut */
	uint32_t dropped; /* attributes that had no room */
	size_t count;
	Otlp__KeyValue *list[ATTRIBUTES_MAX];
};

void attributes_init(struct attributes *attributes, struct arena *arena, size_t value_max);
bool attribute_has(const struct attributes *attributes, const char *key);
/* Keys are borrowed for as long as the record lives.  Text is made UTF-8, reversibly. */
void attribute_text(struct attributes *attributes, const char *key, const void *data, size_t size);
void attribute_string(struct attributes *attributes, const char *key, const char *text);
void attribute_hex(struct attributes *attributes, const char *key, const void *data, size_t size);
/* Above what OTLP's int64 holds it becomes text. */
void attribute_uint(struct attributes *attributes, const char *key, uint64_t value);
void attribute_int(struct attributes *attributes, const char *key, int64_t value);
void attribute_bool(struct attributes *attributes, const char *key, bool value);
void attribute_texts(struct attributes *attributes, const char *key,
		     const ProtobufCBinaryData *values, size_t count);
/* A value of its own, for a body. */
Otlp__AnyValue *attribute_value_text(struct attributes *attributes, const void *data, size_t size);
