/* SPDX-License-Identifier: Apache-2.0 */
#include "render/forks.h"

#include <stdlib.h>

#include "base/clock.h"

#define HOLD_NS (200 * NS_PER_MS)

static void held_fork_drop(struct held_fork *fork)
{
	free(fork->line);
	*fork = (struct held_fork){0};
}

static void held_fork_show(struct forks *forks, struct held_fork *fork)
{
	forks->show(forks->ctx, fork);
	held_fork_drop(fork);
}

void forks_done(struct forks *forks)
{
	for (size_t i = 0; i < FORKS_MAX; i++)
		held_fork_drop(&forks->forks[i]);
}

struct held_fork *forks_hold(struct forks *forks)
{
	struct held_fork *fork = &forks->forks[forks->next];

	forks->next = (forks->next + 1) % FORKS_MAX;
	if (fork->pid)
		held_fork_show(forks, fork);
	return fork;
}

bool forks_settle(struct forks *forks, const Hinomi__ProcessKey *child, bool show)
{
	for (size_t i = 0; i < FORKS_MAX; i++) {
		struct held_fork *fork = &forks->forks[i];

		if (!fork->pid || fork->pid != child->pid || fork->start_ns != child->start_ns)
			continue;
		if (show)
			held_fork_show(forks, fork);
		else
			held_fork_drop(fork);
		return true;
	}
	return false;
}

void forks_expire(struct forks *forks, uint64_t now_ns)
{
	for (size_t i = 0; i < FORKS_MAX; i++) {
		struct held_fork *fork = &forks->forks[(forks->next + i) % FORKS_MAX];

		if (fork->pid && (now_ns == UINT64_MAX || now_ns > fork->time_ns + HOLD_NS))
			held_fork_show(forks, fork);
	}
}
