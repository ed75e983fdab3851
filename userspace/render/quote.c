/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments as a shell would need them, so that a line can be read and used again. */
#include "render/body.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

static bool needs_quotes(const ProtobufCBinaryData *arg)
{
	for (size_t i = 0; i < arg->len; i++)
		if (arg->data[i] < 0x80 && !isalnum(arg->data[i]) &&
		    (!arg->data[i] || !strchr("%+,-./:=@_^", arg->data[i])))
			return true;
	return !arg->len;
}

/* Whether escape_text leaves it as it is. */
static bool is_printable(const ProtobufCBinaryData *arg)
{
	CLEANUP(free) char *shown = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&shown, &size);

	if (!memory)
		return false;
	body_bytes(memory, arg);
	return !fclose(memory) && size == arg->len && (!size || !memcmp(shown, arg->data, size));
}

/* bare, 'quoted', or $'with \escapes' */
void body_quote(FILE *out, const ProtobufCBinaryData *arg)
{
	bool plain = is_printable(arg), quotes = needs_quotes(arg);
	const uint8_t *p = arg->data, *end = p + arg->len;

	if (plain && !quotes) {
		body_bytes(out, arg);
		return;
	}
	if (plain && (!arg->len || !memchr(p, '\'', arg->len))) {
		putc('\'', out);
		body_bytes(out, arg);
		putc('\'', out);
		return;
	}
	fputs("$'", out);
	while (p < end) {
		const uint8_t *quote = memchr(p, '\'', (size_t)(end - p));

		escape_text(out, p, (size_t)((quote ? quote : end) - p));
		if (quote)
			fputs("\\'", out);
		p = quote ? quote + 1 : end;
	}
	putc('\'', out);
}
