// SPDX-License-Identifier: Apache-2.0
/* What `hinomi doctor` shows to people: 100 columns, and one line a class where nothing is wrong.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "attach/attach.h"
#include "base/cleanup.h"
#include "doctor.h"

#define COLUMNS	  100
#define STATE_MAX 11 /* "unavailable" */

static const struct {
	const char *name, *words;
} states[] = {
	[HINOMI__COVERAGE__STATE__STATE_UNSPECIFIED] = {"unproven", "unproven"},
	[HINOMI__COVERAGE__STATE__STATE_VERIFIED] = {"verified", "verified"},
	[HINOMI__COVERAGE__STATE__STATE_SILENT] = {"silent", "silent"},
	[HINOMI__COVERAGE__STATE__STATE_LOWER_TIER] = {"lower tier", "verified on a lower tier"},
	[HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE] = {"unavailable", "unavailable"},
	[HINOMI__COVERAGE__STATE__STATE_OFF] = {"off", "switched off"},
	[HINOMI__COVERAGE__STATE__STATE_UNPROVEN] = {"unproven", "unproven"},
};

const char *doctor_state(Hinomi__Coverage__State state)
{
	return states[state < ARRAY_SIZE(states) ? state : 0].name;
}

bool doctor_is_blind(Hinomi__Coverage__State state)
{
	return state == HINOMI__COVERAGE__STATE__STATE_SILENT ||
	       state == HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE;
}

/* Words of text in lines of the terminal; column: where we are. */
static void wrap(const char *text, size_t indent, size_t column)
{
	bool first = true;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (!first && column + 1 + n > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += n;
		text += n + (text[n] == ' ');
		first = false;
	}
	putchar('\n');
}

/* Whole hooks, as many as fit in a line, and how many more there are. */
static void print_hooks(const char *text, size_t column)
{
	size_t room = COLUMNS - column, n = strlen(text), more = 0;
	const char *rest;

	if (n <= room) {
		puts(text);
		return;
	}
	for (n = room - sizeof(" +99"); n && text[n] != ' ';)
		n--;
	rest = strstr(text + n, " and ");
	if (!rest || sscanf(rest, " and %zu more", &more) != 1)
		more = 0;
	for (const char *at = text + n; *at && at != rest; at++)
		more += *at == ' ';
	printf("%.*s +%zu\n", (int)n, text, more);
}

/* The same for many classes on a kernel: behind the hook that stands in front of it. */
static const char *why_of(const struct coverage *c)
{
	const char *colon = strstr(c->reason, ": ");

	return colon && strchr(c->reason, '/') ? colon + 2 : c->reason;
}

static void print_lower(const struct coverage *c, size_t n)
{
	bool said = false;

	for (size_t i = 0; i < n; i++) {
		char names[4096] = "";
		bool first = c[i].state == HINOMI__COVERAGE__STATE__STATE_LOWER_TIER;
		size_t at = 0;

		for (size_t k = 0; k < n && first; k++) {
			if (c[k].state != HINOMI__COVERAGE__STATE__STATE_LOWER_TIER ||
			    strcmp(why_of(&c[k]), why_of(&c[i])) != 0)
				continue;
			first = k >= i;
			if (first && at < sizeof(names))
				at += snprintf(names + at, sizeof(names) - at, "%s%s",
					       at ? ", " : "", c[k].name);
		}
		if (!first)
			continue;
		puts(said ? "" : "\nWhy not on their best hook");
		said = true;
		printf("  ");
		wrap(why_of(&c[i]), 2, 2);
		printf("    ");
		wrap(names, 4, 4);
	}
}

static void print_sum(const struct coverage *c, size_t n)
{
	size_t said = 0;

	printf("\n%zu classes:", n);
	for (size_t state = 0; state < ARRAY_SIZE(states); state++) {
		size_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += c[i].state == (Hinomi__Coverage__State)state;
		if (sum)
			printf("%s %zu %s", said++ ? "," : "", sum, states[state].words);
	}
	putchar('\n');
}

void doctor_table(const struct attach *attach, const struct coverage *c, size_t n)
{
	const struct attach_error *blind = attach_blind(attach);
	struct utsname host;
	char features[192];
	int width = 5;

	uname(&host);
	attach_features(attach, features, sizeof(features));
	printf("Linux %s on %s, hinomi %s\n", host.release, host.machine, HINOMI_VERSION);
	wrap(features, 2, 0);
	putchar('\n');
	for (size_t i = 0; i < n; i++)
		width = (int)strlen(c[i].name) > width ? (int)strlen(c[i].name) : width;
	printf("%-*s  %-*s  tier  hooks\n", width, "class", STATE_MAX, "state");
	for (size_t i = 0; i < n; i++) {
		size_t column = (size_t)width + STATE_MAX + 10;

		if (!c[i].hook[0]) {
			printf("%-*s  %s\n", width, c[i].name, doctor_state(c[i].state));
		} else {
			printf("%-*s  %-*s  %-4u  ", width, c[i].name, STATE_MAX,
			       doctor_state(c[i].state), c[i].tier);
			print_hooks(c[i].hook, column);
		}
		if (blind || !c[i].reason[0] ||
		    c[i].state == HINOMI__COVERAGE__STATE__STATE_LOWER_TIER)
			continue;
		printf("%*s", (int)column, "");
		wrap(c[i].reason, column, column);
	}
	print_lower(c, n);
	print_sum(c, n);
	if (!blind)
		return;
	printf("\nNothing can be observed here: ");
	wrap(blind->text, 0, 30);
}
