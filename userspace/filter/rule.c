/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of filter.h.  Words lie in a copy of the text, unescaped in place. */
#include "filter/rule.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OPERATORS "= != < > ^= $= *= in"

struct parser {
	char *at;
	const struct complaint *complaint;
	struct word *words; /* for lists, as many as the text can hold */
	size_t nwords;
};

int complain(const struct complaint *complaint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(complaint->text, complaint->size, format, args);
	va_end(args);
	return -EINVAL;
}

const char *op_name(enum op op)
{
	static const char *const names[] = {"=", "!=", "<", ">", "^=", "$=", "*=", "in"};

	return names[op];
}

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* A class, field or key word; may be empty. */
static struct word take_name(struct parser *parser)
{
	struct word word = {.data = parser->at};

	while (is_name_char(*parser->at))
		parser->at++;
	word.len = (size_t)(parser->at - word.data);
	return word;
}

static bool is_word(struct word word, const char *text)
{
	return word.len == strlen(text) && !memcmp(word.data, text, word.len);
}

/* What stands here, for a complaint: up to the next space. */
static struct word peek(const struct parser *parser)
{
	return (struct word){.data = parser->at, .len = strcspn(parser->at, " \t\r\n")};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash; moves on. */
static int take_escape(struct parser *parser, char *ret)
{
	static const char from[] = "\\\"nrte0", to[] = "\\\"\n\r\t\033";
	const char *simple = *parser->at ? strchr(from, *parser->at) : NULL;
	int high, low;

	if (simple) {
		*ret = to[simple - from];
		parser->at++;
		return 0;
	}
	if (*parser->at == 'x') {
		high = hex_digit(parser->at[1]);
		low = high < 0 ? -1 : hex_digit(parser->at[2]);
		if (low >= 0) {
			*ret = (char)(high << 4 | low);
			parser->at += 3;
			return 0;
		}
	}
	return complain(parser->complaint,
			"`\\%.1s` is no escape; there are \\\\ \\\" \\n \\r \\t \\e \\0 and \\xNN",
			parser->at);
}

static int take_quoted(struct parser *parser, struct word *ret)
{
	char *to = ++parser->at;
	int r;

	ret->data = to;
	while (*parser->at && *parser->at != '"') {
		if (*parser->at == '\\') {
			parser->at++;
			r = take_escape(parser, to++);
			if (r < 0)
				return r;
		} else {
			*to++ = *parser->at++;
		}
	}
	if (!*parser->at)
		return complain(parser->complaint,
				"a value that begins with \" ends with \" as well");
	parser->at++;
	ret->len = (size_t)(to - ret->data);
	return 0;
}

static int take_plain(struct parser *parser, struct word *ret, bool in_list)
{
	ret->data = parser->at;
	while (*parser->at && !isspace((unsigned char)*parser->at) &&
	       !(in_list && *parser->at == ',')) {
		if (*parser->at == '"' || *parser->at == '\\')
			return complain(parser->complaint, "a value with \" or \\ in it is written "
							   "\"...\", with \\ before both");
		parser->at++;
	}
	ret->len = (size_t)(parser->at - ret->data);
	if (!ret->len)
		return complain(parser->complaint, "a value is missing; an empty one is \"\"");
	return 0;
}

static int take_value(struct parser *parser, struct word *ret, bool in_list)
{
	return *parser->at == '"' ? take_quoted(parser, ret) : take_plain(parser, ret, in_list);
}

/* Items with commas and any space between them. */
static int take_list(struct parser *parser, struct word **ret, size_t *n, bool names)
{
	struct word *first = &parser->words[parser->nwords];
	size_t count = 0;
	int r = 0;

	for (;;) {
		skip_space(parser);
		if (!names)
			r = take_value(parser, &first[count], true);
		else if (*parser->at == '*')
			first[count] = (struct word){.data = parser->at++, .len = 1};
		else
			first[count] = take_name(parser);
		if (r < 0)
			return r;
		count++;
		skip_space(parser);
		if (*parser->at != ',')
			break;
		parser->at++;
	}
	parser->nwords += count;
	*ret = first;
	*n = count;
	return 0;
}

static int take_op(struct parser *parser, struct word field, enum op *ret)
{
	static const struct {
		const char *text;
		enum op op;
	} ops[] = {{"!=", OP_NOT_EQUAL}, {"^=", OP_BEGINS}, {"$=", OP_ENDS},  {"*=", OP_CONTAINS},
		   {"=", OP_EQUAL},	 {"<", OP_LESS},    {">", OP_GREATER}};

	skip_space(parser);
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		size_t len = strlen(ops[i].text);

		if (strncmp(parser->at, ops[i].text, len) != 0 || parser->at[len] == '=')
			continue;
		parser->at += len;
		*ret = ops[i].op;
		return 0;
	}
	if (!strncmp(parser->at, "in", 2) && !is_name_char(parser->at[2])) {
		parser->at += 2;
		*ret = OP_IN;
		return 0;
	}
	return complain(parser->complaint, "behind `%.*s` comes one of " OPERATORS ", not `%.*s`",
			WORD_ARGS(field), WORD_ARGS(peek(parser)));
}

