// SPDX-License-Identifier: Apache-2.0
#include "frame/public_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIGITS (2 * PUBLIC_KEY_BYTES)

int public_key_parse(const char *text, uint8_t ret[PUBLIC_KEY_BYTES])
{
	if (strspn(text, "0123456789abcdef") != DIGITS || (text[DIGITS] && text[DIGITS] != '\n'))
		return -EBADMSG;
	for (size_t i = 0; i < PUBLIC_KEY_BYTES; i++)
		sscanf(text + 2 * i, "%2hhx", &ret[i]);
	return 0;
}

int public_key_read(int dir, const char *name, uint8_t ret[PUBLIC_KEY_BYTES])
{
	CLEANUP(close_fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[DIGITS + 2] = {0};
	ssize_t size;

	if (fd < 0)
		return -errno;
	size = read(fd, text, sizeof(text) - 1);
	return size < 0 ? -errno : public_key_parse(text, ret);
}

int public_key_write(int dir, const char *name, const uint8_t key[PUBLIC_KEY_BYTES])
{
	char text[DIGITS + 2], fresh[128];
	CLEANUP(close_fd) int fd = -1;

	if (snprintf(fresh, sizeof(fresh), "%s.new", name) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < PUBLIC_KEY_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[DIGITS] = '\n';
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644))
		return -errno;
	if (write(fd, text, DIGITS + 1) != DIGITS + 1)
		return -EIO;
	if (fsync(fd) || renameat(dir, fresh, dir, name) || fsync(dir))
		return -errno;
	return 0;
}
