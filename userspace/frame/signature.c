// SPDX-License-Identifier: Apache-2.0
/* Who signed a frame; shares no code with seal/. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "frame/frame.h"
#include "frame/signature.h"

/* The library says of a signature that is wrong what it says when it is out of memory; malloc says
 * that in errno, and only that can fail where key and signature have the right sizes. */
int signature_check(const uint8_t key[32], const uint8_t *signature, const uint8_t *text,
		    size_t size)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = -ENOMEM;

	if (public && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1) {
		errno = 0;
		if (EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES, text, size) == 1)
			r = 0;
		else if (errno != ENOMEM)
			r = -EBADMSG;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	return r;
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

#define CERTIFICATE_BYTES (12 + 3 * 16 + 1 + 8 + 32)

static void certificate_text(const Hinomi__FrameHeader *header, uint8_t ret[CERTIFICATE_BYTES])
{
	const Hinomi__KeyCertificate *certificate = header->certificate;
	uint8_t *at = mempcpy(ret, "hinomi-key-1", 12);

	at = mempcpy(at, header->sensor_id.data, 16);
	at = mempcpy(at, header->boot_id.data, 16);
	at = mempcpy(at, header->rings_id.data, 16);
	*at++ = header->lane;
	for (int i = 0; i < 8; i++)
		*at++ = certificate->first_number >> 8 * i;
	memcpy(at, certificate->public_key.data, 32);
}

int frame_check_certificate(const struct frame *frame)
{
	const Hinomi__KeyCertificate *certificate = frame->header->certificate;
	uint8_t text[CERTIFICATE_BYTES];

	certificate_text(frame->header, text);
	return signature_check(certificate->identity.data, certificate->signature.data, text,
			       sizeof(text));
}

int frame_certificate_hash(const struct frame *frame, uint8_t ret[32])
{
	const Hinomi__KeyCertificate *certificate = frame->header->certificate;
	uint8_t bytes[CERTIFICATE_BYTES + 32 + SIGNATURE_BYTES], *at = bytes + CERTIFICATE_BYTES;

	certificate_text(frame->header, bytes);
	at = mempcpy(at, certificate->identity.data, 32);
	memcpy(at, certificate->signature.data, SIGNATURE_BYTES);
	return SHA256(bytes, sizeof(bytes), ret) ? 0 : -ENOMEM;
}
