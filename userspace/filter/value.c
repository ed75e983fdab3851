/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/nearest.h"

enum value_format value_format(const struct field *field)
{
	switch (field->last->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return VALUE_SIGNED;
	case PROTOBUF_C_TYPE_BOOL:
		return VALUE_BOOL;
	case PROTOBUF_C_TYPE_ENUM:
		return VALUE_ENUM;
	case PROTOBUF_C_TYPE_STRING:
		return VALUE_BYTES;
	case PROTOBUF_C_TYPE_BYTES:
		if (field->holder == &hinomi__address__descriptor &&
		    !strcmp(field->last->name, "ip"))
			return VALUE_ADDRESS;
		return strcmp(field->last->name, "sha256") != 0 ? VALUE_BYTES : VALUE_HEX;
	default:
		return VALUE_UNSIGNED;
	}
}

const char *value_format_name(enum value_format format)
{
	static const char *const names[] = {
		[VALUE_UNSIGNED] = "a number",	[VALUE_SIGNED] = "a number",
		[VALUE_BOOL] = "true or false", [VALUE_ENUM] = "one of a few names",
		[VALUE_BYTES] = "text",		[VALUE_HEX] = "a digest",
		[VALUE_ADDRESS] = "an address",
	};

	return names[format];
}

static int hex_digit(char c)
{
	char lower = (char)(c | 0x20);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* As in C: decimal, 0x and hexadecimal, 0 and octal. */
static int digits_parse(struct word word, uint64_t *ret)
{
	unsigned base = 10;
	size_t i = 0;

	*ret = 0;
	if (word.len > 2 && word.data[0] == '0' && (word.data[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	} else if (word.len > 1 && word.data[0] == '0') {
		base = 8;
		i = 1;
	}
	if (i == word.len)
		return -EINVAL;
	for (; i < word.len; i++) {
		int digit = hex_digit(word.data[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(*ret, base, ret) ||
		    __builtin_add_overflow(*ret, (unsigned)digit, ret))
			return -ERANGE;
	}
	return 0;
}

static bool is_32_bits(ProtobufCType type)
{
	return value_item_size(type) == sizeof(uint32_t);
}

static int unsigned_parse(struct word word, const struct field *field,
			  const struct complaint *complaint, struct value *ret)
{
	uint64_t max = is_32_bits(field->last->type) ? UINT32_MAX : UINT64_MAX;
	int r = digits_parse(word, &ret->number);

	if (r == -ERANGE || (!r && ret->number > max))
		return complain(complaint, "`%.*s` is too large for `%s`, which ends at %llu",
				WORD_ARGS(word), field->last->name, (unsigned long long)max);
	if (r)
		return complain(complaint,
				"`%s` is a whole number from 0 (17, 0x11 or 021), not `%.*s`",
				field->last->name, WORD_ARGS(word));
	return 0;
}

static int signed_parse(struct word word, const struct field *field,
			const struct complaint *complaint, struct value *ret)
{
	uint64_t max = is_32_bits(field->last->type) ? INT32_MAX : INT64_MAX;
	bool minus = word.len && word.data[0] == '-';
	struct word digits = {.data = word.data + minus, .len = word.len - minus};
	int r = digits_parse(digits, &ret->number);

	if (r == -ERANGE || (!r && ret->number > max + minus))
		return complain(complaint, "`%.*s` is outside of what `%s` can be: -%llu to %llu",
				WORD_ARGS(word), field->last->name, (unsigned long long)max + 1,
				(unsigned long long)max);
	if (r)
		return complain(complaint, "`%s` is a whole number (-13, 17, 0x11), not `%.*s`",
				field->last->name, WORD_ARGS(word));
	if (minus)
		ret->number = -ret->number;
	return 0;
}

static bool is_word(struct word word, const char *text)
{
	return word.len == strlen(text) && !strncasecmp(word.data, text, word.len);
}

static int bool_parse(struct word word, const struct field *field,
		      const struct complaint *complaint, struct value *ret)
{
	ret->number = is_word(word, "true");
	if (ret->number || is_word(word, "false"))
		return 0;
	return complain(complaint, "`%s` is `true` or `false`, not `%.*s`", field->last->name,
			WORD_ARGS(word));
}

/* All names begin with that of the enum: "LANE_" of LANE_KEEP. */
static size_t prefix_len(const ProtobufCEnumDescriptor *descriptor)
{
	const char *first = descriptor->values[0].name;
	size_t len = strlen(first);

	for (unsigned i = 1; i < descriptor->n_values; i++)
		while (strncmp(first, descriptor->values[i].name, len) != 0)
			len--;
	while (len && first[len - 1] != '_')
		len--;
	return len;
}

/* By the whole name, or without what all names begin with, in any case. */
static int enum_parse(struct word word, const struct field *field,
		      const struct complaint *complaint, struct value *ret)
{
	const ProtobufCEnumDescriptor *descriptor = field->last->descriptor;
	size_t skip = prefix_len(descriptor);
	struct nearest nearest;

	nearest_init(&nearest, word.data, word.len);
	for (unsigned i = 0; i < descriptor->n_values; i++) {
		const ProtobufCEnumValue *value = &descriptor->values[i];

		if (is_word(word, value->name) || is_word(word, value->name + skip)) {
			ret->number = (uint64_t)(int64_t)value->value;
			return 0;
		}
		nearest_offer(&nearest, value->name);
	}
	return complain(complaint, "`%s` is never `%.*s`; there is %s", field->last->name,
			WORD_ARGS(word), nearest_list(&nearest));
}

static int hex_parse(struct word word, const struct field *field, const struct complaint *complaint,
		     struct value *ret)
{
	bool good = !word.len || word.len == 2 * sizeof(ret->digest);

	for (size_t i = 0; good && i < word.len; i++) {
		int digit = hex_digit(word.data[i]);

		good = digit >= 0;
		ret->digest[i / 2] = (uint8_t)(ret->digest[i / 2] << 4 | digit);
	}
	if (!good)
		return complain(complaint,
				"`%s` is written as %zu hexadecimal digits, or \"\"; not `%.*s`",
				field->last->name, 2 * sizeof(ret->digest), WORD_ARGS(word));
	ret->size = word.len / 2;
	ret->bytes = ret->digest;
	return 0;
}

void value_network(const uint8_t *ip, size_t size, unsigned bits, struct value *ret)
{
	ret->address[0] = (uint8_t)bits;
	ret->size = 1 + size;
	ret->bytes = ret->address;
	for (size_t i = 0; i < size; i++) {
		unsigned whole = bits >= 8 * (i + 1) ? 8
				 : bits > 8 * i	     ? bits - 8 * (unsigned)i
						     : 0;

		ret->address[1 + i] = ip[i] & (uint8_t)(0xff00 >> whole);
	}
}

static int address_parse(struct word word, const struct complaint *complaint, struct value *ret)
{
	char text[INET6_ADDRSTRLEN + 8] = "";
	uint8_t ip[16];
	size_t size = 0;
	uint64_t bits;
	char *slash;

	if (word.len < sizeof(text))
		memcpy(text, word.data, word.len);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = 0;
	if (inet_pton(AF_INET, text, ip) == 1)
		size = 4;
	else if (inet_pton(AF_INET6, text, ip) == 1)
		size = 16;
	bits = 8 * size;
	if (!size || (slash && (digits_parse((struct word){slash, strlen(slash)}, &bits) ||
				bits > 8 * size)))
		return complain(complaint,
				"`%.*s` is no address; write 192.0.2.1, 2001:db8::1, or a network "
				"like 192.0.2.0/24",
				WORD_ARGS(word));
	value_network(ip, size, (unsigned)bits, ret);
	return 0;
}

int value_parse(struct word word, const struct field *field, const struct complaint *complaint,
		struct value *ret)
{
	*ret = (struct value){.size = sizeof(ret->number), .bytes = &ret->number};
	switch (value_format(field)) {
	case VALUE_UNSIGNED:
		return unsigned_parse(word, field, complaint, ret);
	case VALUE_SIGNED:
		return signed_parse(word, field, complaint, ret);
	case VALUE_BOOL:
		return bool_parse(word, field, complaint, ret);
	case VALUE_ENUM:
		return enum_parse(word, field, complaint, ret);
	case VALUE_HEX:
		return hex_parse(word, field, complaint, ret);
	case VALUE_ADDRESS:
		return address_parse(word, complaint, ret);
	default:
		*ret = (struct value){.bytes = word.data, .size = word.len};
		return 0;
	}
}

uint64_t value_load_number(ProtobufCType type, const void *member)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		return (uint64_t)(int64_t) * (const int32_t *)member;
	case PROTOBUF_C_TYPE_BOOL:
		return !!*(const protobuf_c_boolean *)member;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

struct word value_load_bytes(ProtobufCType type, const void *member)
{
	const ProtobufCBinaryData *bytes = member;
	const char *string;

	if (type == PROTOBUF_C_TYPE_BYTES)
		return (struct word){.data = (const char *)bytes->data, .len = bytes->len};
	string = *(const char *const *)member;
	return (struct word){.data = string, .len = string ? strlen(string) : 0};
}

size_t value_item_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return sizeof(uint64_t);
	default:
		return sizeof(uint32_t); /* enums and booleans as well */
	}
}
