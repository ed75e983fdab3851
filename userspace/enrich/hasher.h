/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Works out digests in a thread of its own, one file at a time, in order, when
 * nothing else wants the disk.  All functions are for one caller's thread.
 */
#pragma once

#include <stdint.h>

#include "enrich/digest.h"

#define HASHER_QUEUE_MAX 1024 /* files that wait or whose digest was not taken yet */

struct arena;
struct hasher;

struct hasher_stats {
	uint64_t hashes, cache_hits, failures;
};

int hasher_new(uint64_t file_max_bytes, struct hasher **ret);
void hasher_free(struct hasher *hasher);
/* What is known at once; with PENDING, a result follows. */
Hinomi__HashState hasher_ask(struct hasher *hasher, const Hinomi__File *file, uint32_t pid,
			     uint32_t parent, uint8_t sha256[DIGEST_SIZE]);
/* 1 and a result in the arena, 0: none waits, -ENOMEM. */
int hasher_take(struct hasher *hasher, struct arena *arena, Hinomi__FileHash **ret);
int hasher_fd(const struct hasher *hasher); /* readable when a result waits */
struct hasher_stats hasher_stats(const struct hasher *hasher);
