/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of one lane.  Each key signs for a minute or 64 Ki events; its last
 * frame names the next one, and then it is wiped.  The sensor's identity certifies
 * each as well, and every frame bears that certificate, so that it can be proven
 * whatever is missing before it.  Who has the identity's key can therefore write
 * another past: what shows it are receipts.  Private keys live in locked memory.
 */
#pragma once

#include <hinomi/kinds.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "frame.pb-c.h"
#include "seal/seal.h"

#define SIGNER_KEY_NS	  (60ULL * 1000000000)
#define SIGNER_KEY_EVENTS 65536
#define SIGNATURE_BYTES	  64

/* identity: Ed25519 private key of the sensor, shared. */
int signer_new(EVP_PKEY *identity, const struct seal_identity *who, enum lane lane,
	       uint64_t first_number, struct signer **ret);
void signer_free(struct signer *signer);
/* Fills the header's key fields; what they point to is the signer's.  -EIO: nothing has changed. */
int signer_prepare(struct signer *signer, Hinomi__FrameHeader *header);
int signer_sign(struct signer *signer, const uint8_t header_hash[32], uint8_t ret[SIGNATURE_BYTES]);
/* The frame is made: the next key, if it was named, takes over, and the old one is gone. */
void signer_advance(struct signer *signer, size_t events);
bool signer_is_old(const struct signer *signer);

DEFINE_CLEANUP(struct signer *, signer_free);
