/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fork lines held back for a moment: most children exec at once, and then the exec line says
 * it all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.pb-c.h"
#include "render/fold.h"

#define FORKS_MAX 256

struct held_fork {
	uint32_t pid; /* of the child; 0: free */
	uint64_t start_ns;
	uint64_t time_ns, real_ns;
	uint64_t topic;
	char *line;
	struct fold_label label;
};

struct forks {
	struct held_fork forks[FORKS_MAX];
	size_t next; /* in the order of arrival, around */
	void (*show)(void *ctx, const struct held_fork *fork);
	void *ctx;
};

void forks_done(struct forks *forks);
/* A place for one more; the oldest is shown when all are taken. */
struct held_fork *forks_hold(struct forks *forks);
/* The child did something: its fork goes, shown or not.  Whether it was held. */
bool forks_settle(struct forks *forks, const Hinomi__ProcessKey *child, bool show);
/* Shows those that waited long enough by now; UINT64_MAX: all. */
void forks_expire(struct forks *forks, uint64_t now_ns);
