/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "seal/seal.h"

#define SLOTS	      8192 /* powers of two */
#define BEGINNINGS    1024
#define BEGINNING_MIN 6 /* bytes that are worth it */
#define TEXT_MAX      (2 * SEAL_PAYLOAD_MAX)

int strings_init(struct strings *strings)
{
	void *text;

	*strings = (struct strings){.epoch = 1};
	if (getrandom(strings->seed, sizeof(strings->seed), 0) != sizeof(strings->seed))
		return -EIO;
	strings->slots = calloc(SLOTS, sizeof(*strings->slots));
	strings->beginnings = calloc(BEGINNINGS, sizeof(*strings->beginnings));
	/* only what is used ever becomes memory */
	text = mmap(NULL, TEXT_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (text == MAP_FAILED)
		return -ENOMEM;
	strings->text = text;
	return strings->slots && strings->beginnings ? 0 : -ENOMEM;
}

void strings_done(struct strings *strings)
{
	free(strings->slots);
	free(strings->beginnings);
	if (strings->text)
		munmap(strings->text, TEXT_MAX);
	*strings = (struct strings){0};
}

void strings_reset(struct strings *strings)
{
	strings->count = 0;
	strings->used = 0;
	if (!++strings->epoch) {
		memset(strings->slots, 0, SLOTS * sizeof(*strings->slots));
		memset(strings->beginnings, 0, BEGINNINGS * sizeof(*strings->beginnings));
		strings->epoch = 1;
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

/* The string in its slot of a table, or NULL: then it is there from now on. */
static const struct string_slot *slot_of(const struct strings *strings, struct string_slot *slots,
					 size_t nslots, const uint8_t *bytes, size_t size)
{
	uint64_t hash = hash_bytes(strings->seed, bytes, size);
	struct string_slot *at = &slots[hash & (nslots - 1)];

	if (at->epoch == strings->epoch && at->hash == hash && at->size == size &&
	    !memcmp(strings->text + at->offset, bytes, size))
		return at;
	*at = (struct string_slot){hash, strings->epoch, strings->count, (uint32_t)strings->used,
				   (uint32_t)size};
	return NULL;
}

static size_t beginning_of(const uint8_t *bytes, size_t size)
{
	const uint8_t *slash = memrchr(bytes, '/', size);
	size_t beginning = slash ? (size_t)(slash + 1 - bytes) : 0;

	return beginning >= BEGINNING_MIN ? beginning : 0;
}

struct string_place strings_put(struct strings *strings, const uint8_t *bytes, size_t size)
{
	struct string_place place = {0};
	size_t beginning;

	if (!size || size > TEXT_MAX - strings->used) {
		place.bytes = size ? NULL : strings->text;
		return place;
	}
	if (size >= STRING_MIN)
		place.same = slot_of(strings, strings->slots, SLOTS, bytes, size);
	if (place.same) {
		place.bytes = strings->text + place.same->offset;
		return place;
	}
	beginning = beginning_of(bytes, size);
	if (beginning)
		place.beginning =
			slot_of(strings, strings->beginnings, BEGINNINGS, bytes, beginning);
	place.bytes = memcpy(strings->text + strings->used, bytes, size);
	strings->used += size;
	strings->count += size >= STRING_MIN;
	return place;
}
