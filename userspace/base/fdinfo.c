// SPDX-License-Identifier: Apache-2.0
#include "base/fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 2048

int fdinfo_open(int fd)
{
	char path[40];
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	return info < 0 ? -errno : info;
}

static int number_of(char *text, const char *name, uint64_t *ret)
{
	size_t length = strlen(name);

	for (char *line = text, *next; line; line = next ? next + 1 : NULL) {
		unsigned long long number;
		char *end;

		next = strchr(line, '\n');
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		errno = 0;
		number = strtoull(line + length + 1, &end, 10);
		if (errno || end == line + length + 1 || (*end != '\n' && *end))
			return -EBADMSG;
		*ret = number;
		return 0;
	}
	return -ENODATA;
}

int fdinfo_numbers(int info, const char *const *names, size_t n, uint64_t *ret)
{
	char text[TEXT_MAX];
	ssize_t size = pread(info, text, sizeof(text) - 1, 0);
	int err = 0;

	if (size < 0)
		return -errno;
	text[size] = 0;
	for (size_t i = 0; i < n && !err; i++)
		err = number_of(text, names[i], &ret[i]);
	return err;
}

int fdinfo_number(int info, const char *name, uint64_t *ret)
{
	return fdinfo_numbers(info, &name, 1, ret);
}
