/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures: each frame by the key that the frame before named, or that the
 * sensor's identity certifies.  A lane that was signed once stays signed.
 */
#include <inttypes.h>
#include <openssl/sha.h>
#include <string.h>

#include "cli/judge.h"
#include "frame/frame.h"

void verifier_identity(struct verifier *verifier, const uint8_t identity[KEY_BYTES])
{
	verifier->has_identity = verifier->identity_given = true;
	memcpy(verifier->identity, identity, KEY_BYTES);
}

static bool is_key(const Hinomi__FrameHeader *header, const uint8_t key[KEY_BYTES])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(key, KEY_BYTES, digest);
	return !memcmp(digest, header->key_id.data, header->key_id.len);
}

static void check_certificate(struct verifier *verifier, struct lane_state *lane,
			      const struct frame *frame)
{
	const Hinomi__KeyCertificate *certificate = frame->header->certificate;
	uint64_t number = frame->header->number;

	if (!verifier->has_identity) { /* the first is believed, and said at the end */
		memcpy(verifier->identity, certificate->identity.data, KEY_BYTES);
		verifier->has_identity = true;
	}
	if (memcmp(verifier->identity, certificate->identity.data, KEY_BYTES)) {
		finding(verifier, lane, number,
			"its key is certified by another identity than the sensor's");
		return;
	}
	if (frame_check_certificate(frame)) {
		finding(verifier, lane, number, "the certificate of its key is forged");
		return;
	}
	memcpy(lane->key, certificate->public_key.data, KEY_BYTES);
	lane->has_key = true;
}

void keys_frame(struct verifier *verifier, struct lane_state *lane, const struct frame *frame,
		bool behind_hole)
{
	const Hinomi__FrameHeader *header = frame->header;

	if (header->algorithm == HINOMI__ALGORITHM__ALGORITHM_NONE) {
		if (lane->is_signed || verifier->identity_given)
			finding(verifier, lane, header->number, "is not signed");
		else
			verifier->unsigned_frames++;
		return;
	}
	lane->is_signed = true;
	if (behind_hole && lane->has_key && !is_key(header, lane->key))
		lane->has_key = false; /* the frame that named this key is among the missing */
	if (header->certificate)
		check_certificate(verifier, lane, frame);
	if (!lane->has_key) {
		verifier->unproven_frames++;
		return;
	}
	if (!is_key(header, lane->key))
		finding(verifier, lane, header->number,
			"is signed with a key that no frame before named");
	else if (frame_check_signature(frame, lane->key))
		finding(verifier, lane, header->number, "the signature is not of these bytes");
	else
		lane->signed_frames++;
	if (header->next_key.len)
		memcpy(lane->key, header->next_key.data, KEY_BYTES);
}

struct verifier_proof verifier_proof(const struct verifier *verifier)
{
	struct verifier_proof proof = {
		.unsigned_frames = verifier->unsigned_frames,
		.unproven_frames = verifier->unproven_frames,
		.identity_given = verifier->identity_given,
		.has_identity = verifier->has_identity,
	};

	for (int lane = 0; lane < LANES; lane++)
		proof.signed_frames += verifier->lanes[lane].signed_frames;
	memcpy(proof.identity, verifier->identity, KEY_BYTES);
	return proof;
}
