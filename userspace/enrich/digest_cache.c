/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, chains and a ring of use, all by index; slot 0 is the head of the ring. */
#include "enrich/digest_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS DIGEST_CACHE_MAX

struct slot {
	struct file_identity identity;
	uint8_t sha256[DIGEST_SIZE];
	Hinomi__HashState state;
	uint32_t chain_next; /* also links what is free */
	uint32_t newer, older;
};

struct digest_cache {
	struct slot slots[DIGEST_CACHE_MAX + 1];
	uint32_t buckets[BUCKETS];
	uint32_t used, free_first;
};

int digest_cache_new(struct digest_cache **ret)
{
	struct digest_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	*ret = cache;
	return 0;
}

void digest_cache_free(struct digest_cache *cache)
{
	free(cache);
}

static uint32_t *bucket_of(struct digest_cache *cache, const struct file_identity *identity)
{
	uint64_t h = identity->inode * 0x9e3779b97f4a7c15ULL;

	h = (h ^ identity->changed_ns) * 0xc2b2ae3d27d4eb4fULL;
	return &cache->buckets[(h >> 32) % BUCKETS];
}

static uint32_t slot_find(struct digest_cache *cache, const struct file_identity *identity)
{
	uint32_t i = *bucket_of(cache, identity);

	while (i && memcmp(&cache->slots[i].identity, identity, sizeof(*identity)) != 0)
		i = cache->slots[i].chain_next;
	return i;
}

static void use_remove(struct digest_cache *cache, uint32_t i)
{
	struct slot *slot = &cache->slots[i];

	cache->slots[slot->newer].older = slot->older;
	cache->slots[slot->older].newer = slot->newer;
}

static void use_add_newest(struct digest_cache *cache, uint32_t i)
{
	struct slot *head = &cache->slots[0], *slot = &cache->slots[i];

	slot->newer = 0;
	slot->older = head->older;
	cache->slots[head->older].newer = i;
	head->older = i;
}

static void slot_drop(struct digest_cache *cache, uint32_t i)
{
	struct slot *slot = &cache->slots[i];
	uint32_t *link = bucket_of(cache, &slot->identity);

	while (*link != i)
		link = &cache->slots[*link].chain_next;
	*link = slot->chain_next;
	slot->chain_next = cache->free_first;
	cache->free_first = i;
}

Hinomi__HashState digest_cache_find(struct digest_cache *cache,
				    const struct file_identity *identity,
				    uint8_t sha256[DIGEST_SIZE])
{
	uint32_t i = slot_find(cache, identity);

	if (!i)
		return HINOMI__HASH_STATE__HASH_STATE_UNSPECIFIED;
	if (cache->slots[i].state == HINOMI__HASH_STATE__HASH_STATE_KNOWN) {
		memcpy(sha256, cache->slots[i].sha256, DIGEST_SIZE);
		use_remove(cache, i);
		use_add_newest(cache, i);
	}
	return cache->slots[i].state;
}

/* 0: none can be had. */
static uint32_t slot_take(struct digest_cache *cache)
{
	uint32_t oldest = cache->slots[0].newer, i;

	if (!cache->free_first && cache->used < DIGEST_CACHE_MAX)
		return ++cache->used;
	if (!cache->free_first && oldest) {
		use_remove(cache, oldest);
		slot_drop(cache, oldest);
	}
	i = cache->free_first;
	if (i)
		cache->free_first = cache->slots[i].chain_next;
	return i;
}

int digest_cache_begin(struct digest_cache *cache, const struct file_identity *identity)
{
	uint32_t i = slot_take(cache), *bucket = bucket_of(cache, identity);

	if (!i)
		return -ENOSPC;
	cache->slots[i] = (struct slot){.identity = *identity,
					.state = HINOMI__HASH_STATE__HASH_STATE_PENDING,
					.chain_next = *bucket};
	*bucket = i;
	return 0;
}

void digest_cache_end(struct digest_cache *cache, const struct file_identity *identity,
		      const struct digest *digest)
{
	uint32_t i = slot_find(cache, identity);

	if (!i || cache->slots[i].state != HINOMI__HASH_STATE__HASH_STATE_PENDING)
		return;
	if (digest->state != HINOMI__HASH_STATE__HASH_STATE_KNOWN || !digest->settled) {
		slot_drop(cache, i);
		return;
	}
	cache->slots[i].state = digest->state;
	memcpy(cache->slots[i].sha256, digest->sha256, DIGEST_SIZE);
	use_add_newest(cache, i);
}
