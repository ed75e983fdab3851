// SPDX-License-Identifier: Apache-2.0
/* What each class rests on, and whether a canary proved it. */
#include <stdio.h>
#include <string.h>

#include "attach/internal.h"

static const char *const hook_names[HOOKS] = {
#define HOOK(name) [HOOK_##name] = #name,
	FOR_EACH_HOOK(HOOK)
#undef HOOK
};

bool class_silent(const struct class_state *state)
{
	for (int hook = 1; hook < HOOKS; hook++)
		if (hook_missing(&state->hooks_wanted, &state->hooks_seen, hook))
			return true;
	return false;
}

static void hook_describe(const struct attach *attach, unsigned c, char *text, size_t size)
{
	const struct class_state *state = &attach->states[c];
	size_t at = 0;

	text[0] = 0;
	if (state->tier < 0)
		return;
	for (int hook = 1; hook < HOOKS && at < size; hook++) {
		struct bpf_program *program = NULL;
		const char *shown = hook_names[hook];

		if (!hook_in(&state->hooks_wanted, hook) && !hook_in(&state->hooks_extra, hook))
			continue;
		if (attach->object)
			program = bpf_object__find_program_by_name(attach->object, shown);
		if (program)
			shown = bpf_program__section_name(program);
		at += snprintf(text + at, size - at, "%s%s", at ? " " : "", shown);
	}
}

void coverage_reason(const struct attach *attach, unsigned c, char *text, size_t size)
{
	const struct class_state *state = &attach->states[c];
	size_t at;

	snprintf(text, size, "%s", state->tier == 0 ? "" : state->reason);
	if (!state->attached || !attach->canary_ran || !class_silent(state))
		return;
	if (state->excused) {
		snprintf(text, size, "%s",
			 classes[c].proof == PROOF_NONE
				 ? "nothing harmless makes such an event"
				 : "the sensor's system call filter forbids the canary");
		return;
	}
	at = snprintf(text, size, "no canary seen from");
	for (int hook = 1; hook < HOOKS && at < size; hook++)
		if (hook_missing(&state->hooks_wanted, &state->hooks_seen, hook))
			at += snprintf(text + at, size - at, " %s", hook_names[hook]);
}

static Hinomi__Coverage__State state_of(const struct attach *attach,
					const struct class_state *state)
{
	if (state->off)
		return HINOMI__COVERAGE__STATE__STATE_OFF;
	if (!state->attached)
		return HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE;
	if (!attach->canary_ran)
		return HINOMI__COVERAGE__STATE__STATE_UNSPECIFIED;
	if (class_silent(state))
		return state->excused ? HINOMI__COVERAGE__STATE__STATE_UNPROVEN
				      : HINOMI__COVERAGE__STATE__STATE_SILENT;
	return state->tier ? HINOMI__COVERAGE__STATE__STATE_LOWER_TIER
			   : HINOMI__COVERAGE__STATE__STATE_VERIFIED;
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
		hook_describe(attach, c, to->hook, sizeof(to->hook));
		coverage_reason(attach, c, to->reason, sizeof(to->reason));
	}
	*count = nclasses;
	return attach->coverage;
}

void attach_canary_seen(struct attach *attach, unsigned kind, unsigned hook)
{
	for (unsigned c = 0; c < nclasses; c++)
		if (classes[c].kind == kind && hook < HOOKS)
			hook_add(&attach->states[c].hooks_seen, hook);
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

static void excuse(struct attach *attach)
{
	bool confined = is_confined();

	for (unsigned c = 0; c < nclasses; c++)
		attach->states[c].excused = classes[c].proof == PROOF_NONE ||
					    (classes[c].proof == PROOF_UNCONFINED && confined);
}

bool attach_canary_done(struct attach *attach)
{
	attach->canary_ran = true;
	excuse(attach);
	__atomic_store_n(&attach->control->canary_tgid, 0, __ATOMIC_SEQ_CST);
	if (attach_fall_back(attach))
		return false;
	store_keep(attach);
	return true;
}

bool attach_is_canary(const struct attach *attach, const struct record *record)
{
	unsigned pid = attach->canary_pid;

	return pid && (record->actor.key.tgid == pid || record->actor.parent.tgid == pid);
}
