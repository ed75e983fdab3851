/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a payload and what its header says to the bytes of a Frame: compresses,
 * hashes, packs.  Its buffer grows with the number of cpus and is kept.
 */
#pragma once

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

#include "frame.pb-c.h"
#include "seal/signer.h"

struct wrapper {
	ZSTD_CCtx *zstd;
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	struct signer *signer; /* NULL: frames are not signed */
	uint8_t *buffer;
	size_t reserve; /* bytes before the payload, for the header */
	Hinomi__LedgerRow **rows;
	size_t max_rows;

	/* the last frame */
	const uint8_t *frame;
	size_t size;
	uint8_t hash[32]; /* SHA-256 of its header */
	uint8_t payload_hash[32];
};

int wrapper_init(struct wrapper *wrapper);
void wrapper_done(struct wrapper *wrapper);
/* Completes the header: keys, encoding, payload_size, payload_sha256, ledger. */
int wrap(struct wrapper *wrapper, Hinomi__FrameHeader *header, const Hinomi__LedgerRow *rows,
	 size_t nrows, const uint8_t *payload, size_t size);
