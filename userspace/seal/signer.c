// SPDX-License-Identifier: Apache-2.0
#include "seal/signer.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define KEY_BYTES 32
#define ID_BYTES  8

struct signer {
	EVP_PKEY *key, *next;
	EVP_MD_CTX *ctx;
	uint8_t public[KEY_BYTES], next_public[KEY_BYTES], id[ID_BYTES];
	uint64_t born_ns;
	size_t events;
	/* whom keys are certified for, and the frame that comes next */
	EVP_PKEY *identity;
	struct seal_identity who;
	enum lane lane;
	uint64_t number;
	bool is_first; /* of its key: the certificate goes with it */
	Hinomi__KeyCertificate certificate;
	uint8_t identity_public[KEY_BYTES], certificate_signature[SIGNATURE_BYTES];
};

static int key_public(EVP_PKEY *key, uint8_t ret[KEY_BYTES])
{
	size_t size = KEY_BYTES;

	return EVP_PKEY_get_raw_public_key(key, ret, &size) == 1 && size == KEY_BYTES ? 0 : -EIO;
}

static int key_make(EVP_PKEY **key, uint8_t public[KEY_BYTES])
{
	*key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return *key ? key_public(*key, public) : -EIO;
}

static int key_sign(EVP_MD_CTX *ctx, EVP_PKEY *key, const uint8_t *text, size_t size,
		    uint8_t ret[SIGNATURE_BYTES])
{
	size_t signed_size = SIGNATURE_BYTES;

	EVP_MD_CTX_reset(ctx);
	if (EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(ctx, ret, &signed_size, text, size) != 1)
		return -EIO;
	return 0;
}

static void take_id(struct signer *signer)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(signer->public, KEY_BYTES, digest);
	memcpy(signer->id, digest, ID_BYTES);
	signer->born_ns = clock_boot_ns();
	signer->events = 0;
}

static int certify(struct signer *signer)
{
	static const char what[] = "hinomi-key-1";
	uint8_t text[sizeof(what) - 1 + 3 * 16 + 1 + 8 + KEY_BYTES], *at = text;

	at = (uint8_t *)mempcpy(at, what, sizeof(what) - 1);
	at = (uint8_t *)mempcpy(at, signer->who.sensor_id, 16);
	at = (uint8_t *)mempcpy(at, signer->who.boot_id, 16);
	at = (uint8_t *)mempcpy(at, signer->who.rings_id, 16);
	*at++ = signer->lane;
	for (int i = 0; i < 8; i++)
		*at++ = (uint8_t)(signer->number >> 8 * i);
	memcpy(at, signer->public, KEY_BYTES);
	signer->certificate = (Hinomi__KeyCertificate)HINOMI__KEY_CERTIFICATE__INIT;
	signer->certificate.public_key = (ProtobufCBinaryData){KEY_BYTES, signer->public};
	signer->certificate.identity = (ProtobufCBinaryData){KEY_BYTES, signer->identity_public};
	signer->certificate.signature =
		(ProtobufCBinaryData){SIGNATURE_BYTES, signer->certificate_signature};
	if (key_public(signer->identity, signer->identity_public))
		return -EIO;
	return key_sign(signer->ctx, signer->identity, text, sizeof(text),
			signer->certificate_signature);
}

int signer_new(EVP_PKEY *identity, const struct seal_identity *who, enum lane lane,
	       uint64_t first_number, struct signer **ret)
{
	CLEANUP(signer_free) struct signer *signer = calloc(1, sizeof(*signer));
	int r;

	if (!signer)
		return -ENOMEM;
	signer->ctx = EVP_MD_CTX_new();
	if (!signer->ctx)
		return -ENOMEM;
	EVP_PKEY_up_ref(identity);
	signer->identity = identity;
	signer->who = *who;
	signer->lane = lane;
	signer->number = first_number;
	r = key_make(&signer->key, signer->public);
	if (!r)
		r = certify(signer);
	if (r)
		return r;
	signer->is_first = true;
	take_id(signer);
	*ret = TAKE(signer);
	return 0;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_free(signer->key); /* OpenSSL wipes it */
	EVP_PKEY_free(signer->next);
	EVP_PKEY_free(signer->identity);
	EVP_MD_CTX_free(signer->ctx);
	free(signer);
}

bool signer_is_old(const struct signer *signer)
{
	return signer->events >= SIGNER_KEY_EVENTS ||
	       clock_boot_ns() - signer->born_ns >= SIGNER_KEY_NS;
}

int signer_prepare(struct signer *signer, Hinomi__FrameHeader *header)
{
	int r;

	header->algorithm = HINOMI__ALGORITHM__ALGORITHM_ED25519;
	header->key_id = (ProtobufCBinaryData){ID_BYTES, signer->id};
	if (signer->is_first)
		header->certificate = &signer->certificate;
	if (signer_is_old(signer) && !signer->next) {
		r = key_make(&signer->next, signer->next_public);
		if (r)
			return r;
	}
	if (signer->next)
		header->next_key = (ProtobufCBinaryData){KEY_BYTES, signer->next_public};
	return 0;
}

int signer_sign(struct signer *signer, const uint8_t header_hash[32], uint8_t ret[SIGNATURE_BYTES])
{
	static const char what[] = "hinomi-frame-1";
	uint8_t text[sizeof(what) - 1 + 32];

	memcpy(text, what, sizeof(what) - 1);
	memcpy(text + sizeof(what) - 1, header_hash, 32);
	return key_sign(signer->ctx, signer->key, text, sizeof(text), ret);
}

void signer_advance(struct signer *signer, size_t events)
{
	signer->is_first = false;
	signer->number++;
	signer->events += events;
	if (!signer->next)
		return;
	EVP_MD_CTX_reset(signer->ctx); /* it holds the old key too */
	EVP_PKEY_free(signer->key);
	signer->key = signer->next;
	signer->next = NULL;
	memcpy(signer->public, signer->next_public, KEY_BYTES);
	take_id(signer);
	signer->is_first = !certify(signer); /* without it only the frame before vouches for it */
}
