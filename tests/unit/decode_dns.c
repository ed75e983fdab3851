/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "decode/dns.h"
#include "decode/source.h"

#define QUERY                              \
	"\x12\x34\x01\x00\0\1\0\0\0\0\0\0" \
	"\3www\7example\3com\0\0\1\0\1"
/* the question at 12; a CNAME, then an A of what it names */
#define ANSWER                                        \
	"\x12\x34\x85\x80\0\1\0\2\0\0\0\0"            \
	"\3www\7example\3com\0\0\1\0\1"               \
	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3cdn\xc0\x10" \
	"\xc0\x2d\0\1\0\1\0\0\1\0\0\4\xc0\0\2\1"

static struct arena arena;
static struct source source;
static Hinomi__Dns dns;

/* From memory of exactly this size, so that a read behind it is seen. */
static void parse(const void *bytes, size_t size, bool cut)
{
	static void *copy;

	free(copy);
	copy = malloc(size ? size : 1);
	memcpy(copy, bytes, size);
	arena_reset(&arena);
	source = (struct source){.arena = &arena};
	hinomi__dns__init(&dns);
	dns_parse(&source, copy, size, cut, &dns);
	assert_int_equal(source.error, 0);
}

#define assert_bytes(value, text)                                          \
	do {                                                               \
		assert_int_equal((value).len, sizeof(text) - 1);           \
		assert_memory_equal((value).data, text, sizeof(text) - 1); \
	} while (0)

static void query(void **state)
{
	(void)state;
	parse(QUERY, sizeof(QUERY) - 1, false);
	assert_false(dns.malformed || dns.answer || dns.truncated || dns.authoritative);
	assert_int_equal(dns.id, 0x1234);
	assert_int_equal(dns.n_questions, 1);
	assert_bytes(dns.questions[0]->name, "www.example.com");
	assert_int_equal(dns.questions[0]->type, 1);
	assert_int_equal(dns.questions[0]->class_, 1);
}

static void answer(void **state)
{
	(void)state;
	parse(ANSWER, sizeof(ANSWER) - 1, false);
	assert_false(dns.malformed);
	assert_true(dns.answer && dns.authoritative);
	assert_int_equal(dns.answer_count, 2);
	assert_int_equal(dns.n_answers, 2);
	assert_bytes(dns.answers[0]->name, "www.example.com");
	assert_int_equal(dns.answers[0]->type, 5);
	assert_int_equal(dns.answers[0]->ttl_s, 60);
	assert_bytes(dns.answers[0]->target, "cdn.example.com");
	assert_bytes(dns.answers[1]->name, "cdn.example.com");
	assert_int_equal(dns.answers[1]->ttl_s, 256);
	assert_bytes(dns.answers[1]->address, "\xc0\0\2\1");
}

/* Cut anywhere: what is whole stays, and only what should have been whole is malformed. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(ANSWER) - 1; size++) {
		parse(ANSWER, size, false);
		assert_true(dns.malformed);
		assert_true(dns.n_answers < 2);
		parse(ANSWER, size, true);
		assert_false(dns.malformed);
	}
}

static void names_that_go_round(void **state)
{
	static const char *const bad[] = {
		"\0\0\0\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1",	    /* to itself */
		"\0\0\0\0\0\1\0\0\0\0\0\0\1a\xc0\x0c\0\1\0\1",	    /* to its own beginning */
		"\0\0\0\0\0\1\0\0\0\0\0\0\xc0\x20\0\1\0\1",	    /* forwards */
		"\0\0\0\0\0\1\0\0\0\0\0\0\x80\x0c\0\1\0\1\0\0\0\0", /* no such kind of label */
	};
	static const size_t sizes[] = {18, 20, 18, 22};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		parse(bad[i], sizes[i], false);
		assert_true(dns.malformed);
		assert_int_equal(dns.n_questions, 0);
	}
}

static void long_names(void **state)
{
	uint8_t bytes[12 + 5 * 64 + 5] = {0, 0, 0, 0, 0, 1};

	(void)state;
	for (int i = 0; i < 5; i++) {
		bytes[12 + 64 * i] = 63;
		memset(bytes + 13 + 64 * i, 'a', 63);
	}
	parse(bytes, sizeof(bytes), false);
	assert_true(dns.malformed); /* over 255 */
	bytes[12 + 64 * 3] = 0;
	parse(bytes, sizeof(bytes), false);
	assert_false(dns.malformed);
	assert_int_equal(dns.questions[0]->name.len, 3 * 64 - 1);
}

