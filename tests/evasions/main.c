// SPDX-License-Identifier: Apache-2.0
/* evade NAME [ARGUMENT]...: does one thing, harmlessly, in the way that is meant to go unseen. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "evade.h"

#define NOTES "/run/prove.notes"

void note(const char *name, const char *format, ...)
{
	FILE *notes = fopen(NOTES, "ae");
	va_list arguments;

	if (!notes)
		return;
	fprintf(notes, "%s ", name);
	va_start(arguments, format);
	vfprintf(notes, format, arguments);
	va_end(arguments);
	putc('\n', notes);
	fclose(notes);
}

void note_inode(const char *name, int fd)
{
	struct stat stat;

	must(fstat(fd, &stat));
	note(name, "%ju", (uintmax_t)stat.st_ino);
}

long must_be(long value, const char *what)
{
	if (value < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		exit(STATUS_FAILED);
	}
	return value;
}

int skip(const char *why)
{
	fprintf(stderr, "%s\n", why);
	return STATUS_SKIP;
}

int in_child(int (*run)(char **argv), char **argv)
{
	pid_t pid = (pid_t)must(fork());
	int status;

	if (!pid)
		_exit(run(argv));
	must(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int now(char **argv)
{
	struct timespec time;

	(void)argv;
	clock_gettime(CLOCK_BOOTTIME, &time);
	printf("%" PRIu64 "\n", (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec);
	return 0;
}

static const struct performer basics[] = {{"now", now}, {0}};

int main(int argc, char **argv)
{
	const struct performer *const tables[] = {basics, listeners, liars,   rings,	changelings,
						  movers, injectors, talkers, tamperers};

	for (size_t i = 0; argc > 1 && i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct performer *row = tables[i]; row->name; row++)
			if (!strcmp(row->name, argv[1]))
				return row->run(argv + 2);
	fprintf(stderr, "evade: nothing is called %s\n", argc > 1 ? argv[1] : "that");
	return 2;
}
