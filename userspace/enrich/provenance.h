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
/* Sets File.origin, where it is known, of what the event executes, loads or maps.  -ENOMEM. */
int provenance_tell(const struct origins *origins, struct tree *tree, const struct event *event,
		    struct arena *arena);
