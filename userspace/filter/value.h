/* SPDX-License-Identifier: Apache-2.0 */
/* Values: how they are written in a rule, and how they lie in a message. */
#pragma once

#include <stdint.h>

#include "filter/field.h"
#include "filter/rule.h"

enum value_format {
	VALUE_UNSIGNED,
	VALUE_SIGNED,
	VALUE_BOOL,
	VALUE_ENUM,
	VALUE_BYTES,
	VALUE_HEX,     /* a digest */
	VALUE_ADDRESS, /* IPv4 or IPv6, or a network of either */
};

/* Not to be copied: `bytes` may point into it. */
struct value {
	size_t size;
	const void *bytes; /* of the rule's text, or one of these: */
	union {
		uint64_t number;     /* signed ones extended */
		uint8_t address[17]; /* length of the network, then its address */
		uint8_t digest[32];
	};
};

enum value_format value_format(const struct field *field);
const char *value_format_name(enum value_format format);
int value_parse(struct word word, const struct field *field, const struct complaint *complaint,
		struct value *ret);
/* The network of this length that an address lies in. */
void value_network(const uint8_t *ip, size_t size, unsigned bits, struct value *ret);
uint64_t value_load_number(ProtobufCType type, const void *member);
struct word value_load_bytes(ProtobufCType type, const void *member);
size_t value_item_size(ProtobufCType type);
