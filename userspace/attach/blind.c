// SPDX-License-Identifier: Apache-2.0
/*
 * A kernel that lets nothing be attached: the sensor runs all the same, without
 * rings, so that whoever collects hears from it which classes are blind and why.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "attach/internal.h"

static void *memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int blind_load(struct attach *attach, const struct attach_error *why)
{
	attach->blind = true;
	attach->why = *why;
	for (int i = 0; i < MAPS; i++)
		attach->map_fds[i] = -1;
	for (unsigned c = 0; c < nclasses; c++) {
		struct class_state *state = &attach->states[c];

		state->tier = -1;
		state->off = kind_is_off(&attach->options, classes[c].kind);
		snprintf(state->reason, sizeof(state->reason), "%.*s",
			 (int)sizeof(state->reason) - 1, why->text);
	}
	attach->ledger = memory(attach->cpus * KINDS_MAX * sizeof(struct ledger_cell));
	attach->sequences = memory(attach->cpus * sizeof(struct sequence_cell));
	attach->control = memory(sizeof(struct control));
	attach->wake_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!attach->ledger || !attach->sequences || !attach->control || attach->wake_fd < 0)
		return -ENOMEM;
	return getrandom(attach->control->rings_id, 16, 0) == 16 ? 0 : -EIO;
}

const struct attach_error *attach_blind(const struct attach *attach)
{
	return attach->blind ? &attach->why : NULL;
}

static const char *yes_no(bool is)
{
	return is ? "yes" : "no";
}

void attach_features(const struct attach *attach, char *text, size_t size)
{
	const struct probe *probe = &attach->probe;
	char lockdown[32];

	probe_lockdown(lockdown, sizeof(lockdown));
	snprintf(text, size,
		 "BPF rings: %s, types (BTF): %s, hooks on functions: %s%s%s, programs run whole: "
		 "%s, lockdown: %s",
		 yes_no(probe->ring), yes_no(probe->btf),
		 yes_no(probe->btf && !probe->trampoline_errno),
		 probe->trampoline_errno ? " - " : "",
		 probe->trampoline_errno ? strerror(probe->trampoline_errno) : "",
		 probe->preempted && !probe->whole.preempt_off ? "not when preempted" : "yes",
		 lockdown[0] ? lockdown : "not known");
}
