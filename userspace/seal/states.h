/* SPDX-License-Identifier: Apache-2.0 */
/* Which states of processes a frame holds already, by the numbers that enrich/ gave them. */
#pragma once

#include <stdint.h>

struct state_slot {
	uint64_t state;
	uint32_t epoch; /* the slot is in use when it is the table's */
	uint32_t index; /* in Payload.processes, from 1 */
};

struct states {
	struct state_slot *slots;
	uint32_t epoch;
	uint32_t count; /* states in the frame, with those that have no number */
};

int states_init(struct states *states);
void states_done(struct states *states);
void states_reset(struct states *states);
uint32_t states_find(const struct states *states, uint64_t state); /* its index; 0: it is new */
/* The next one; state 0: nobody will ask for it.  At most SEAL_EVENTS_MAX of them. */
uint32_t states_add(struct states *states, uint64_t state);
