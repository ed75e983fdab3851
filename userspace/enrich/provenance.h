/* SPDX-License-Identifier: Apache-2.0 */
/* Learns from events who wrote which file, and tells it where the file is executed. */
#pragma once

#include "event/event.h"

struct arena;
struct origins;
struct process;
struct tree;

/* The process did what the event says. */
void provenance_learn(struct origins *origins, struct process *process, const struct event *event);
/* Sets file->origin where it is known; NULL is fine.  -ENOMEM. */
int provenance_tell(const struct origins *origins, struct tree *tree, Hinomi__File *file,
		    struct arena *arena);
