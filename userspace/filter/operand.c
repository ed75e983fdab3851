/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every value becomes bytes: a number its eight, an address its four or sixteen
 * with the length of the network in front.  So one kind of set serves them all.
 */
#include "filter/operand.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filter/set.h"
#include "filter/value.h"

struct operand {
	enum value_format format;
	const void *descriptor; /* of an enum */
	ProtobufCType type;
	size_t nvalues;
	struct value *values;
	struct set *set; /* of more than one value */
	/* lengths of the networks in the set: bit n is /n */
	uint64_t networks4, networks6[3];
};

static bool op_is_possible(enum op op, enum value_format format)
{
	switch (op) {
	case OP_LESS:
	case OP_GREATER:
		return format == VALUE_SIGNED || format == VALUE_UNSIGNED;
	case OP_BEGINS:
	case OP_ENDS:
	case OP_CONTAINS:
		return format == VALUE_BYTES;
	default:
		return true;
	}
}

static int op_check(const struct field *field, const struct rule_test *test,
		    const struct complaint *complaint)
{
	enum value_format format = value_format(field);

	if (op_is_possible(test->op, format))
		return 0;
	return complain(complaint, "`%.*s` is %s, which has no `%s`; use one of %s",
			WORD_ARGS(test->field), value_format_name(format), op_name(test->op),
			format == VALUE_BYTES				     ? "= != ^= $= *= in"
			: format == VALUE_SIGNED || format == VALUE_UNSIGNED ? "= != < > in"
									     : "= != in");
}

static void networks_note(struct operand *operand, const struct value *value)
{
	if (value->size == 1 + 4)
		operand->networks4 |= 1ULL << value->address[0];
	else
		operand->networks6[value->address[0] / 64] |= 1ULL << value->address[0] % 64;
}

static int set_fill(struct operand *operand)
{
	int r = set_new(operand->nvalues, &operand->set);

	for (size_t i = 0; !r && i < operand->nvalues; i++) {
		const struct value *value = &operand->values[i];

		set_add(operand->set, value->bytes, value->size);
		if (operand->format == VALUE_ADDRESS)
			networks_note(operand, value);
	}
	return r;
}

int operand_new(const struct field *field, const struct rule_test *test,
		const struct complaint *complaint, struct operand **ret)
{
	CLEANUP(operand_free) struct operand *operand = calloc(1, sizeof(*operand));
	int r = op_check(field, test, complaint);

	if (r < 0)
		return r;
	if (!operand)
		return -ENOMEM;
	operand->format = value_format(field);
	operand->type = field->last->type;
	operand->descriptor = field->last->descriptor;
	operand->values = calloc(test->nvalues, sizeof(*operand->values));
	if (!operand->values)
		return -ENOMEM;
	for (; operand->nvalues < test->nvalues; operand->nvalues++) {
		r = value_parse(test->values[operand->nvalues], field, complaint,
				&operand->values[operand->nvalues]);
		if (r < 0)
			return r;
	}
	if (operand->nvalues > 1 || operand->format == VALUE_ADDRESS)
		r = set_fill(operand);
	if (r < 0)
		return r;
	*ret = TAKE(operand);
	return 0;
}

void operand_free(struct operand *operand)
{
	if (!operand)
		return;
	set_free(operand->set);
	free(operand->values);
	free(operand);
}

bool operand_fits(const struct operand *operand, const struct field *field)
{
	return operand->format == value_format(field) && operand->type == field->last->type &&
	       operand->descriptor == field->last->descriptor;
}

static bool network_has(const struct operand *operand, const uint8_t *ip, size_t size,
			unsigned bits)
{
	struct value value;

	value_network(ip, size, bits, &value);
	return set_has(operand->set, value.address, value.size);
}

/* One look-up for each length of network that the set has. */
static bool address_matches(const struct operand *operand, struct word ip)
{
	const uint64_t *networks = ip.len == 4 ? &operand->networks4 : operand->networks6;
	size_t words = ip.len == 4 ? 1 : 3;

	if (ip.len != 4 && ip.len != 16)
		return false;
	for (size_t i = 0; i < words; i++)
		for (uint64_t left = networks[i]; left; left &= left - 1)
			if (network_has(operand, (const uint8_t *)ip.data, ip.len,
					(unsigned)(i * 64) + (unsigned)__builtin_ctzll(left)))
				return true;
	return false;
}

static bool ends_match(const struct value *value, struct word bytes, bool at_end)
{
	if (value->size > bytes.len)
		return false;
	return !value->size || !memcmp(bytes.data + (at_end ? bytes.len - value->size : 0),
				       value->bytes, value->size);
}

static bool bytes_match(const struct operand *operand, enum op op, struct word bytes)
{
	const struct value *value = operand->values;

	switch (op) {
	case OP_BEGINS:
		return ends_match(value, bytes, false);
	case OP_ENDS:
		return ends_match(value, bytes, true);
	case OP_CONTAINS:
		return !value->size || (value->size <= bytes.len &&
					memmem(bytes.data, bytes.len, value->bytes, value->size));
	default:
		if (operand->format == VALUE_ADDRESS)
			return address_matches(operand, bytes);
		if (operand->set)
			return set_has(operand->set, bytes.data, bytes.len);
		return value->size == bytes.len && ends_match(value, bytes, false);
	}
}

static bool number_matches(const struct operand *operand, enum op op, uint64_t number)
{
	uint64_t other = operand->values->number;

	switch (op) {
	case OP_LESS:
	case OP_GREATER:
		if (operand->format == VALUE_SIGNED)
			return op == OP_LESS ? (int64_t)number < (int64_t)other
					     : (int64_t)number > (int64_t)other;
		return op == OP_LESS ? number < other : number > other;
	default:
		return operand->set ? set_has(operand->set, &number, sizeof(number))
				    : number == other;
	}
}

static bool item_matches(const struct operand *operand, const struct field *field, enum op op,
			 const void *member)
{
	if (operand->format == VALUE_BYTES || operand->format == VALUE_ADDRESS ||
	    operand->format == VALUE_HEX)
		return bytes_match(operand, op, value_load_bytes(field->last->type, member));
	return number_matches(operand, op, value_load_number(field->last->type, member));
}

/* Of a list, one item is enough. */
static bool any_matches(const struct operand *operand, const struct field *field, enum op op,
			const char *holder)
{
	const char *member = holder + field->last->offset;
	size_t n, size;

	if (field->last->label != PROTOBUF_C_LABEL_REPEATED)
		return item_matches(operand, field, op, member);
	n = *(const size_t *)(holder + field->last->quantifier_offset);
	size = value_item_size(field->last->type);
	member = *(const char *const *)member;
	for (size_t i = 0; i < n; i++)
		if (item_matches(operand, field, op, member + i * size))
			return true;
	return false;
}

bool operand_matches(const struct operand *operand, const struct field *field, enum op op,
		     const void *holder)
{
	if (op == OP_NOT_EQUAL)
		return !holder || !any_matches(operand, field, OP_EQUAL, holder);
	return holder && any_matches(operand, field, op, holder);
}
