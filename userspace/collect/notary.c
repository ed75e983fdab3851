/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/notary.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>

#include "frame/public_key.h"
#include "frame/sealed.h"
#include "frame/signature.h"

#define KEY_BYTES    PUBLIC_KEY_BYTES
#define KEY_ID_BYTES 8

struct notary {
	EVP_PKEY *key;
	uint8_t public[KEY_BYTES];
	uint8_t id[SHA256_DIGEST_LENGTH]; /* the first KEY_ID_BYTES count */
};

static int write_secret(int dir, const uint8_t secret[KEY_BYTES])
{
	CLEANUP(close_fd)
	int fd = openat(dir, "receipt.key.new",
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (write(fd, secret, KEY_BYTES) != KEY_BYTES)
		return -EIO;
	if (fsync(fd) || renameat(dir, "receipt.key.new", dir, "receipt.key") || fsync(dir))
		return -errno;
	return 0;
}

static int make_key(int dir, struct notary *notary)
{
	uint8_t secret[KEY_BYTES];
	size_t size = sizeof(secret);
	int err;

	notary->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!notary->key || EVP_PKEY_get_raw_private_key(notary->key, secret, &size) != 1)
		return -EIO;
	err = write_secret(dir, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return err;
}

static int load_key(int dir, struct notary *notary)
{
	CLEANUP(close_fd) int fd = openat(dir, "receipt.key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t secret[KEY_BYTES];

	if (fd < 0)
		return -errno;
	if (read(fd, secret, sizeof(secret)) != sizeof(secret))
		return -EBADMSG;
	notary->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
	OPENSSL_cleanse(secret, sizeof(secret));
	return notary->key ? 0 : -EIO;
}

int notary_open(int dir, struct notary **ret)
{
	CLEANUP(notary_free) struct notary *notary = calloc(1, sizeof(*notary));
	size_t size = KEY_BYTES;
	int err;

	if (!notary)
		return -ENOMEM;
	err = load_key(dir, notary);
	if (err == -ENOENT)
		err = make_key(dir, notary);
	if (!err && EVP_PKEY_get_raw_public_key(notary->key, notary->public, &size) != 1)
		err = -EIO;
	if (!err)
		err = public_key_write(dir, "receipt.pub", notary->public);
	if (!err && !SHA256(notary->public, KEY_BYTES, notary->id))
		err = -ENOMEM;
	if (err)
		return err;
	*ret = TAKE(notary);
	return 0;
}

void notary_free(struct notary *notary)
{
	if (!notary)
		return;
	EVP_PKEY_free(notary->key);
	free(notary);
}

int notary_sign(const struct notary *notary, Hinomi__SealedReceipt *sealed, uint8_t signature[64])
{
	uint8_t text[SEALED_TEXT_BYTES];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = SIGNATURE_BYTES;
	int ok = ctx && !sealed_text(sealed->receipt.data, sealed->receipt.len, text) &&
		 EVP_DigestSignInit(ctx, NULL, NULL, NULL, notary->key) == 1 &&
		 EVP_DigestSign(ctx, signature, &size, text, sizeof(text)) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	sealed->algorithm = HINOMI__ALGORITHM__ALGORITHM_ED25519;
	sealed->key_id = (ProtobufCBinaryData){KEY_ID_BYTES, (uint8_t *)notary->id};
	sealed->public_key = (ProtobufCBinaryData){KEY_BYTES, (uint8_t *)notary->public};
	sealed->signature = (ProtobufCBinaryData){SIGNATURE_BYTES, signature};
	return 0;
}
