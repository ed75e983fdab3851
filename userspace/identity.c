// SPDX-License-Identifier: Apache-2.0
/* Who we are: the sensor's id lies in its spool, the boot's comes from the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "frame/public_key.h"

static int boot_id_read(uint8_t id[16])
{
	CLEANUP(fclose) FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char text[64];
	int n = 0;

	if (!f || !fgets(text, sizeof(text), f))
		return -EIO;
	for (const char *c = text; *c && n < 16; c++) {
		unsigned byte;

		if (*c == '-')
			continue;
		if (sscanf(c, "%2x", &byte) != 1)
			break;
		id[n++] = byte;
		c++;
	}
	return n == 16 ? 0 : -EBADMSG;
}

int write_file(int dir, const char *name, const void *bytes, size_t size, mode_t mode)
{
	char fresh[64];
	CLEANUP(close_fd) int fd = -1;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode) || write(fd, bytes, size) != (ssize_t)size || fsync(fd) ||
	    renameat(dir, fresh, dir, name) || fsync(dir))
		return -errno ?: -EIO;
	return 0;
}

int read_file(int dir, const char *name, void *bytes, size_t size)
{
	CLEANUP(close_fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, size);
	char more;

	if (n < 0)
		return -errno;
	return n == (ssize_t)size && !read(fd, &more, 1) ? 0 : -EBADMSG;
}

int identity_load(const char *dir, struct seal_identity *ret)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (at < 0)
		return -errno;
	err = read_file(at, "sensor_id", ret->sensor_id, 16);
	if (err == -ENOENT) { /* and nothing else: who cannot be read is not to be replaced */
		if (getrandom(ret->sensor_id, 16, 0) != 16)
			return -errno;
		err = write_file(at, "sensor_id", ret->sensor_id, 16, 0640);
	}
	return err ?: boot_id_read(ret->boot_id);
}

/* Unless it is there: the machine may have stopped between the two files. */
static int write_public(int dir, EVP_PKEY *key)
{
	uint8_t public[PUBLIC_KEY_BYTES], there[PUBLIC_KEY_BYTES];
	size_t size = sizeof(public);

	if (EVP_PKEY_get_raw_public_key(key, public, &size) != 1)
		return -EIO;
	if (!public_key_read(dir, "identity.pub", there) && !memcmp(there, public, sizeof(there)))
		return 0;
	return public_key_write(dir, "identity.pub", public);
}

int identity_key(const char *dir, EVP_PKEY **ret)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t secret[32];
	size_t size = sizeof(secret);
	int err;

	if (at < 0)
		return -errno;
	/* locked memory for private keys; where that is refused they lie in ordinary memory */
	if (CRYPTO_secure_malloc_init(65536, 32) == 2 || !CRYPTO_secure_malloc_initialized())
		log_warning("memory for private keys cannot be locked: it may be swapped out");
	err = read_file(at, "identity.key", secret, sizeof(secret));
	if (err == -ENOENT) {
		*ret = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		if (!*ret || EVP_PKEY_get_raw_private_key(*ret, secret, &size) != 1)
			return -EIO;
		err = write_file(at, "identity.key", secret, sizeof(secret), 0600);
	} else if (!err) {
		*ret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
		err = *ret ? 0 : -EIO;
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	return err ?: write_public(at, *ret);
}

int group_id(const char *name)
{
	CLEANUP(fclose) FILE *f = NULL;
	char line[1024], *end;
	long gid;

	if (!name || !*name)
		return -1;
	gid = strtol(name, &end, 10);
	if (!*end)
		return gid;
	f = fopen("/etc/group", "re"); /* not by NSS, which may load anything */
	while (f && fgets(line, sizeof(line), f)) {
		size_t n = strcspn(line, ":");
		char *id = line[n] ? strchr(line + n + 1, ':') : NULL;

		if (id && n == strlen(name) && !strncmp(line, name, n))
			return atoi(id + 1);
	}
	return -1;
}
