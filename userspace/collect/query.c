/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/query.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int query_id(const char *text, uint8_t ret[ID_BYTES])
{
	uint8_t id[ID_BYTES];

	if (strlen(text) != 2 * ID_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < ID_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		id[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, id, sizeof(id));
	return 0;
}

void query_id_text(const uint8_t id[ID_BYTES], char ret[2 * ID_BYTES + 1])
{
	for (size_t i = 0; i < ID_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", id[i]);
}

const char *query_lane_text(enum lane lane)
{
	return lane == LANE_KEEP ? "keep" : "bulk";
}

int query_lane(const char *text, enum lane *ret)
{
	for (int i = 0; i < LANES; i++) {
		if (!strcmp(text, query_lane_text((enum lane)i))) {
			*ret = (enum lane)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_number(const char **text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	*text = end;
	return errno || !*ret ? -EINVAL : 0;
}

int query_range(const char *text, uint64_t *from, uint64_t *to)
{
	int err = read_number(&text, from);

	if (err || *text++ != '-')
		return -EINVAL;
	err = read_number(&text, to);
	return err || *text || *to < *from ? -EINVAL : 0;
}

int query_listen(const char *text, char *address, size_t size, char port[6])
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0, digits;

	if (!colon)
		return -EINVAL;
	digits = strspn(colon + 1, "0123456789");
	if (!digits || digits > 5 || colon[1 + digits] || atol(colon + 1) > 65535)
		return -EINVAL;
	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return -EINVAL; /* an IPv6 address needs brackets */
	}
	if (length >= size)
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	memcpy(port, colon + 1, digits + 1);
	return 0;
}
