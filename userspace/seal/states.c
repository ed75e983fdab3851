/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/states.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "seal/seal.h"

#define SLOTS (2 * SEAL_EVENTS_MAX) /* a state comes with an event: never more than half full */
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "SLOTS is a power of two");

int states_init(struct states *states)
{
	*states = (struct states){.epoch = 1};
	if (getrandom(states->seed, sizeof(states->seed), 0) != sizeof(states->seed))
		return -EIO;
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

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const uint8_t *p, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, p, size);
	return word;
}

/* In the manner of wyhash: a 64 by 64 multiplication for 16 bytes. */
static uint64_t hash_bytes(const uint64_t seed[2], const uint8_t *p, size_t size)
{
	uint64_t hash = seed[0] ^ size;

	for (; size > 16; p += 16, size -= 16)
		hash = mix(load(p, 8) ^ seed[1], load(p + 8, 8) ^ hash);
	hash = size > 8 ? mix(load(p, 8) ^ seed[1], load(p + 8, size - 8) ^ hash)
			: mix(load(p, size) ^ seed[1], hash);
	return mix(hash ^ seed[0], seed[1] | 1);
}

struct state_slot *states_find(struct states *states, const uint8_t *payload, const uint8_t *bytes,
			       size_t size)
{
	uint64_t hash = hash_bytes(states->seed, bytes, size);
	struct state_slot *slot;

	assert(states->count < SLOTS / 2 + 1);
	for (size_t i = hash & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
		slot = &states->slots[i];
		if (slot->epoch != states->epoch)
			break;
		if (slot->hash == hash && slot->size == size &&
		    !memcmp(payload + slot->offset, bytes, size))
			return slot;
	}
	slot->hash = hash;
	slot->index = 0;
	return slot;
}

void states_add(struct states *states, struct state_slot *slot, size_t offset, size_t size)
{
	slot->epoch = states->epoch;
	slot->index = ++states->count;
	slot->offset = (uint32_t)offset;
	slot->size = (uint32_t)size;
}
