/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 40 /* longer words are like nothing */

void nearest_init(struct nearest *nearest, const char *word, size_t len)
{
	nearest->word = word;
	nearest->len = len;
	nearest->n = 0;
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	for (size_t i = 0; i < nearest->n; i++)
		if (!strcmp(nearest->names[i], name))
			return;
	if (nearest->n < NEAREST_MAX)
		nearest->names[nearest->n++] = name;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to add, drop or change. */
static size_t distance(const char *word, size_t len, const char *name)
{
	size_t row[WORD_MAX + 1], n = strlen(name), corner;

	if (len > WORD_MAX || n > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; i < len; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t change = corner + (word[i] != name[j]);

			corner = row[j + 1];
			row[j + 1] = least(change, corner + 1, row[j] + 1);
		}
	}
	return row[n];
}

/* SIZE_MAX: not like it at all. */
static size_t unlikeness(const struct nearest *nearest, const char *name)
{
	size_t d = distance(nearest->word, nearest->len, name);

	if (nearest->len >= 3 && !strncmp(nearest->word, name, nearest->len))
		return 1; /* "ring" for "ring_bulk" */
	if (strlen(name) >= 3 && nearest->len > strlen(name) &&
	    !strncmp(nearest->word, name, strlen(name)))
		return 1; /* "spool_limit_bytes" for "spool_limit" */
	return nearest->len && d <= 1 + nearest->len / 4 ? d : SIZE_MAX;
}

const char *nearest_best(const struct nearest *nearest)
{
	const char *best = NULL;
	size_t least_so_far = SIZE_MAX;

	for (size_t i = 0; i < nearest->n; i++) {
		size_t d = unlikeness(nearest, nearest->names[i]);

		if (d < least_so_far || (best && d == least_so_far && d != SIZE_MAX &&
					 strlen(nearest->names[i]) > strlen(best))) {
			best = nearest->names[i];
			least_so_far = d;
		}
	}
	return best;
}

const char *nearest_list(struct nearest *nearest)
{
	size_t best = SIZE_MAX, used = 0;

	nearest->list[0] = 0;
	for (size_t i = 0; i < nearest->n; i++) {
		size_t d = unlikeness(nearest, nearest->names[i]);

		best = d < best ? d : best;
	}
	for (size_t i = 0; i < nearest->n; i++) {
		const char *name = nearest->names[i];

		if (unlikeness(nearest, name) != best)
			continue;
		if (used + strlen(name) + 3 > sizeof(nearest->list))
			break;
		used += (size_t)snprintf(nearest->list + used, sizeof(nearest->list) - used, "%s%s",
					 used ? ", " : "", name);
	}
	return nearest->list;
}
