/* SPDX-License-Identifier: Apache-2.0 */
/* One write per line, so that lines of two processes on one stderr do not mix. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES_MAX 2048
#define PATIENCE_MS    100

static struct {
	const char *program;
	enum log_level level;
	bool journal;
	bool hurried; /* log_never_hang() */
	unsigned dropped;
} state = {.program = "hinomi", .level = LOG_LEVEL_INFO};

/* systemd names the socket that it gave us; stderr may have been sent elsewhere since */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && !fstat(fd, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_init(const char *program)
{
	state.program = program;
	state.journal = is_journal(STDERR_FILENO);
}

void log_never_hang(void)
{
	state.hurried = true;
}

void log_set_level(enum log_level level)
{
	state.level = level;
}

static size_t clamp(int length)
{
	if (length < 0)
		return 0;
	return length < LINE_BYTES_MAX ? (size_t)length : LINE_BYTES_MAX - 1;
}

static void write_whole(const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(STDERR_FILENO, data, size);

		if (n < 0 && errno != EINTR)
			return;
		data += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
}

/* A pipe or a socket that can be written to at all takes a line without waiting. */
static bool is_read(void)
{
	struct pollfd to = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&to, 1, state.dropped ? 0 : PATIENCE_MS) != 0;
}

static size_t put_prefix(char *line, enum log_level level)
{
	if (state.journal)
		return clamp(snprintf(line, LINE_BYTES_MAX, "<%d>", (int)level));
	return clamp(snprintf(line, LINE_BYTES_MAX, "%s: ", state.program));
}

static void put_line(const char *line, size_t size)
{
	char lost[LINE_BYTES_MAX];
	size_t n;

	if (state.hurried && !is_read()) {
		state.dropped++;
		return;
	}
	if (state.dropped) {
		n = put_prefix(lost, LOG_LEVEL_WARNING);
		n += clamp(snprintf(lost + n, sizeof(lost) - n,
				    "%u lines before this one were dropped: nobody read them\n",
				    state.dropped));
		state.dropped = 0;
		write_whole(lost, n);
	}
	write_whole(line, size);
}

void log_line(enum log_level level, const char *format, ...)
{
	int saved = errno;
	char line[LINE_BYTES_MAX + 1];
	size_t prefix, size;
	va_list args;

	if (level > state.level)
		return;
	prefix = put_prefix(line, level);
	errno = saved; /* for %m */
	va_start(args, format);
	size = prefix + clamp(vsnprintf(line + prefix, LINE_BYTES_MAX - prefix, format, args));
	va_end(args);
	if (size > LINE_BYTES_MAX - 1)
		size = LINE_BYTES_MAX - 1;
	for (size_t i = prefix; i < size; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] =
				'?'; /* a caller forgot to escape: still one line, still harmless */
	line[size++] = '\n';
	put_line(line, size);
	errno = saved;
}
