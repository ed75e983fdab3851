/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines: nothing hostile gets through, no line is too wide. */
#include "render_tools.h"

#include "render/body.h"
#include "render/line.h"

static void assert_safe_line(const char *line, bool colour)
{
	for (const char *p = line; *p; p++) {
		if (*p == '\n' && !p[1])
			return;
		if (colour && *p == '\033' && p[1] == '[') {
			p += strspn(p + 2, "0123456789;") + 2;
			assert_int_equal(*p, 'm');
		} else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			fail_msg("control character 0x%02x in: %s", *p, line);
		}
	}
	fail_msg("no newline at the end, or more than one line: %s", line);
}

static void check_class_text(const struct fixture *f, Hinomi__Event *event)
{
	static const int columns[] = {0, 10, 40, 80, 120, 200};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(columns); i++) {
		struct text_options options = {
			.colour = i % 2, .date = true, .columns = columns[i / 2]};
		char *line = text_of(f, &options, &event, 1);

		assert_safe_line(line, options.colour);
		line[strlen(line) - 1] = '\0';
		if (options.columns)
			assert_true(line_width(line) <= (size_t)options.columns);
		else
			assert_non_null(strstr(line, event_class(event)));
		free(line);
	}
}

static void test_text_classes(void **state)
{
	(void)state;
	for_each_class(check_class_text);
}

static void test_line_cut(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *cut;
	} cases[] = {
		{"abcdefghij", 10, "abcdefghij"},
		{"abcdefghij", 6, "abc…ij"},
		{"abcdefghij", 1, "…"},
		{"abcdefghij", 0, ""},
		{"火の見櫓", 8, "火の見櫓"},
		{"火の見櫓", 7, "火…櫓"},
		{"\033[31mabcdefghij\033[0mk", 5, "\033[31mab…j\033[0mk"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		line_cut_middle(out, cases[i].text, cases[i].columns);
		fclose(out);
		assert_string_equal(text, cases[i].cut);
		assert_true(line_width(text) <= cases[i].columns);
		free(text);
	}
}

static void test_quote(void **state)
{
	static const char *const cases[][2] = {
		{"ls", "ls"},	      {"--colour=auto", "--colour=auto"},
		{"", "''"},	      {"a b", "'a b'"},
		{"$(id)", "'$(id)'"}, {"it's", "$'it\\'s'"},
		{"a\nb", "$'a\\nb'"}, {"a\\b", "$'a\\\\b'"},
		{"\xff", "$'\\xff'"}, {"火", "火"},
		{"火 災", "'火 災'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ProtobufCBinaryData arg = {.data = (uint8_t *)cases[i][0],
					   .len = strlen(cases[i][0])};
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		body_quote(out, &arg);
		fclose(out);
		assert_string_equal(text, cases[i][1]);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_classes),
		cmocka_unit_test(test_line_cut),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
