/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A collector's receipt as evidence: whether it is signed, and a file that keeps
 * the newest of them.  The file is a ring of slots of 512 bytes, each whole or not
 * there: generation, length, SealedReceipt, zeros, checksum.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "collect.pb-c.h"

#define SEALED_SLOT_BYTES 512

/* "hinomi-receipt-1" and the digest: what is signed. */
#define SEALED_TEXT_BYTES (16 + 32)
void sealed_text(const void *receipt, size_t size, uint8_t ret[SEALED_TEXT_BYTES]);
/* Did this key sign it?  0 and the receipt, the caller's; -EBADMSG; -ENOMEM. */
int sealed_open(const Hinomi__SealedReceipt *sealed, const uint8_t key[32], Hinomi__Receipt **ret);

struct sealed_file {
	int fd; /* -1: not open */
	uint32_t slots;
	uint64_t generation; /* of the slot written last, 0: none */
};

/* Made where it is not there.  slots: at least 2. */
int sealed_file_open(int dir, const char *name, uint32_t slots, struct sealed_file *ret);
void sealed_file_close(struct sealed_file *file);
/* In the page cache when it returns; sync: on disk. */
int sealed_file_add(struct sealed_file *file, const Hinomi__SealedReceipt *sealed, bool sync);
/* Each good slot of a file, in no order.  -ENOENT, other -errno. */
int sealed_file_read(const char *path, void (*each)(void *ctx, const Hinomi__SealedReceipt *sealed),
		     void *ctx);
