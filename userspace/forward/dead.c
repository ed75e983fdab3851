/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "otlp.pb-c.h"
#include "render/otlp.h"

void dead_init(struct dead *dead, int dir, const char *sink)
{
	*dead = (struct dead){.dir = dir, .sink = sink, .fd = -1};
}

void dead_done(struct dead *dead)
{
	if (dead->fd >= 0)
		close(dead->fd);
	dead->fd = -1;
}

void dead_name(const struct dead *dead, char *ret, size_t room)
{
	snprintf(ret, room, "%s.dead.jsonl", dead->sink);
}

/* The machine stopped in the middle of a line: it ends here, and others do not run into it. */
static int end_line(int fd, struct stat *st)
{
	char last = '\n';

	if (st->st_size && pread(fd, &last, 1, st->st_size - 1) != 1)
		return -errno ?: -EIO;
	if (last == '\n')
		return 0;
	if (write(fd, "\n", 1) != 1)
		return -errno ?: -ENOSPC;
	st->st_size++;
	return 0;
}

static int open_file(struct dead *dead)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int err;

	if (dead->fd >= 0)
		return 0;
	dead_name(dead, name, sizeof(name));
	dead->fd =
		openat(dead->dir, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dead->fd < 0 || fstat(dead->fd, &st) || fsync(dead->dir))
		return -errno;
	err = end_line(dead->fd, &st);
	if (err) {
		dead_done(dead);
		return err;
	}
	dead->size = (uint64_t)st.st_size;
	return 0;
}

static int make_room(struct dead *dead, size_t size)
{
	char name[NAME_MAX + 1], old[NAME_MAX + 1];
	int err = open_file(dead);

	if (err || dead->size + size <= DEAD_FILE_BYTES)
		return err;
	dead_name(dead, name, sizeof(name));
	snprintf(old, sizeof(old), "%s.dead.1.jsonl", dead->sink);
	dead_done(dead);
	if (renameat(dead->dir, name, dead->dir, old))
		return -errno;
	return open_file(dead);
}

static char *line_of(const struct dead *dead, const Otlp__LogRecord *record, long status,
		     const char *reason, size_t *size)
{
	char *line = NULL;
	FILE *out = open_memstream(&line, size);
	int err;

	if (!out)
		return NULL;
	fprintf(out, "{\"sink\":\"%s\",\"status\":%ld,\"reason\":\"", dead->sink, status);
	for (; *reason; reason++)
		escape_json(out, reason, 1);
	fputs("\",\"record\":", out);
	err = render_otlp_record(out, record);
	fputs("}\n", out);
	if (fclose(out) || err) {
		free(line);
		return NULL;
	}
	return line;
}

int dead_add(struct dead *dead, const uint8_t *bytes, size_t bytes_size, long status,
	     const char *reason)
{
	Otlp__LogRecord *record = otlp__log_record__unpack(NULL, bytes_size, bytes);
	CLEANUP(free) char *line = NULL;
	size_t size = 0;
	ssize_t written;
	int err;

	if (!record)
		return -ENOMEM;
	line = line_of(dead, record, status, reason, &size);
	otlp__log_record__free_unpacked(record, NULL);
	if (!line)
		return -ENOMEM;
	err = make_room(dead, size);
	if (err)
		return err;
	written = write(dead->fd, line, size);
	if (written == (ssize_t)size) {
		dead->size += size;
		return 0;
	}
	err = written < 0 ? -errno : -ENOSPC;
	if (ftruncate(dead->fd, (off_t)dead->size)) /* no half lines */
		dead_done(dead);
	return err;
}

int dead_sync(struct dead *dead)
{
	return dead->fd >= 0 && fdatasync(dead->fd) ? -errno : 0;
}
