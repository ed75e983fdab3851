/* SPDX-License-Identifier: Apache-2.0 */
/* What performs evasions: one program, one entry for each, called by the scripts of the rows. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_FAILED 1
#define STATUS_SKIP   77 /* what cannot be done on this kernel; the last line says why */

struct performer {
	const char *name;
	int (*run)(char **argv); /* after the name; returns the exit status */
};

extern const struct performer listeners[], liars[], changelings[], movers[], injectors[], talkers[],
	rings[], tamperers[];

/* Tells the judge what the kernel said: ${NAME} in an expectation. */
__attribute__((format(printf, 2, 3))) void note(const char *name, const char *format, ...);
void note_inode(const char *name, int fd);

/* Ends the program with what failed, unless VALUE is not negative. */
#define must(value) must_be(value, #value)
long must_be(long value, const char *what);

int skip(const char *why);

/* A child that does this and ends with what it returns; waits for it and returns its status. */
int in_child(int (*run)(char **argv), char **argv);

/* The argument, or what stands for it when there is none. */
static inline const char *argument(char **argv, unsigned i, const char *otherwise)
{
	for (unsigned n = 0; n <= i; n++)
		if (!argv[n])
			return otherwise;
	return argv[i];
}
