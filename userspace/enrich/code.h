/* SPDX-License-Identifier: Apache-2.0 */
/* Code that runs from now on: programs, scripts, modules, kernels. */
#pragma once

#include "event/event.h"

struct arena;
struct hasher;

/* Asks for its digests; those that are known at once go into the event.  hasher may be NULL.
 * -ENOMEM. */
int code_hash(struct hasher *hasher, const struct event *event, struct arena *arena);
