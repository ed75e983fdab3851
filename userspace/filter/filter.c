/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each class has its own list of rules, with fields already found: an event
 * meets only the rules that could be about it.
 */
#include "filter/filter.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filter/field.h"
#include "base/nearest.h"
#include "filter/operand.h"
#include "filter/rule.h"

#define RULES_MAX 4096

struct test {
	struct field field;
	enum op op;
	struct operand *operand; /* owned by the list of operands */
};

/* A rule as one class sees it. */
struct compiled {
	bool keep;
	size_t ntests;
	struct test *tests;
};

/* What is said about one class. */
struct kind_rules {
	struct compiled *rules;
	size_t nrules;
};

struct filter {
	struct kind_rules kinds[KINDS_MAX];
	/* what the compiled rules borrow */
	struct rule *rules[RULES_MAX];
	size_t nrules;
	struct operand **operands;
	size_t noperands;
};

int filter_new(struct filter **ret)
{
	struct filter *filter = calloc(1, sizeof(*filter));

	if (!filter)
		return -ENOMEM;
	*ret = filter;
	return 0;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		for (size_t i = 0; i < filter->kinds[kind].nrules; i++)
			free(filter->kinds[kind].rules[i].tests);
		free(filter->kinds[kind].rules);
	}
	for (size_t i = 0; i < filter->noperands; i++)
		operand_free(filter->operands[i]);
	free(filter->operands);
	for (size_t i = 0; i < filter->nrules; i++)
		rule_free(filter->rules[i]);
	free(filter);
}

static int complain_class(struct word name, const struct complaint *complaint)
{
	struct nearest nearest;

	nearest_init(&nearest, name.data, name.len);
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		if (kind_is_kernel(kind))
			nearest_offer(&nearest, kind_name(kind));
	return complain(complaint, "there is no class `%.*s`; there is %s, and * for all",
			WORD_ARGS(name), nearest_list(&nearest));
}

static int class_add(struct word name, const struct complaint *complaint, bool kinds[KINDS_MAX])
{
	bool all = name.len == 1 && *name.data == '*', found = false;

	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		const char *known = kind_name(kind);

		if (!known || (!all && (strlen(known) != name.len ||
					memcmp(known, name.data, name.len) != 0)))
			continue;
		if (!all && !kind_is_kernel(kind))
			return complain(complaint,
					"`%s` comes from the sensor itself and is always kept; "
					"leave it out",
					known);
		found = true;
		kinds[kind] = kind_is_kernel(kind);
	}
	return found ? 0 : complain_class(name, complaint);
}

/* An operand that serves this field: of those made for this test already, or a new one. */
static int operand_get(struct filter *filter, size_t first, const struct field *field,
		       const struct rule_test *test, const struct complaint *complaint,
		       struct operand **ret)
{
	struct operand **grown;
	int r;

	for (size_t i = first; i < filter->noperands; i++) {
		if (operand_fits(filter->operands[i], field)) {
			*ret = filter->operands[i];
			return 0;
		}
	}
	grown = reallocarray(filter->operands, filter->noperands + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	filter->operands = grown;
	r = operand_new(field, test, complaint, ret);
	if (!r)
		filter->operands[filter->noperands++] = *ret;
	return r;
}

/* The test for every class of the rule; a class that lacks the field leaves the rule. */
static int test_compile(struct filter *filter, const struct rule_test *test,
			struct compiled compiled[KINDS_MAX], bool kinds[KINDS_MAX],
			const struct complaint *complaint)
{
	bool asked[KINDS_MAX], found = false;
	size_t first = filter->noperands;
	int r;

	memcpy(asked, kinds, sizeof(asked));
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		struct test *to;

		if (!kinds[kind])
			continue;
		to = &compiled[kind].tests[compiled[kind].ntests];
		r = field_resolve(test->field, kind, complaint, &to->field);
		if (!r)
			r = operand_get(filter, first, &to->field, test, complaint, &to->operand);
		if (r < 0 && r != -ENOENT)
			return r;
		to->op = test->op;
		kinds[kind] = !r;
		found |= !r;
		compiled[kind].ntests++;
	}
	return found ? 0 : field_complain(test->field, asked, complaint);
}

static int rules_reserve(struct kind_rules *about)
{
	struct compiled *rules = reallocarray(about->rules, about->nrules + 1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	about->rules = rules;
	return 0;
}

/* Everything that can fail, so that a rule that is wrong leaves nothing behind. */
static int rule_compile(struct filter *filter, const struct rule *rule, bool kinds[KINDS_MAX],
			struct compiled compiled[KINDS_MAX], const struct complaint *complaint)
{
	int r = 0;

	for (size_t i = 0; !r && i < rule->nclasses; i++)
		r = class_add(rule->classes[i], complaint, kinds);
	for (unsigned kind = 0; !r && kind < KINDS_MAX; kind++) {
		if (!kinds[kind])
			continue;
		compiled[kind].keep = rule->keep;
		compiled[kind].tests = calloc(rule->ntests + 1, sizeof(struct test));
		r = compiled[kind].tests ? rules_reserve(&filter->kinds[kind]) : -ENOMEM;
	}
	for (size_t i = 0; !r && i < rule->ntests; i++)
		r = test_compile(filter, &rule->tests[i], compiled, kinds, complaint);
	return r;
}

int filter_add(struct filter *filter, const char *text, char *error, size_t error_size)
{
	const struct complaint complaint = {.text = error, .size = error_size};
	struct compiled compiled[KINDS_MAX] = {0};
	bool kinds[KINDS_MAX] = {0};
	CLEANUP(rule_free) struct rule *rule = NULL;
	size_t noperands = filter->noperands;
	int r;

	if (filter->nrules == RULES_MAX)
		return complain(&complaint, "there are at most %d rules; use `in` for long lists",
				RULES_MAX);
	r = rule_parse(text, &complaint, &rule);
	if (!r)
		r = rule_compile(filter, rule, kinds, compiled, &complaint);
	if (r == -ENOMEM)
		snprintf(error, error_size, "there is not enough memory for this rule");
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		struct kind_rules *about = &filter->kinds[kind];

		if (!r && kinds[kind])
			about->rules[about->nrules++] = compiled[kind];
		else
			free(compiled[kind].tests);
	}
	while (r < 0 && filter->noperands > noperands)
		operand_free(filter->operands[--filter->noperands]);
	if (!r)
		filter->rules[filter->nrules++] = TAKE(rule);
	return r;
}

static bool rule_matches(const struct compiled *rule, const struct event *event)
{
	for (size_t i = 0; i < rule->ntests; i++) {
		const struct test *test = &rule->tests[i];
		const void *holder = field_holder(&test->field, event);

		if (!operand_matches(test->operand, &test->field, test->op, holder))
			return false;
	}
	return true;
}

bool filter_keeps(const struct filter *filter, const struct event *event)
{
	const struct kind_rules *about;

	if ((unsigned)event->kind >= KINDS_MAX)
		return true;
	about = &filter->kinds[event->kind];
	for (size_t i = 0; i < about->nrules; i++)
		if (rule_matches(&about->rules[i], event))
			return about->rules[i].keep;
	return true;
}
