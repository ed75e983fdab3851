/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of the configuration, compiled once: which events are kept.
 *
 *   drop CLASS[,CLASS...] [where TEST [and TEST]...]
 *   keep CLASS[,CLASS...] [where TEST [and TEST]...]
 *
 * CLASS is a class name or *.  TEST is FIELD OP VALUE; FIELD is a path through
 * the messages of proto/event.proto ("process.executable", "file_open.file.path",
 * or "body.file.path" for whatever the class holds); OP is = != < > ^= (begins
 * with) $= (ends with) *= (contains) or `in` (VALUE is a list with commas).
 * The first rule that matches decides; an event that no rule matches is kept.
 * Events of the sensor itself are always kept.
 *
 * A class that lacks a field is not matched by the rule at all.  Of a list, one
 * item that passes is enough; a test of what is absent in an event fails; and !=
 * is true whenever = is not.  Numbers are written as in C, names of an enum whole
 * or without their common beginning, addresses as such or as networks (10.0.0.0/8).
 * Values with space, comma, " or \ are written "...", with the escapes of C.
 */
#pragma once

#include <stddef.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "event/event.h"

struct filter;

int filter_new(struct filter **ret);
void filter_free(struct filter *filter);
/* Adds a rule behind those that are there.  -EINVAL, -ENOMEM: error holds what is wrong and what
 * would be right, and the filter is as it was. */
int filter_add(struct filter *filter, const char *rule, char *error, size_t error_size);
bool filter_keeps(const struct filter *filter, const struct event *event);

DEFINE_CLEANUP(struct filter *, filter_free);
