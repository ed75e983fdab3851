/* SPDX-License-Identifier: Apache-2.0 */
#include "render/line.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

/* wcwidth knows double-width characters only in a UTF-8 locale, whatever LANG says. */
static locale_t utf8_locale(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale ? locale : LC_GLOBAL_LOCALE;
}

static int character_width(const char *p, size_t length)
{
	mbstate_t state = {0};
	wchar_t c;
	int width;

	if (mbrtowc(&c, p, length, &state) != length)
		return 1;
	width = wcwidth(c);
	return width < 0 ? 1 : width;
}

/* One character or one colour sequence: its bytes, and the columns that it takes. */
static size_t step(const char *p, size_t *columns)
{
	size_t length = 1;

	*columns = 1;
	if (*p == '\033') {
		length = strcspn(p, "m");
		*columns = 0;
		return length + (p[length] == 'm');
	}
	if ((unsigned char)*p < 0x80)
		return 1;
	while ((p[length] & 0xc0) == 0x80)
		length++;
	*columns = (size_t)character_width(p, length);
	return length;
}

static size_t measure(const char *text)
{
	size_t total = 0, columns;

	for (const char *p = text; *p; total += columns)
		p += step(p, &columns);
	return total;
}

/* The text without the characters between column `from` and column `to`, … in their place. */
static void put_without(FILE *out, const char *text, size_t from, size_t to)
{
	size_t at = 0, columns;
	int cut = 0;

	for (const char *p = text; *p; at += columns) {
		size_t length = step(p, &columns);

		if (!columns && *p == '\033') {
			fwrite(p, 1, length, out);
		} else if (at + columns <= from || at >= to) {
			fwrite(p, 1, length, out);
		} else if (!cut) {
			cut = 1;
			fputs("…", out);
		}
		p += length;
	}
}

size_t line_width(const char *text)
{
	locale_t before = uselocale(utf8_locale());
	size_t width = measure(text);

	uselocale(before);
	return width;
}

void line_cut_middle(FILE *out, const char *text, size_t columns)
{
	locale_t before = uselocale(utf8_locale());
	size_t width = measure(text), head;

	if (width <= columns) {
		fputs(text, out);
	} else if (columns) {
		head = (columns - 1) * 3 / 5;
		put_without(out, text, head, width - (columns - 1 - head));
	}
	uselocale(before);
}
