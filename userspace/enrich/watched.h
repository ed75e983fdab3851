/* SPDX-License-Identifier: Apache-2.0 */
/* Which line of the watch list a file falls under. */
#pragma once

#include <stddef.h>

#include "event/event.h"

/* Fills the event's `watched`; lines outlive the event. */
void watched_fill(char *const *lines, size_t n, const struct event *event);
/* Something came to be where a line with wildcards may stand for it. */
bool watched_grows(char *const *lines, size_t n, const struct event *event);
