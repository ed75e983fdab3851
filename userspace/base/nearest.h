/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the right names a wrong one was probably meant to be. */
#pragma once

#include <stddef.h>

#define NEAREST_MAX	 64  /* names that are compared */
#define NEAREST_LIST_MAX 400 /* bytes of the list */

struct nearest {
	const char *word; /* borrowed, need not end with a NUL */
	size_t len;
	const char *names[NEAREST_MAX];
	size_t n;
	char list[NEAREST_LIST_MAX];
};

void nearest_init(struct nearest *nearest, const char *word, size_t len);
void nearest_offer(struct nearest *nearest, const char *name); /* borrowed */
/* The names that are most like the word, or all of them when none is; "a, b, c". */
const char *nearest_list(struct nearest *nearest);
/* The one that is most like it, NULL when none is. */
const char *nearest_best(const struct nearest *nearest);
