/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/credential.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SECRET_MAX 16384

int credential_path(const char *name, char **ret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (*name == '/') {
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	if (!dir)
		return -ENOENT;
	return asprintf(ret, "%s/%s", dir, name) < 0 ? -ENOMEM : 0;
}

static int read_secret(const char *name, char secret[SECRET_MAX])
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close_fd) int fd = -1;
	ssize_t size;
	int err = credential_path(name, &path);

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	size = read(fd, secret, SECRET_MAX);
	if (size < 0)
		return -errno;
	if (size == SECRET_MAX)
		return -EFBIG;
	while (size > 0 && isspace((unsigned char)secret[size - 1]))
		size--;
	for (ssize_t i = 0; i < size; i++)
		if (iscntrl((unsigned char)secret[i]))
			return -EINVAL;
	if (size <= 0)
		return -EINVAL;
	secret[size] = '\0';
	return 0;
}

int credential_header(const char *header, char **ret)
{
	const char *colon = strchr(header, ':'), *value;
	char secret[SECRET_MAX];
	int err;

	if (!colon)
		return -EINVAL;
	value = colon + 1 + strspn(colon + 1, " \t");
	if (*value != '@') {
		*ret = strdup(header);
		return *ret ? 0 : -ENOMEM;
	}
	err = read_secret(value + 1, secret);
	if (!err && asprintf(ret, "%.*s: %s", (int)(colon - header), header, secret) < 0)
		err = -ENOMEM;
	explicit_bzero(secret, sizeof(secret));
	return err;
}
