// SPDX-License-Identifier: Apache-2.0
#include "frame/keychain.h"

#include <openssl/sha.h>
#include <string.h>

#include "frame/frame.h"

static bool is_key(const Hinomi__FrameHeader *header, const uint8_t key[KEY_BYTES])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(key, KEY_BYTES, digest);
	return !memcmp(digest, header->key_id.data, header->key_id.len);
}

static enum key_verdict take_certificate(struct keychain *chain, struct key_identity *identity,
					 const struct frame *frame)
{
	const Hinomi__KeyCertificate *certificate = frame->header->certificate;

	if (identity->known && memcmp(identity->key, certificate->identity.data, KEY_BYTES))
		return KEY_STRANGER;
	if (frame_check_certificate(frame))
		return KEY_FORGED;
	memcpy(identity->key, certificate->identity.data, KEY_BYTES);
	identity->known = true;
	memcpy(chain->key, certificate->public_key.data, KEY_BYTES);
	chain->has_key = true;
	return KEY_PROVEN;
}

static enum key_verdict check_signed(struct keychain *chain, struct key_identity *identity,
				     const struct frame *frame)
{
	const Hinomi__FrameHeader *header = frame->header;
	enum key_verdict verdict = KEY_PROVEN;

	if (header->certificate)
		verdict = take_certificate(chain, identity, frame);
	if (verdict)
		return verdict;
	if (!chain->has_key)
		return KEY_UNPROVEN;
	if (!is_key(header, chain->key))
		return KEY_UNNAMED;
	return frame_check_signature(frame, chain->key) ? KEY_WRONG : KEY_PROVEN;
}

enum key_verdict keychain_frame(struct keychain *chain, struct key_identity *identity,
				const struct frame *frame, bool after_hole)
{
	const Hinomi__FrameHeader *header = frame->header;
	enum key_verdict verdict;

	if (header->algorithm == HINOMI__ALGORITHM__ALGORITHM_NONE)
		return chain->is_signed || identity->enrolled ? KEY_STRIPPED : KEY_UNSIGNED;
	chain->is_signed = true;
	if (after_hole && chain->has_key && !is_key(header, chain->key))
		chain->has_key = false; /* the frame that named this key is among the missing */
	verdict = check_signed(chain, identity, frame);
	if (header->next_key.len)
		memcpy(chain->key, header->next_key.data, KEY_BYTES);
	return verdict;
}

void keychain_follow(struct keychain *chain, const struct frame *frame)
{
	const Hinomi__FrameHeader *header = frame->header;

	chain->is_signed |= header->algorithm != HINOMI__ALGORITHM__ALGORITHM_NONE;
	if (header->certificate)
		memcpy(chain->key, header->certificate->public_key.data, KEY_BYTES);
	if (header->next_key.len)
		memcpy(chain->key, header->next_key.data, KEY_BYTES);
	chain->has_key |= header->certificate || header->next_key.len;
}

const char *key_verdict_text(enum key_verdict verdict)
{
	static const char *const texts[] = {
		[KEY_STRIPPED] = "is not signed",
		[KEY_STRANGER] = "its key is certified by another identity than the sensor's",
		[KEY_FORGED] = "the certificate of its key is forged",
		[KEY_UNNAMED] = "is signed with a key that no frame before named",
		[KEY_WRONG] = "the signature is not of these bytes",
	};

	return (unsigned)verdict < sizeof(texts) / sizeof(*texts) && texts[verdict] ? texts[verdict]
										    : "";
}
