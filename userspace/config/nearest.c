// SPDX-License-Identifier: Apache-2.0
/* Which of the right words a mistyped one was meant to be. */
#include <string.h>

#include "config/reader.h"

/* Levenshtein's distance of words shorter than CONFIG_NAME_MAX */
static size_t distance(const char *a, const char *b)
{
	size_t row[CONFIG_NAME_MAX + 1], length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = i;

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			if (diagonal + 1 < best)
				best = diagonal + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[length];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t length = strlen(nearest->word), other = strlen(candidate), d;

	if (length < 2 || length >= CONFIG_NAME_MAX || other >= CONFIG_NAME_MAX)
		return;
	/* "spool_limit_bytes" for "spool_limit", "ring" for "ring_bulk" */
	if (!strncmp(nearest->word, candidate, length < other ? length : other))
		d = 1;
	else
		d = distance(nearest->word, candidate);
	if (d > 1 + length / 4)
		return;
	if (!nearest->best || d < nearest->distance ||
	    (d == nearest->distance && other > strlen(nearest->best))) {
		nearest->best = candidate;
		nearest->distance = d;
	}
}
