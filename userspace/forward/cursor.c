/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/crc32c.h"

#define LINE_MAX_BYTES 256
#define FORMAT	       "hinomi-cursor 1 "

static int write_text(const struct cursor *cursor, char line[LINE_MAX_BYTES])
{
	char id[33];
	int size;

	for (size_t i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", cursor->sensor_id[i]);
	size = snprintf(line, LINE_MAX_BYTES,
			FORMAT "%s %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64 " ", id,
			cursor->frame, cursor->events, cursor->at.segment, cursor->at.offset);
	return size + snprintf(line + size, LINE_MAX_BYTES - (size_t)size, "%08x\n",
			       crc32c(0, line, (size_t)size));
}

static int read_text(const char *line, struct cursor *ret)
{
	struct cursor cursor = {0};
	char again[LINE_MAX_BYTES], id[33];

	if (sscanf(line, FORMAT "%32[0-9a-f] %" SCNu64 " %" SCNu32 " %" SCNu64 " %" SCNu64, id,
		   &cursor.frame, &cursor.events, &cursor.at.segment, &cursor.at.offset) != 5)
		return -EBADMSG;
	for (size_t i = 0; i < 16; i++)
		if (sscanf(id + 2 * i, "%2hhx", &cursor.sensor_id[i]) != 1)
			return -EBADMSG;
	/* the checksum, and every blank: only what would be written again is taken */
	write_text(&cursor, again);
	if (strcmp(line, again))
		return -EBADMSG;
	*ret = cursor;
	return 0;
}

int cursor_load(int dir, const char *name, struct cursor *ret)
{
	char line[LINE_MAX_BYTES];
	CLEANUP(close_fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size;

	if (fd < 0)
		return -errno;
	size = read(fd, line, sizeof(line) - 1);
	if (size < 0)
		return errno == EISDIR ? -EBADMSG : -errno;
	line[size] = '\0';
	return read_text(line, ret);
}

int cursor_save(int dir, const char *name, const struct cursor *cursor)
{
	char line[LINE_MAX_BYTES], temporary[NAME_MAX + 1];
	CLEANUP(close_fd) int fd = -1;
	int size = write_text(cursor, line);
	ssize_t written;

	if (snprintf(temporary, sizeof(temporary), "%s.new", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	written = write(fd, line, (size_t)size);
	if (written != size)
		return written < 0 ? -errno : -ENOSPC;
	if (fsync(fd) || renameat(dir, temporary, dir, name) || fsync(dir))
		return -errno;
	return 0;
}
