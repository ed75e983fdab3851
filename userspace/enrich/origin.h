/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who opened which file for writing last, by the file's identity: device, inode
 * and generation.  When there are too many, the file that was written longest
 * ago is forgotten.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrich/session.h"
#include "event.pb-c.h"

#define ORIGINS_MAX 65536

struct image;
struct origins;

struct origin {
	uint32_t pid, uid, login_uid;
	bool created;
	struct endpoint peer;
	uint64_t start_ns, exec_id, time_ns;
	struct image *image;	 /* NULL: not known */
	struct session *session; /* NULL: none */
};

struct origins_stats {
	uint64_t files, evicted;
};

int origins_new(uint32_t max, struct origins **ret);
void origins_free(struct origins *origins);
/* Whether a file of this kind can be executed and has an identity. */
bool origins_wants(const Hinomi__File *file);
/* Takes references of its own to what origin points to. */
void origins_note(struct origins *origins, const Hinomi__File *file, const struct origin *origin);
/* NULL: not known.  Valid until the next note. */
const struct origin *origins_find(const struct origins *origins, const Hinomi__File *file);
/* Its last name was taken away. */
void origins_forget(struct origins *origins, const Hinomi__File *file);
struct origins_stats origins_stats(const struct origins *origins);
