/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the well-formed UTF-8 character at p, 0 when there is none (RFC 3629: no overlong
 * form, no surrogate, nothing above U+10FFFF). */
static size_t utf8_read(const uint8_t *p, size_t size, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = p[0] < 0x80		? 1
			: (p[0] & 0xe0) == 0xc0 ? 2
			: (p[0] & 0xf0) == 0xe0 ? 3
			: (p[0] & 0xf8) == 0xf0 ? 4
						: 0;
	uint32_t c = length == 1 ? p[0] : p[0] & (0x7fu >> length);

	if (!length || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return length;
}

static size_t utf8_write(uint8_t *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xc0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xe0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		p[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (uint8_t)(0xf0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	p[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* Characters that a reader does not see or that move others: Unicode's Default_Ignorable and
 * Bidi_Control, line and paragraph separators, and the controls of ISO 6429. */
static bool is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x0, 0x1f},	    {0x7f, 0x9f},	{0xad, 0xad},	    {0x34f, 0x34f},
		{0x61c, 0x61c},	    {0x115f, 0x1160},	{0x17b4, 0x17b5},   {0x180b, 0x180f},
		{0x200b, 0x200f},   {0x2028, 0x202e},	{0x2060, 0x206f},   {0x3164, 0x3164},
		{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},	{0xffa0, 0xffa0},   {0xfff0, 0xfffb},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges) && ranges[i].first <= c; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '\\' && c != '"';
}

static void put_text(FILE *out, uint32_t c)
{
	if (c == '\n')
		fputs("\\n", out);
	else if (c == '\t')
		fputs("\\t", out);
	else if (c == '\033')
		fputs("\\e", out);
	else if (c < 0x80)
		fprintf(out, "\\x%02x", c);
	else
		fprintf(out, "\\u{%x}", c);
}

static void put_json(FILE *out, uint32_t c)
{
	if (c == '"')
		fputs("\\\"", out);
	else if (c == '\n')
		fputs("\\n", out);
	else if (c == '\t')
		fputs("\\t", out);
	else if (c < 0x10000)
		fprintf(out, "\\u%04x", c);
	else
		fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
			0xdc00 + ((c - 0x10000) & 0x3ff));
}

static void escape(FILE *out, const void *data, size_t size, bool json)
{
	const uint8_t *p = data, *end = p + size;

	while (p < end) {
		const uint8_t *run = p;
		size_t length;
		uint32_t c;

		while (p < end && is_plain(*p))
			p++;
		if (p > run)
			fwrite(run, 1, (size_t)(p - run), out);
		if (p == end)
			break;
		length = utf8_read(p, (size_t)(end - p), &c);
		if (!length)
			fprintf(out, json ? "\\\\x%02x" : "\\x%02x", *p);
		else if (c == '\\')
			fputs(json ? "\\\\\\\\" : "\\\\", out);
		else if (json && (c == '"' || is_hidden(c)))
			put_json(out, c);
		else if (is_hidden(c))
			put_text(out, c);
		else
			fwrite(p, 1, length, out);
		p += length ? length : 1;
	}
}

void escape_text(FILE *out, const void *data, size_t size)
{
	if (size)
		escape(out, data, size, false);
}

void escape_json(FILE *out, const void *data, size_t size)
{
	if (size)
		escape(out, data, size, true);
}

bool is_utf8(const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t length;
	uint32_t c;

	for (size_t i = 0; i < size; i += length) {
		length = p[i] < 0x80 ? 1 : utf8_read(p + i, size - i, &c);
		if (!length)
			return false;
	}
	return true;
}

size_t escape_utf8(const void *data, size_t size, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	char *out = ret;

	for (size_t i = 0; i < size;) {
		uint32_t c;
		size_t length = p[i] < 0x80 ? 1 : utf8_read(p + i, size - i, &c);

		if (p[i] == '\\')
			*out++ = '\\';
		if (!length) {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = digits[p[i] >> 4];
			*out++ = digits[p[i++] & 15];
			continue;
		}
		memcpy(out, p + i, length);
		out += length;
		i += length;
	}
	return (size_t)(out - ret);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Digits from p up to a closing brace; how many characters with it, 0 when it is not such. */
static size_t read_braced(const char *p, size_t size, uint32_t *ret)
{
	uint32_t c = 0;

	if (!size || p[0] != '{')
		return 0;
	for (size_t i = 1; i < size && i <= 7; i++) {
		int digit = hex_digit(p[i]);

		if (p[i] == '}' && i > 1 && c <= 0x10ffff) {
			*ret = c;
			return i + 1;
		}
		if (digit < 0)
			return 0;
		c = c << 4 | (uint32_t)digit;
	}
	return 0;
}

/* One escape behind its backslash: bytes to out; characters taken, 0 when it is not one. */
static size_t unescape_one(const char *p, size_t size, uint8_t *out, size_t *written)
{
	static const char names[] = "\\nte", values[] = "\\\n\t\033";
	const char *name = size && p[0] ? strchr(names, p[0]) : NULL;
	uint32_t c;
	size_t taken;

	*written = 1;
	if (name) {
		*out = (uint8_t)values[name - names];
		return 1;
	}
	if (size >= 3 && p[0] == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
		*out = (uint8_t)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
		return 3;
	}
	if (size < 2 || p[0] != 'u')
		return 0;
	taken = read_braced(p + 1, size - 1, &c);
	if (!taken)
		return 0;
	*written = utf8_write(out, c);
	return taken + 1;
}

ssize_t unescape(const char *text, size_t size, void *ret)
{
	uint8_t *out = ret, *start = out;

	for (size_t i = 0; i < size;) {
		size_t taken, written;

		if (text[i] != '\\') {
			*out++ = (uint8_t)text[i++];
			continue;
		}
		taken = unescape_one(text + i + 1, size - i - 1, out, &written);
		if (!taken)
			return -EINVAL;
		i += taken + 1;
		out += written;
	}
	return out - start;
}
