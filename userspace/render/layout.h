/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts of a text line side by side, within the width of the terminal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* A string that is written like a file, again and again without allocating anew. */
struct part {
	FILE *file;
	char *text;
	size_t size;
};

int part_init(struct part *part);
void part_done(struct part *part);
FILE *part_begin(struct part *part);
const char *part_end(struct part *part); /* valid until part_begin; "" when out of memory */

/* All of them safe for a terminal; with colour sequences of our own where there is colour. */
struct cells {
	uint64_t real_ns;
	const char *class, *style;
	const char *who; /* comm[pid] */
	const char *user;
	const char *what;  /* its middle goes first when room is short */
	const char *note;  /* begins with two spaces when there is one */
	const char *chain; /* "sshd ‹ bash ‹ make": its oldest end goes first; may be empty */
	const char *self;  /* its last link, for which who stands as well */
};

struct layout {
	bool colour, date;
	int columns; /* as in struct text_options */
	FILE *terminal;
	time_t second; /* that `clock` shows */
	struct tm tm;
	struct part left, whole;
};

int layout_init(struct layout *layout, FILE *terminal, bool colour, bool date, int columns);
void layout_done(struct layout *layout);
/* The line with its newline; valid until the next. */
const char *layout_line(struct layout *layout, const struct cells *cells);
/* Local date of the moment. */
const struct tm *layout_date(struct layout *layout, uint64_t real_ns);