static int take_test(struct parser *parser, struct rule *rule)
{
	struct rule_test *test = &rule->tests[rule->ntests];
	int r;

	if (rule->ntests == RULE_TESTS_MAX)
		return complain(parser->complaint, "a rule has at most %d tests", RULE_TESTS_MAX);
	skip_space(parser);
	test->field = take_name(parser);
	if (!test->field.len)
		return complain(parser->complaint,
				"a test is FIELD OP VALUE, as in `process.comm = sh`, not `%.*s`",
				WORD_ARGS(peek(parser)));
	r = take_op(parser, test->field, &test->op);
	if (r < 0)
		return r;
	skip_space(parser);
	if (test->op == OP_IN) {
		r = take_list(parser, &test->values, &test->nvalues, false);
	} else {
		test->values = &parser->words[parser->nwords++];
		test->nvalues = 1;
		r = take_value(parser, test->values, false);
	}
	rule->ntests++;
	return r;
}

/* `word` if it stands here, else a complaint. */
static int take_keyword(struct parser *parser, const char *keyword, const char *behind_what)
{
	struct word here = peek(parser);
	struct word word = take_name(parser);

	if (is_word(word, keyword))
		return 0;
	return complain(parser->complaint,
			"behind %s comes `%s` or the end of the rule, not `%.*s`", behind_what,
			keyword, WORD_ARGS(here));
}

static int take_rule(struct parser *parser, struct rule *rule)
{
	struct word here, action;
	int r;

	skip_space(parser);
	here = peek(parser);
	action = take_name(parser);
	rule->keep = is_word(action, "keep");
	if (!rule->keep && !is_word(action, "drop"))
		return complain(parser->complaint,
				"a rule begins with `drop` or `keep`, not `%.*s`", WORD_ARGS(here));
	r = take_list(parser, &rule->classes, &rule->nclasses, true);
	skip_space(parser);
	if (!r && *parser->at) {
		r = take_keyword(parser, "where", "the classes");
		if (!r)
			r = take_test(parser, rule);
	}
	while (!r) {
		skip_space(parser);
		if (!*parser->at)
			break;
		r = take_keyword(parser, "and", "a test");
		if (!r)
			r = take_test(parser, rule);
	}
	return r;
}

/* One word per comma or test, and a few. */
static size_t words_max(const char *text)
{
	size_t n = RULE_TESTS_MAX + 2;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

int rule_parse(const char *text, const struct complaint *complaint, struct rule **ret)
{
	CLEANUP(rule_free) struct rule *rule = calloc(1, sizeof(*rule));
	struct parser parser = {.complaint = complaint};
	int r;

	if (!rule)
		return -ENOMEM;
	if (strnlen(text, RULE_BYTES_MAX) == RULE_BYTES_MAX)
		return complain(complaint, "a rule is shorter than %u bytes", RULE_BYTES_MAX);
	rule->text = strdup(text);
	parser.words = rule->classes = calloc(words_max(text), sizeof(*parser.words));
	if (!rule->text || !parser.words)
		return -ENOMEM;
	parser.at = rule->text;
	r = take_rule(&parser, rule);
	if (r < 0)
		return r;
	*ret = TAKE(rule);
	return 0;
}

void rule_free(struct rule *rule)
{
	if (!rule)
		return;
	free(rule->classes); /* the first of all words */
	free(rule->text);
	free(rule);
}
