/* SPDX-License-Identifier: Apache-2.0 */
/* Digests by file identity: the least recently used leaves first, those being worked on stay. */
#pragma once

#include <stdint.h>

#include "enrich/digest.h"

#define DIGEST_CACHE_MAX 8192

struct digest_cache;

int digest_cache_new(struct digest_cache **ret);
void digest_cache_free(struct digest_cache *cache);
/* KNOWN with the digest, PENDING, or UNSPECIFIED when it is not there. */
Hinomi__HashState digest_cache_find(struct digest_cache *cache,
				    const struct file_identity *identity,
				    uint8_t sha256[DIGEST_SIZE]);
/* -ENOSPC: as many as the cache holds are pending. */
int digest_cache_begin(struct digest_cache *cache, const struct file_identity *identity);
/* Ends what was begun; kept only when the digest is known and settled. */
void digest_cache_end(struct digest_cache *cache, const struct file_identity *identity,
		      const struct digest *digest);
