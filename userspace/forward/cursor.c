/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"

#define LINE_BYTES 256 /* of one of the two lines, filled up with NULs */
#define LINES	   2
#define LINE_ROOM                                                                      \
	4096 /* each in a block of its own: the disk writes those whole or spoils them \
	      */
#define FORMAT "hinomi-cursor 3 "

static void to_hex(const uint8_t *bytes, size_t size, char *ret)
{
	for (size_t i = 0; i < size; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static bool from_hex(const char *text, uint8_t *ret, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (sscanf(text + 2 * i, "%2hhx", &ret[i]) != 1)
			return false;
	return true;
}

static int write_text(const struct cursor *cursor, uint64_t generation, char line[LINE_BYTES])
{
	char id[33], hash[65];
	int size;

	to_hex(cursor->sensor_id, sizeof(cursor->sensor_id), id);
	to_hex(cursor->hash, sizeof(cursor->hash), hash);
	memset(line, 0, LINE_BYTES);
	size = snprintf(line, LINE_BYTES,
			FORMAT "%" PRIu64 " %s %" PRIu64 " %s %" PRIu32 " %" PRIu64 " %" PRIu64 " ",
			generation, id, cursor->frame, hash, cursor->events, cursor->at.segment,
			cursor->at.offset);
	return size + snprintf(line + size, LINE_BYTES - (size_t)size, "%08x\n",
			       crc32c(0, line, (size_t)size));
}

static bool read_text(const char line[LINE_BYTES], uint64_t *generation, struct cursor *ret)
{
	struct cursor cursor = {0};
	char again[LINE_BYTES], id[33] = "", hash[65] = "";
	uint64_t number;

	if (line[LINE_BYTES - 1] || sscanf(line,
					   FORMAT "%" SCNu64 " %32[0-9a-f] %" SCNu64
						  " %64[0-9a-f] %" SCNu32 " %" SCNu64 " %" SCNu64,
					   &number, id, &cursor.frame, hash, &cursor.events,
					   &cursor.at.segment, &cursor.at.offset) != 7)
		return false;
	if (!from_hex(id, cursor.sensor_id, sizeof(cursor.sensor_id)) ||
	    !from_hex(hash, cursor.hash, sizeof(cursor.hash)))
		return false;
	/* the checksum, and every blank: only what would be written again is taken */
	write_text(&cursor, number, again);
	if (memcmp(line, again, LINE_BYTES))
		return false;
	*generation = number;
	*ret = cursor;
	return true;
}

static int read_newest(struct cursor_file *file, struct cursor *ret)
{
	bool found = false, empty = true;

	for (int i = 0; i < LINES; i++) {
		char line[LINE_BYTES] = {0};
		ssize_t size = pread(file->fd, line, sizeof(line), (off_t)i * LINE_ROOM);
		struct cursor cursor;
		uint64_t generation;

		if (size < 0)
			return -errno;
		empty = empty && !size;
		if (!read_text(line, &generation, &cursor) ||
		    (found && generation <= file->generation))
			continue;
		file->generation = generation;
		*ret = cursor;
		found = true;
	}
	if (found)
		return 0;
	return empty ? -ENOENT : -EBADMSG;
}

int cursor_open(int dir, const char *name, struct cursor_file *file, struct cursor *ret)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

	*file = (struct cursor_file){.fd = openat(dir, name, flags, 0600)};
	if (file->fd < 0)
		return -errno;
	if (fsync(dir))
		return -errno;
	return read_newest(file, ret);
}

void cursor_close(struct cursor_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int cursor_save(struct cursor_file *file, const struct cursor *cursor)
{
	uint64_t generation = file->generation + 1;
	char line[LINE_BYTES];
	ssize_t written;

	write_text(cursor, generation, line);
	written = pwrite(file->fd, line, sizeof(line), (off_t)(generation % LINES) * LINE_ROOM);
	if (written != sizeof(line))
		return written < 0 ? -errno : -ENOSPC;
	if (fdatasync(file->fd))
		return -errno;
	file->generation = generation;
	return 0;
}
