/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/signer.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define KEY_BYTES 32
#define ID_BYTES  8

struct signing_key {
	EVP_PKEY *private; /* NULL: there is none */
	uint8_t public[KEY_BYTES], certificate[SIGNATURE_BYTES];
	uint8_t digest[SHA256_DIGEST_LENGTH]; /* of the public one; its name begins it */
	uint64_t first_number;		      /* of the frames that it signs */
};

struct signer {
	struct signing_key now, next; /* next: named by the frame that is being made */
	EVP_MD_CTX *ctx;
	uint64_t born_ns;
	size_t events;
	/* whom keys are certified for, and the frame that comes next */
	EVP_PKEY *identity;
	uint8_t identity_public[KEY_BYTES];
	struct seal_identity who;
	enum lane lane;
	uint64_t number;
	Hinomi__KeyCertificate certificate; /* as the header has it */
};

static int key_public(EVP_PKEY *key, uint8_t ret[KEY_BYTES])
{
	size_t size = KEY_BYTES;

	return EVP_PKEY_get_raw_public_key(key, ret, &size) == 1 && size == KEY_BYTES ? 0 : -EIO;
}

static int key_sign(EVP_MD_CTX *ctx, EVP_PKEY *key, const uint8_t *text, size_t size,
		    uint8_t ret[SIGNATURE_BYTES])
{
	size_t signed_size = SIGNATURE_BYTES;
	int ok;

	EVP_MD_CTX_reset(ctx);
	ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestSign(ctx, ret, &signed_size, text, size) == 1;
	EVP_MD_CTX_reset(ctx); /* it holds the key too */
	return ok ? 0 : -EIO;
}

static int certify(struct signer *signer, struct signing_key *key)
{
	static const char what[] = "hinomi-key-1";
	uint8_t text[sizeof(what) - 1 + 3 * 16 + 1 + 8 + KEY_BYTES], *at = text;

	at = (uint8_t *)mempcpy(at, what, sizeof(what) - 1);
	at = (uint8_t *)mempcpy(at, signer->who.sensor_id, 16);
	at = (uint8_t *)mempcpy(at, signer->who.boot_id, 16);
	at = (uint8_t *)mempcpy(at, signer->who.rings_id, 16);
	*at++ = signer->lane;
	for (int i = 0; i < 8; i++)
		*at++ = (uint8_t)(key->first_number >> 8 * i);
	memcpy(at, key->public, KEY_BYTES);
	return key_sign(signer->ctx, signer->identity, text, sizeof(text), key->certificate);
}

static void key_wipe(struct signing_key *key)
{
	EVP_PKEY_free(key->private); /* OpenSSL wipes it */
	key->private = NULL;
}

static int key_make(struct signer *signer, uint64_t first_number, struct signing_key *ret)
{
	struct signing_key key = {.private = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
				  .first_number = first_number};
	int r = key.private ? key_public(key.private, key.public) : -EIO;

	if (!r && !SHA256(key.public, KEY_BYTES, key.digest))
		r = -EIO;
	if (!r)
		r = certify(signer, &key);
	if (r)
		key_wipe(&key);
	else
		*ret = key;
	return r;
}

/* What the headers say from now on. */
static void take_up(struct signer *signer)
{
	Hinomi__KeyCertificate *certificate = &signer->certificate;
	struct signing_key *key = &signer->now;

	signer->born_ns = clock_boot_ns();
	signer->events = 0;
	hinomi__key_certificate__init(certificate);
	certificate->public_key = (ProtobufCBinaryData){KEY_BYTES, key->public};
	certificate->identity = (ProtobufCBinaryData){KEY_BYTES, signer->identity_public};
	certificate->signature = (ProtobufCBinaryData){SIGNATURE_BYTES, key->certificate};
	certificate->first_number = key->first_number;
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
	r = key_public(identity, signer->identity_public);
	if (!r)
		r = key_make(signer, first_number, &signer->now);
	if (r)
		return r;
	take_up(signer);
	*ret = TAKE(signer);
	return 0;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	key_wipe(&signer->now);
	key_wipe(&signer->next);
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
	header->key_id = (ProtobufCBinaryData){ID_BYTES, signer->now.digest};
	header->certificate = &signer->certificate;
	if (signer_is_old(signer) && !signer->next.private) {
		r = key_make(signer, signer->number + 1, &signer->next);
		if (r)
			return r;
	}
	if (signer->next.private)
		header->next_key = (ProtobufCBinaryData){KEY_BYTES, signer->next.public};
	return 0;
}

int signer_sign(struct signer *signer, const uint8_t header_hash[32], uint8_t ret[SIGNATURE_BYTES])
{
	static const char what[] = "hinomi-frame-1";
	uint8_t text[sizeof(what) - 1 + 32];

	memcpy(text, what, sizeof(what) - 1);
	memcpy(text + sizeof(what) - 1, header_hash, 32);
	return key_sign(signer->ctx, signer->now.private, text, sizeof(text), ret);
}

void signer_advance(struct signer *signer, size_t events)
{
	signer->number++;
	signer->events += events;
	if (!signer->next.private)
		return;
	key_wipe(&signer->now);
	signer->now = signer->next;
	signer->next = (struct signing_key){0};
	take_up(signer);
}
