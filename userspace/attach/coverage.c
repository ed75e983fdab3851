// SPDX-License-Identifier: Apache-2.0
/* What each class rests on, and whether a canary proved it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attach/internal.h"

bool hooks_missing(const struct hook_set *wanted, const struct hook_set *seen)
{
	for (int hook = 1; hook < HOOKS; hook++)
		if (hook_missing(wanted, seen, hook))
			return true;
	return false;
}

/* What the kernel calls its hooks, for those who take up links of which no object is left. */
int coverage_sections(struct attach *attach)
{
	struct bpf_object *object = attach->object;
	struct bpf_program *program;

	if (!object) {
		size_t size;
		const void *bytes = object_bytes(&size);

		object = bpf_object__open_mem(bytes, size, NULL);
	}
	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object)
		snprintf(attach->sections[hook_by_name(bpf_program__name(program))],
			 sizeof(attach->sections[0]), "%s", bpf_program__section_name(program));
	if (!attach->object)
		bpf_object__close(object);
	return 0;
}

/* Whole names, as many as fit, and how many more there are. */
static void hook_describe(const struct attach *attach, unsigned c, char *text, size_t size)
{
	const struct class_state *state = &attach->states[c];
	unsigned more = 0;
	size_t at = 0;

	text[0] = 0;
	for (int hook = 1; hook < HOOKS && state->tier >= 0; hook++) {
		const char *shown = attach->sections[hook];

		if (!hook_in(&state->hooks_wanted, hook) && !hook_in(&state->hooks_extra, hook))
			continue;
		if (more || at + strlen(shown) + sizeof(" and 99 more") > size)
			more++;
		else
			at += snprintf(text + at, size - at, "%s%s", at ? " " : "", shown);
	}
	if (more)
		snprintf(text + at, size - at, " and %u more", more);
}

static void silent_describe(const struct class_state *state, char *text, size_t size)
{
	size_t at = snprintf(text, size, "no canary seen from");

	for (int hook = 1; hook < HOOKS && at < size; hook++)
		if (hook_missing(&state->hooks_wanted, &state->hooks_proven, hook))
			at += snprintf(text + at, size - at, " %s", hook_name(hook));
}

static bool is_linked(const struct attach *attach, const char *name)
{
	for (unsigned i = 0; i < attach->nlinks; i++)
		if (!strcmp(attach->link_names[i], name))
			return true;
	return false;
}

/* Why no event stands for the program of a tier's entry ("a|b"); NULL: one does. */
static const char *unproven_why(const struct attach *attach, const char *entry, char name[64])
{
	const char *at = entry;

	while (at) {
		snprintf(name, 64, "%.*s", (int)strcspn(at, "|"), at);
		if (is_linked(attach, name)) {
			if (hook_by_name(name) == HOOK_NONE)
				return "has no event of its own";
			return hook_in(&attach->hooks_ever, hook_by_name(name))
				       ? NULL
				       : "was not seen yet";
		}
		at = strchr(at, '|');
		at += !!at;
	}
	return "is not attached";
}

static void unproven_describe(const struct attach *attach, unsigned c, char *text, size_t size)
{
	const struct class_state *state = &attach->states[c];
	const struct tier *tier = &classes[c].tiers[state->tier < 0 ? 0 : state->tier];
	size_t at = 0;
	char name[64];

	text[0] = 0;
	for (int i = 0; i < EXTRAS_MAX && tier->extras[i] && state->attached; i++) {
		const char *why = unproven_why(attach, tier->extras[i], name);

		if (why && at < size)
			at += (size_t)snprintf(text + at, size - at, "%s%s %s", at ? ", " : "",
					       name, why);
	}
}

void attach_hook_seen(struct attach *attach, unsigned hook)
{
	hook_add(&attach->hooks_ever, hook);
}

void coverage_reason(const struct attach *attach, unsigned c, char *text, size_t size)
{
	const struct class_state *state = &attach->states[c];
	const char *why = state->tier == 0 ? "" : state->reason;

	if (state->attached && attach->unanswered)
		why = "the canaries do not answer";
	else if (state->verdict == VERDICT_LOST)
		why = "its ring is so full that canaries are lost";
	else if (state->verdict == VERDICT_MISSED && is_excused(state))
		why = classes[c].proof == PROOF_NONE
			      ? "nothing harmless makes such an event"
			      : "the service's system call filter forbids the canary";
	else if (state->verdict == VERDICT_MISSED)
		return silent_describe(state, text, size);
	if (why != text)
		snprintf(text, size, "%s", why);
}

static Hinomi__Coverage__State state_of(const struct attach *attach,
					const struct class_state *state)
{
	if (state->off)
		return HINOMI__COVERAGE__STATE__STATE_OFF;
	if (!state->attached)
		return HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE;
	if (attach->unanswered || state->verdict == VERDICT_LOST)
		return HINOMI__COVERAGE__STATE__STATE_UNPROVEN;
	if (state->verdict == VERDICT_MISSED)
		return is_excused(state) ? HINOMI__COVERAGE__STATE__STATE_UNPROVEN
					 : HINOMI__COVERAGE__STATE__STATE_SILENT;
	if (state->verdict == VERDICT_NONE)
		return HINOMI__COVERAGE__STATE__STATE_UNSPECIFIED;
	return state->tier ? HINOMI__COVERAGE__STATE__STATE_LOWER_TIER
			   : HINOMI__COVERAGE__STATE__STATE_VERIFIED;
}

/* Files that are only watched by the name below a watched directory. */
static void watch_reason(const struct attach *attach, char *text, size_t size)
{
	size_t at = strlen(text);

	if (attach->watch_over)
		snprintf(text + at, size - at,
			 "%s%" PRIu64
			 " or more watched files are too many to be known by other names",
			 at ? "; " : "", attach->watch_over);
}

const struct coverage *attach_coverage(const struct attach *attach, size_t *count)
{
	struct attach *writable = (struct attach *)attach; /* the table is a view, made anew */

	for (unsigned c = 0; c < nclasses; c++) {
		struct coverage *to = &writable->coverage[c];
		const struct class_state *state = &attach->states[c];

		to->name = classes[c].name;
		to->kind = classes[c].kind;
		to->state = state_of(attach, state);
		to->tier = state->attached ? state->tier + 1 : 0;
		to->seen_ns = state->seen_ns;
		hook_describe(attach, c, to->hook, sizeof(to->hook));
		coverage_reason(attach, c, to->reason, sizeof(to->reason));
		unproven_describe(attach, c, to->unproven, sizeof(to->unproven));
		if (classes[c].kind == KIND_file_read && state->attached)
			watch_reason(attach, to->reason, sizeof(to->reason));
	}
	*count = nclasses;
	return attach->coverage;
}

/* Does a system call filter (seccomp) hold for this process? */
static bool is_confined(void)
{
	CLEANUP(fclose) FILE *status = fopen("/proc/self/status", "re");
	char line[128];
	int mode = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			break;
	return mode != 0;
}

void coverage_excuse(struct attach *attach)
{
	bool confined = is_confined();

	for (unsigned c = 0; c < nclasses; c++)
		attach->states[c].excused = classes[c].proof == PROOF_NONE ||
					    (classes[c].proof == PROOF_UNCONFINED && confined);
}
