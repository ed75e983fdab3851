/* SPDX-License-Identifier: Apache-2.0 */
/* The right side of a test: values in the form in which the field holds them. */
#pragma once

#include "filter/field.h"
#include "filter/rule.h"

struct operand;

/* Values that are no values of the field, or an operator that it does not have: -EINVAL with a
 * complaint.  The words are borrowed. */
int operand_new(const struct field *field, const struct rule_test *test,
		const struct complaint *complaint, struct operand **ret);
void operand_free(struct operand *operand);
/* It was made for a field of the same kind, and serves this one as well. */
bool operand_fits(const struct operand *operand, const struct field *field);
/* The test itself; holder as field_holder gives it, NULL when the field is absent. */
bool operand_matches(const struct operand *operand, const struct field *field, enum op op,
		     const void *holder);

DEFINE_CLEANUP(struct operand *, operand_free);
