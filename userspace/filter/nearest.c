/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 40 /* longer words are like nothing */

void nearest_init(struct nearest *nearest, struct word word)
{
	nearest->word = word;
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
static size_t distance(struct word word, const char *name)
{
	size_t row[WORD_MAX + 1], n = strlen(name), corner;

	if (word.len > WORD_MAX || n > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; i < word.len; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t change = corner + (word.data[i] != name[j]);

			corner = row[j + 1];
			row[j + 1] = least(change, corner + 1, row[j] + 1);
		}
	}
	return row[n];
}

/* SIZE_MAX: not like it at all. */
static size_t unlikeness(struct word word, const char *name)
{
	size_t d = distance(word, name);

	if (word.len >= 3 && !strncmp(word.data, name, word.len))
		return 1;
	return word.len && d <= 1 + word.len / 4 ? d : SIZE_MAX;
}

const char *nearest_list(struct nearest *nearest)
{
	size_t best = SIZE_MAX, used = 0;

	nearest->list[0] = 0;
	for (size_t i = 0; i < nearest->n; i++) {
		size_t d = unlikeness(nearest->word, nearest->names[i]);

		best = d < best ? d : best;
	}
	for (size_t i = 0; i < nearest->n; i++) {
		const char *name = nearest->names[i];

		if (unlikeness(nearest->word, name) != best)
			continue;
		if (used + strlen(name) + 3 > sizeof(nearest->list))
			break;
		used += (size_t)snprintf(nearest->list + used, sizeof(nearest->list) - used, "%s%s",
					 used ? ", " : "", name);
	}
	return nearest->list;
}
