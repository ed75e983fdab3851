/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th call of ours that may fail fails: of those for memory, OpenSSL's among them, or of those
 * that read and change files.  For programs linked with --wrap of each (NTH_CALLS in the Makefile).
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "frame/crypto.h"

enum nth_set { NTH_MEMORY = 1, NTH_FILES = 2 };

static struct {
	unsigned sets;		 /* enum nth_set; 0: all succeed and none is counted */
	unsigned long calls, at; /* numbers, from 1 */
	bool on;		 /* and all behind it */
	int error;		 /* of files */
} nth;

static bool nth_fails(enum nth_set set)
{
	if (!(nth.sets & set))
		return false;
	nth.calls++;
	if (nth.calls < nth.at || (nth.calls > nth.at && !nth.on))
		return false;
	errno = set == NTH_MEMORY ? ENOMEM : nth.error;
	return true;
}

/* Runs with each n until one run makes fewer calls than that; returns how many there were.
 * Each n twice: that call alone, and all from it on. */
static inline unsigned long nth_every(unsigned sets, int error, void (*run)(void *ctx), void *ctx)
{
	for (unsigned long at = 1;; at++)
		for (int on = 1; on >= 0; on--) {
			nth.sets = sets;
			nth.error = error;
			nth.calls = 0;
			nth.at = at;
			nth.on = on;
			run(ctx);
			nth.sets = 0;
			if (nth.calls < at)
				return at - 1;
		}
}

#define NTH(set, type, failed, name, takes, gives) \
	type __real_##name takes;                  \
	type __wrap_##name takes;                  \
	type __wrap_##name takes                   \
	{                                          \
		if (nth_fails(set))                \
			return failed;             \
		return __real_##name gives;        \
	}

NTH(NTH_MEMORY, void *, NULL, malloc, (size_t size), (size))
NTH(NTH_MEMORY, void *, NULL, calloc, (size_t n, size_t size), (n, size))
NTH(NTH_MEMORY, void *, NULL, realloc, (void *at, size_t size), (at, size))
NTH(NTH_MEMORY, void *, NULL, reallocarray, (void *at, size_t n, size_t size), (at, n, size))
NTH(NTH_MEMORY, char *, NULL, strdup, (const char *text), (text))
NTH(NTH_MEMORY, void *, MAP_FAILED, mmap,
    (void *at, size_t size, int protection, int flags, int fd, off_t offset),
    (at, size, protection, flags, fd, offset))
NTH(NTH_FILES, ssize_t, -1, getrandom, (void *to, size_t size, unsigned flags), (to, size, flags))
NTH(NTH_FILES, ssize_t, -1, read, (int fd, void *to, size_t size), (fd, to, size))
NTH(NTH_FILES, ssize_t, -1, pread, (int fd, void *to, size_t size, off_t offset),
    (fd, to, size, offset))
NTH(NTH_FILES, ssize_t, -1, write, (int fd, const void *from, size_t size), (fd, from, size))
NTH(NTH_FILES, ssize_t, -1, pwrite, (int fd, const void *from, size_t size, off_t offset),
    (fd, from, size, offset))
NTH(NTH_FILES, ssize_t, -1, pwritev, (int fd, const struct iovec *parts, int n, off_t offset),
    (fd, parts, n, offset))
NTH(NTH_FILES, int, -1, fstat, (int fd, struct stat *to), (fd, to))
NTH(NTH_FILES, int, -1, fstatat, (int dir, const char *name, struct stat *to, int flags),
    (dir, name, to, flags))
NTH(NTH_FILES, int, -1, fsync, (int fd), (fd))
NTH(NTH_FILES, int, -1, fdatasync, (int fd), (fd))
NTH(NTH_FILES, int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
NTH(NTH_FILES, int, -1, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
NTH(NTH_FILES, int, -1, fallocate, (int fd, int mode, off_t offset, off_t size),
    (fd, mode, offset, size))
NTH(NTH_FILES, int, -1, ftruncate, (int fd, off_t size), (fd, size))
NTH(NTH_FILES, int, -1, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
NTH(NTH_FILES, int, -1, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
NTH(NTH_FILES, int, -1, renameat, (int dir, const char *name, int to, const char *new),
    (dir, name, to, new))
NTH(NTH_FILES, int, -1, linkat, (int dir, const char *name, int to, const char *new, int flags),
    (dir, name, to, new, flags))
NTH(NTH_FILES, int, -1, inotify_init1, (int flags), (flags))
NTH(NTH_FILES, int, -1, inotify_add_watch, (int fd, const char *path, uint32_t mask),
    (fd, path, mask))
NTH(NTH_FILES, DIR *, NULL, fdopendir, (int fd), (fd))

/* the last argument is there whenever it is needed */
#define NTH_LAST(type, before)               \
	({                                   \
		va_list args_;               \
		type last_;                  \
                                             \
		va_start(args_, before);     \
		last_ = va_arg(args_, type); \
		va_end(args_);               \
		last_;                       \
	})

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	if (nth_fails(NTH_FILES))
		return -1;
	return flags & O_CREAT ? __real_open(path, flags, NTH_LAST(mode_t, flags))
			       : __real_open(path, flags);
}

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	if (nth_fails(NTH_FILES))
		return -1;
	return flags & O_CREAT ? __real_openat(dir, path, flags, NTH_LAST(mode_t, flags))
			       : __real_openat(dir, path, flags);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	if (nth_fails(NTH_FILES))
		return -1;
	return __real_fcntl(fd, command, NTH_LAST(void *, command));
}

static void *nth_openssl_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return __wrap_malloc(size);
}

static void *nth_openssl_realloc(void *at, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return __wrap_realloc(at, size);
}

static void nth_openssl_free(void *at, const char *file, int line)
{
	(void)file, (void)line;
	free(at);
}

/* Before the library has anything. */
__attribute__((constructor)) static void nth_openssl(void)
{
	CRYPTO_set_mem_functions(nth_openssl_malloc, nth_openssl_realloc, nth_openssl_free);
	crypto_start();
}
