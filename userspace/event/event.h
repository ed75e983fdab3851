/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event as it goes through the stages: decode makes it, enrich completes it,
 * filter judges it, seal writes it.  Everything it points to lies in the batch's
 * arena or in the ring, and is gone when the batch is.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stdint.h>

#include "event.pb-c.h"

struct event {
	Hinomi__Event *body;	  /* never NULL; body->process is set by seal */
	Hinomi__Process *process; /* NULL for the sensor's own events */
	enum kind kind;
	enum lane lane;
	uint32_t watch; /* line of the watch list that the event's file falls under, from 1; 0: none
			 */
	uint64_t process_state; /* same number, same content of process; 0: not known. Set by
				   enrich, for seal */
};

const char *kind_name(unsigned kind);  /* NULL when there is no such kind */
int kind_lane(unsigned kind);	       /* where it mostly goes: enum lane, or -EINVAL */
bool kind_is_by_rights(unsigned kind); /* keep of a process with privileges, bulk of others */
bool kind_may_be_in(unsigned kind, enum lane lane);
int kind_by_name(const char *name); /* number, or -EINVAL */
bool kind_is_kernel(unsigned kind); /* made by a hook, not by the sensor */
