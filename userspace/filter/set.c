/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full; the hash is compared before the bytes. */
#include "filter/set.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	uint64_t hash;
	const void *key; /* NULL: free */
	size_t size;
};

struct set {
	size_t mask; /* slots - 1 */
	struct slot slots[];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t product =
		(__uint128_t)(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xe7037ed1a0b428dbULL);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t hash = size, word;

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	if (size)
		memcpy(&word, p, size);
	return mix(hash, word);
}

int set_new(size_t max, struct set **ret)
{
	struct set *set;
	size_t slots = 8;

	while (slots < 2 * max)
		slots *= 2;
	set = calloc(1, sizeof(*set) + slots * sizeof(*set->slots));
	if (!set)
		return -ENOMEM;
	set->mask = slots - 1;
	*ret = set;
	return 0;
}

void set_free(struct set *set)
{
	free(set);
}

static size_t slot_of(const struct set *set, const void *key, size_t size, uint64_t hash)
{
	size_t i = hash & set->mask;

	for (; set->slots[i].key; i = (i + 1) & set->mask) {
		const struct slot *slot = &set->slots[i];

		if (slot->hash == hash && slot->size == size &&
		    (!size || !memcmp(slot->key, key, size)))
			break;
	}
	return i;
}

void set_add(struct set *set, const void *key, size_t size)
{
	uint64_t hash = hash_bytes(key, size);
	size_t i = slot_of(set, key, size, hash);

	set->slots[i] = (struct slot){.hash = hash, .key = key, .size = size};
}

bool set_has(const struct set *set, const void *key, size_t size)
{
	return set->slots[slot_of(set, key, size, hash_bytes(key, size))].key;
}