static void many_records(void **state)
{
	static uint8_t bytes[12 + 65535] = {0, 0, 0x80, 0, 0, 0, 0xff, 0xff};

	(void)state;
	parse(bytes, sizeof(bytes), false); /* each answer is eleven zeros: the root, nothing */
	assert_int_equal(dns.answer_count, 65535);
	assert_int_equal(dns.n_answers, 32);
	bytes[4] = bytes[5] = 0xff;
	parse(bytes, sizeof(bytes), false);
	assert_int_equal(dns.n_questions, 8);
	assert_int_equal(dns.n_answers, 0);
}

/* Answers are found behind more questions than are told. */
static void many_questions(void **state)
{
	uint8_t bytes[12 + 20 * 5 + 15] = {0, 0, 0x80, 0, 0, 20, 0, 1};

	(void)state;
	memcpy(bytes + 12 + 20 * 5, "\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 15);
	parse(bytes, sizeof(bytes), false);
	assert_false(dns.malformed);
	assert_int_equal(dns.n_questions, 8);
	assert_int_equal(dns.n_answers, 1);
	assert_bytes(dns.answers[0]->address, "\xc0\0\2\1");
	parse(bytes, 12 + 20 * 5 - 1, false);
	assert_true(dns.malformed);
	assert_int_equal(dns.n_answers, 0);
}

/* Bytes of any value are part of a label; one that looks like two does not pass for them. */
static void odd_labels(void **state)
{
	static const char query[] = "\0\0\0\0\0\1\0\0\0\0\0\0"
				    "\7a.b\\c\0\x1b\1d\0\0\1\0\1";
	uint8_t bytes[12 + 4 * 64 + 5] = {0, 0, 0, 0, 0, 1};

	(void)state;
	parse(query, sizeof(query) - 1, false);
	assert_false(dns.malformed);
	assert_int_equal(dns.n_questions, 1);
	assert_bytes(dns.questions[0]->name, "a\\.b\\\\c\0\x1b.d");
	memset(bytes + 12, '.', 4 * 64);
	for (int i = 0; i < 3; i++)
		bytes[12 + 64 * i] = 63;
	bytes[12 + 64 * 3] = 61; /* 254, and the root's: the longest there is */
	bytes[12 + 64 * 3 + 62] = 0;
	parse(bytes, sizeof(bytes), false);
	assert_int_equal(dns.n_questions, 1);
	assert_int_equal(dns.questions[0]->name.len, 2 * (3 * 63 + 61) + 3);
	bytes[12 + 64 * 3] = 62;
	bytes[12 + 64 * 3 + 62] = '.';
	bytes[12 + 64 * 3 + 63] = 0;
	parse(bytes, sizeof(bytes), false);
	assert_true(dns.malformed);
}

/* Data that is shorter or longer than the name in it. */
static void odd_data(void **state)
{
	static const char *const bad[] = {
		"\0\0\x80\0\0\0\0\1\0\0\0\0\0\0\5\0\1\0\0\0\0\0\1\1a\0",    /* CNAME */
		"\0\0\x80\0\0\0\0\1\0\0\0\0\0\0\5\0\1\0\0\0\0\0\3\0\0\0",   /* CNAME */
		"\0\0\x80\0\0\0\0\1\0\0\0\0\0\0\5\0\1\0\0\0\0\0\0\1a\0",    /* none */
		"\0\0\x80\0\0\0\0\1\0\0\0\0\0\0\x21\0\1\0\0\0\0\0\3\0\0\0", /* SRV */
		"\0\0\x80\0\0\0\0\1\0\0\0\0\0\0\x0f\0\1\0\0\0\0\0\2\0\0\0", /* MX */
	};
	static const char good[] = "\0\0\x80\0\0\0\0\1\0\0\0\0"
				   "\0\0\x21\0\1\0\0\0\0\0\x9\0\0\0\0\0\x35\1a\0";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		parse(bad[i], 26, false);
		assert_true(dns.malformed);
		assert_int_equal(dns.n_answers, 0);
	}
	parse(good, sizeof(good) - 1, false);
	assert_false(dns.malformed);
	assert_int_equal(dns.n_answers, 1);
	assert_bytes(dns.answers[0]->target, "a");
}

/* EDNS puts a record of its own behind the question; it is no answer. */
static void extended(void **state)
{
	static const char query[] = QUERY "\0\0\x29\x10\0\0\0\0\0\0\0";

	(void)state;
	parse(query, sizeof(query) - 1, false);
	assert_false(dns.malformed);
	assert_int_equal(dns.n_questions, 1);
	assert_int_equal(dns.n_answers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query),	  cmocka_unit_test(answer),
		cmocka_unit_test(cut_anywhere),	  cmocka_unit_test(names_that_go_round),
		cmocka_unit_test(long_names),	  cmocka_unit_test(many_records),
		cmocka_unit_test(many_questions), cmocka_unit_test(odd_labels),
		cmocka_unit_test(odd_data),	  cmocka_unit_test(extended),
	};

	arena_init(&arena, 1 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
