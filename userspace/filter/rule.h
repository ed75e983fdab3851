/* SPDX-License-Identifier: Apache-2.0 */
/* A rule as it is written: words, not yet what they mean. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define RULE_BYTES_MAX (32u << 20)
#define RULE_TESTS_MAX 32

enum op { OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_GREATER, OP_BEGINS, OP_ENDS, OP_CONTAINS, OP_IN };

struct word {
	const char *data; /* unescaped; any bytes, without a NUL behind them */
	size_t len;
};

struct rule_test {
	struct word field;
	enum op op;
	struct word *values; /* one, or more with OP_IN */
	size_t nvalues;
};

struct rule {
	bool keep;
	struct word *classes;
	size_t nclasses;
	struct rule_test tests[RULE_TESTS_MAX];
	size_t ntests;
	char *text; /* what the words lie in */
};

/* What is wrong and what would be right; cut when it is longer. */
struct complaint {
	char *text;
	size_t size;
};

/* Writes the complaint; always -EINVAL. */
int complain(const struct complaint *complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A word in a complaint: no longer than a reader bears. */
#define WORD_ARGS(word) (int)((word).len < 60 ? (word).len : 60), (word).data

/* -EINVAL with a complaint, -ENOMEM. */
int rule_parse(const char *text, const struct complaint *complaint, struct rule **ret);
void rule_free(struct rule *rule);
const char *op_name(enum op op);

DEFINE_CLEANUP(struct rule *, rule_free);
