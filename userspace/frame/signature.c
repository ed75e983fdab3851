// SPDX-License-Identifier: Apache-2.0
/* Who signed a frame; shares no code with seal/. */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "frame/frame.h"
#include "frame/signature.h"

int signature_check(const uint8_t key[32], const uint8_t *signature, const uint8_t *text,
		    size_t size)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = public && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
		 EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES, text, size) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	return ok ? 0 : -EBADMSG;
}

int frame_check_signature(const struct frame *frame, const uint8_t public_key[32])
{
	static const char what[] = "hinomi-frame-1";
	uint8_t text[sizeof(what) - 1 + 32];

	if (frame->signature.len != SIGNATURE_BYTES)
		return -EBADMSG;
	memcpy(text, what, sizeof(what) - 1);
	memcpy(text + sizeof(what) - 1, frame->hash, 32);
	return signature_check(public_key, frame->signature.data, text, sizeof(text));
}

int frame_check_certificate(const struct frame *frame)
{
	static const char what[] = "hinomi-key-1";
	const Hinomi__FrameHeader *header = frame->header;
	const Hinomi__KeyCertificate *certificate = header->certificate;
	uint8_t text[sizeof(what) - 1 + 3 * 16 + 1 + 8 + 32], *at = text;

	if (!certificate)
		return -EBADMSG;
	at = mempcpy(at, what, sizeof(what) - 1);
	at = mempcpy(at, header->sensor_id.data, 16);
	at = mempcpy(at, header->boot_id.data, 16);
	at = mempcpy(at, header->rings_id.data, 16);
	*at++ = header->lane;
	for (int i = 0; i < 8; i++)
		*at++ = header->number >> 8 * i;
	memcpy(at, certificate->public_key.data, 32);
	return signature_check(certificate->identity.data, certificate->signature.data, text,
			       sizeof(text));
}
