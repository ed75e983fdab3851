/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is found without being opened (O_PATH), compared with what the
 * kernel said of it, and only then opened for reading: a name that by now leads
 * to a device or a pipe is never touched.
 */
#include "enrich/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define READ_BYTES (256u << 10)
/* Within this, two changes may have the same time stamp: one tick of the kernel, two seconds on
 * FAT. */
#define SETTLE_NS (2 * NS_PER_SEC)

#define PATH_SIZE 4160 /* of a path and what goes in front of it */
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

static void evp_md_ctx_free(EVP_MD_CTX *ctx)
{
	EVP_MD_CTX_free(ctx);
}

DEFINE_CLEANUP(EVP_MD_CTX *, evp_md_ctx_free);

bool digest_refuses(uint32_t filesystem)
{
	return filesystem == FUSE_SUPER_MAGIC;
}

/* stat(2) gives another device than the super block has: that of the subvolume, or of a layer. */
static bool has_other_device(uint32_t filesystem)
{
	return filesystem == BTRFS_SUPER_MAGIC || filesystem == OVERLAYFS_SUPER_MAGIC ||
	       filesystem == 0xca451a4e; /* bcachefs */
}

static uint64_t changed_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * NS_PER_SEC + (uint64_t)st->st_ctim.tv_nsec;
}

static bool is_on_device(int fd, const struct stat *st, const struct file_identity *identity)
{
	struct statfs fs;

	if (major(st->st_dev) == identity->device_major &&
	    minor(st->st_dev) == identity->device_minor)
		return true;
	return has_other_device(identity->filesystem) && !fstatfs(fd, &fs) &&
	       (uint32_t)fs.f_type == identity->filesystem;
}

static bool is_file(int fd, const struct file_identity *identity)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	return st.st_ino == identity->inode && (uint64_t)st.st_size == identity->size &&
	       changed_ns(&st) == identity->changed_ns && is_on_device(fd, &st, identity);
}

/* For reading, without a trace in the file's access time where that is allowed. */
static int reopen(int path_fd)
{
	char link[32];
	int fd, flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, flags | O_NOATIME);
	return fd >= 0 || errno != EPERM ? fd : open(link, flags);
}

static int open_as(const char *path, int flags, const struct file_identity *identity)
{
	CLEANUP(close_fd) int path_fd = open(path, O_PATH | O_CLOEXEC | flags);

	return path_fd >= 0 && is_file(path_fd, identity) ? reopen(path_fd) : -1;
}

/* The image of the process itself, then its path where it sees it, its parent does, the first
 * process of the host, and we: the service has directories of its own, and processes end. */
static int open_file(const struct digest_request *request)
{
	const uint32_t through[] = {request->pid, request->parent, 1};
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/exe", request->pid);
	fd = open_as(path, 0, &request->identity);
	if (!request->path || request->path[0] != '/')
		return fd;
	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(through); i++)
		if (snprintf(path, sizeof(path), "/proc/%u/root%s", through[i], request->path) <
		    (int)sizeof(path))
			fd = open_as(path, O_NOFOLLOW, &request->identity);
	return fd >= 0 ? fd : open_as(request->path, O_NOFOLLOW, &request->identity);
}

static int read_all(int fd, EVP_MD_CTX *ctx, uint64_t size, const atomic_bool *stop)
{
	CLEANUP(free) uint8_t *buf = malloc(READ_BYTES);
	uint64_t have = 0;

	if (!buf)
		return -ENOMEM;
	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		ssize_t n = read(fd, buf, READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return have == size ? 0 : -ESTALE;
		have += (uint64_t)n;
		if (have > size)
			return -ESTALE;
		if (!EVP_DigestUpdate(ctx, buf, (size_t)n))
			return -EIO;
	}
	return -ECANCELED;
}

void digest_file(const struct digest_request *request, const atomic_bool *stop, struct digest *ret)
{
	CLEANUP(evp_md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CLEANUP(close_fd) int fd = open_file(request);
	uint64_t now_ns = clock_real_ns();

	*ret = (struct digest){.state = HINOMI__HASH_STATE__HASH_STATE_GONE};
	if (fd < 0 || !ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		return;
	if (!is_file(fd, &request->identity) ||
	    read_all(fd, ctx, request->identity.size, stop) < 0 || !is_file(fd, &request->identity))
		return;
	if (!EVP_DigestFinal_ex(ctx, ret->sha256, NULL))
		return;
	ret->state = HINOMI__HASH_STATE__HASH_STATE_KNOWN;
	ret->settled = now_ns > request->identity.changed_ns &&
		       now_ns - request->identity.changed_ns > SETTLE_NS;
}
