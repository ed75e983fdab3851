// SPDX-License-Identifier: Apache-2.0
#include "frame/keychain.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "frame/frame.h"

/* 0: the header names this key; -EBADMSG; -ENOMEM. */
static int check_key(const Hinomi__FrameHeader *header, const uint8_t key[KEY_BYTES])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	if (!SHA256(key, KEY_BYTES, digest))
		return -ENOMEM;
	return memcmp(digest, header->key_id.data, header->key_id.len) ? -EBADMSG : 0;
}

static enum key_verdict verdict_of(int err, enum key_verdict wrong)
{
	return err == -ENOMEM ? KEY_UNCHECKED : err ? wrong : KEY_PROVEN;
}

static enum key_verdict check_certificate(struct keychain *chain,
					  const struct key_identity *identity,
					  const struct frame *frame)
{
	const Hinomi__FrameHeader *header = frame->header;
	const Hinomi__KeyCertificate *certificate = header->certificate;
	uint8_t hash[sizeof(chain->certificate)];
	int err;

	if (!certificate)
		return KEY_UNCERTIFIED;
	if (identity->known && memcmp(identity->key, certificate->identity.data, KEY_BYTES))
		return KEY_STRANGER;
	if (certificate->first_number > header->number)
		return KEY_FORGED;
	err = check_key(header, certificate->public_key.data);
	err = err ? err : frame_certificate_hash(frame, hash);
	if (!err && memcmp(hash, chain->certificate, sizeof(hash)))
		err = frame_check_certificate(frame);
	if (!err)
		memcpy(chain->certificate, hash, sizeof(hash));
	return verdict_of(err, KEY_FORGED);
}

static enum key_verdict check_signed(struct keychain *chain, const struct key_identity *identity,
				     const struct frame *frame, bool after_hole)
{
	const Hinomi__KeyCertificate *certificate = frame->header->certificate;
	enum key_verdict verdict = check_certificate(chain, identity, frame);

	if (verdict)
		return verdict;
	if (!after_hole && chain->has_key && certificate->first_number != frame->header->number &&
	    memcmp(chain->key, certificate->public_key.data, KEY_BYTES))
		return KEY_UNNAMED;
	return verdict_of(frame_check_signature(frame, certificate->public_key.data), KEY_WRONG);
}

enum key_verdict keychain_frame(struct keychain *chain, struct key_identity *identity,
				const struct frame *frame, bool after_hole)
{
	const Hinomi__FrameHeader *header = frame->header;
	enum key_verdict verdict;

	if (header->algorithm == HINOMI__ALGORITHM__ALGORITHM_NONE)
		return chain->is_signed || identity->enrolled ? KEY_STRIPPED : KEY_UNSIGNED;
	chain->is_signed = true;
	verdict = check_signed(chain, identity, frame, after_hole);
	if (verdict)
		return verdict;
	memcpy(identity->key, header->certificate->identity.data, KEY_BYTES);
	identity->known = true;
	keychain_follow(chain, frame);
	return KEY_PROVEN;
}

void keychain_follow(struct keychain *chain, const struct frame *frame)
{
	const Hinomi__FrameHeader *header = frame->header;

	chain->is_signed |= header->algorithm != HINOMI__ALGORITHM__ALGORITHM_NONE;
	chain->has_key = header->certificate;
	if (!chain->has_key)
		return;
	memcpy(chain->key,
	       header->next_key.len ? header->next_key.data : header->certificate->public_key.data,
	       KEY_BYTES);
}

const char *key_verdict_text(enum key_verdict verdict)
{
	static const char *const texts[] = {
		[KEY_STRIPPED] = "is not signed",
		[KEY_UNCERTIFIED] = "nobody certifies its key",
		[KEY_STRANGER] = "its key is certified by another identity than the sensor's",
		[KEY_FORGED] = "the certificate of its key is forged",
		[KEY_UNNAMED] = "is signed with a key that no frame before named",
		[KEY_WRONG] = "the signature is not of these bytes",
	};

	return (unsigned)verdict < sizeof(texts) / sizeof(*texts) && texts[verdict] ? texts[verdict]
										    : "";
}
