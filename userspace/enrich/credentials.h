/* SPDX-License-Identifier: Apache-2.0 */
/* What a process was allowed before an event that changes it. */
#pragma once

#include "event/event.h"

struct arena;
struct facts;
struct process;

/* Fills in what the record did not know and the tree does; facts: what the event itself says. */
int credentials_before(const struct process *process, const struct facts *facts,
		       struct event *event, struct arena *arena);
