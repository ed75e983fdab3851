/* SPDX-License-Identifier: Apache-2.0 */
/* Every system call that changes a spool, so that a test can make each of them fail. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct spool_io {
	int (*openat)(int dir, const char *name, int flags, mode_t mode);
	ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
	int (*fdatasync)(int fd);
	int (*fsync)(int fd);
	int (*fallocate)(int fd, int mode, off_t offset, off_t size);
	int (*ftruncate)(int fd, off_t size);
	int (*unlinkat)(int dir, const char *name, int flags);
	int (*renameat)(int old_dir, const char *old_name, int dir, const char *name);
};

extern struct spool_io spool_io;

/* All of it or -errno; a disk that takes only a part is -ENOSPC. */
int io_write(int fd, const void *data, size_t size, uint64_t offset);
int io_writev(int fd, const struct iovec *parts, int count, uint64_t offset);
/* What is there, up to size: bytes or -errno. */
ssize_t io_read(int fd, void *data, size_t size, uint64_t offset);
