/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process states that a frame holds already, found by their packed bytes.
 * Only sealer_add uses it; nothing allocates after states_init.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct state_slot {
	uint64_t hash;
	uint32_t epoch;	       /* the slot is in use when it is the table's */
	uint32_t index;	       /* in Payload.processes, from 1 */
	uint32_t offset, size; /* of its bytes in the payload */
};

struct states {
	struct state_slot *slots;
	uint64_t seed[2]; /* so that nobody can choose arguments that collide */
	uint32_t epoch;
	uint32_t count;
};

int states_init(struct states *states);
void states_done(struct states *states);
void states_reset(struct states *states);
/* The slot of these bytes: its index is 0 where they are new, and states_add may take it. */
struct state_slot *states_find(struct states *states, const uint8_t *payload, const uint8_t *bytes,
			       size_t size);
/* slot: from states_find with these bytes, which now lie at offset of the payload. */
void states_add(struct states *states, struct state_slot *slot, size_t offset, size_t size);
