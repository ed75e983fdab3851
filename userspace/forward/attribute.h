/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of an OTLP record or resource, written in their final form as they come.
 * What goes over a limit is cut or left out, and said.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/wire.h"

#define ATTRIBUTES_MAX	    192
#define ATTRIBUTE_VALUE_MAX 65536

struct attributes {
	struct wire *out;
	unsigned number;  /* of the field `attributes` in the message that out is of */
	size_t value_max; /* bytes of one value, all elements together; at most ATTRIBUTE_VALUE_MAX
			   */
	uint8_t *scratch; /* 2 * ATTRIBUTE_VALUE_MAX bytes */
	bool truncated;	  /* a value was cut */
	uint32_t count, dropped; /* dropped: over ATTRIBUTES_MAX */
	size_t start;		 /* of the first in out */
};

/* out and scratch: borrowed. */
void attributes_init(struct attributes *attributes, struct wire *out, unsigned number,
		     size_t value_max, uint8_t *scratch);
bool attribute_has(const struct attributes *attributes, const char *key);
/* Text is made UTF-8, reversibly. */
void attribute_text(struct attributes *attributes, const char *key, const void *data, size_t size);
void attribute_string(struct attributes *attributes, const char *key, const char *text);
void attribute_hex(struct attributes *attributes, const char *key, const void *data, size_t size);
/* Above what OTLP's int64 holds it becomes text. */
void attribute_uint(struct attributes *attributes, const char *key, uint64_t value);
void attribute_int(struct attributes *attributes, const char *key, int64_t value);
void attribute_bool(struct attributes *attributes, const char *key, bool value);
void attribute_texts(struct attributes *attributes, const char *key,
		     const ProtobufCBinaryData *values, size_t count);
/* An AnyValue with text as the field `number` of out, for a body. */
void attribute_value(struct attributes *attributes, unsigned number, const void *data, size_t size);
