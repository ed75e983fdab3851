/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A collector's receipt as evidence: whether it is signed, and a file that keeps
 * them.  The file is slots of 512 bytes that are only ever appended, each whole or
 * not there: generation, length, SealedReceipt, zeros, checksum.  When it is full
 * it becomes NAME.1 in the place of the one before, and a new one begins with the
 * receipt of the highest number, which covers all of its chain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "collect.pb-c.h"

#define SEALED_SLOT_BYTES 512

/* "hinomi-receipt-1" and the digest: what is signed.  0; -ENOMEM. */
#define SEALED_TEXT_BYTES (16 + 32)
int sealed_text(const void *receipt, size_t size, uint8_t ret[SEALED_TEXT_BYTES]);
/* Did this key sign it?  0 and the receipt, the caller's; -EBADMSG; -ENOMEM. */
int sealed_open(const Hinomi__SealedReceipt *sealed, const uint8_t key[32], Hinomi__Receipt **ret);

struct sealed_file {
	int dir, fd; /* -1: not open */
	char name[128];
	uint32_t slots, used;
	uint64_t generation; /* of the slot written last, 0: none */
	/* the receipt of the highest number, of the sensor that spoke last; 0: none */
	uint8_t sensor_id[16];
	uint64_t highest;
	uint8_t highest_bytes[SEALED_SLOT_BYTES];
	size_t highest_size;
	/* what the last one added says */
	uint64_t last_number, last_end;
	uint8_t last_hash[32];
};

/* For one chain.  Made where it is not there.  slots: after which another file begins, at least 2.
 */
int sealed_file_open(int dir, const char *name, uint32_t slots, struct sealed_file *ret);
void sealed_file_close(struct sealed_file *file);
/* Does the collector say with it that it has less than it has signed for before? */
bool sealed_file_is_behind(const struct sealed_file *file, const Hinomi__Receipt *receipt);
/* receipt: what is sealed.  On disk when it returns 0; one that says what the last said is not
 * added again. */
int sealed_file_add(struct sealed_file *file, const Hinomi__Receipt *receipt,
		    const Hinomi__SealedReceipt *sealed);
/* Each good slot of a regular file that is there now, in the order in which they were written; of
 * the newest so many only, 0: of all.  Never waits.  -ENOENT, -ELOOP, -EINVAL, other -errno. */
int sealed_file_read(const char *path, uint32_t newest,
		     void (*each)(void *ctx, const Hinomi__SealedReceipt *sealed), void *ctx);
