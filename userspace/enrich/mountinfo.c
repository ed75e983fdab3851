/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Space, tab, newline and backslash are written as \NNN. */
static int unescape_octal(const char *from, size_t len, char *ret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; n++) {
		if (n + 1 >= size)
			return -EBADMSG;
		if (from[i] == '\\' && len - i >= 4 && is_octal(from[i + 1]) &&
		    is_octal(from[i + 2]) && is_octal(from[i + 3])) {
			ret[n] = (char)((from[i + 1] - '0') << 6 | (from[i + 2] - '0') << 3 |
					(from[i + 3] - '0'));
			i += 4;
		} else {
			ret[n] = from[i++];
		}
	}
	ret[n] = 0;
	return 0;
}

int mountinfo_line(const char *line, const char *type, char *ret, size_t size)
{
	const char *fs = strstr(line, " - "), *point = line;
	size_t type_len = strlen(type);

	if (!fs)
		return -EBADMSG;
	fs += 3;
	if (strncmp(fs, type, type_len) != 0 || fs[type_len] != ' ')
		return -ENOENT;
	for (int field = 0; field < 4; field++) {
		point = strchr(point, ' ');
		if (!point || point >= fs)
			return -EBADMSG;
		point++;
	}
	return unescape_octal(point, strcspn(point, " "), ret, size);
}

int mountinfo_find(const char *type, char *ret, size_t size)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free) char *line = NULL;
	size_t room = 0;

	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0)
		if (!mountinfo_line(line, type, ret, size))
			return 0;
	return -ENOENT;
}
