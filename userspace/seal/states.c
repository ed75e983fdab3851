/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/states.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seal/seal.h"

#define SLOTS (2 * SEAL_EVENTS_MAX) /* a state comes with an event: never more than half full */
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "SLOTS is a power of two");

int states_init(struct states *states)
{
	*states = (struct states){.epoch = 1};
	states->slots = calloc(SLOTS, sizeof(*states->slots));
	return states->slots ? 0 : -ENOMEM;
}

void states_done(struct states *states)
{
	free(states->slots);
	*states = (struct states){0};
}

void states_reset(struct states *states)
{
	states->count = 0;
	if (!++states->epoch) {
		memset(states->slots, 0, SLOTS * sizeof(*states->slots));
		states->epoch = 1;
	}
}

/* Numbers are given in order, so most lie alone. */
static struct state_slot *slot_of(const struct states *states, uint64_t state)
{
	size_t i = state & (SLOTS - 1);

	while (states->slots[i].epoch == states->epoch && states->slots[i].state != state)
		i = (i + 1) & (SLOTS - 1);
	return &states->slots[i];
}

uint32_t states_find(const struct states *states, uint64_t state)
{
	const struct state_slot *slot = slot_of(states, state);

	return state && slot->epoch == states->epoch ? slot->index : 0;
}

uint32_t states_add(struct states *states, uint64_t state)
{
	assert(states->count < SLOTS / 2);
	states->count++;
	if (state)
		*slot_of(states, state) = (struct state_slot){state, states->epoch, states->count};
	return states->count;
}
