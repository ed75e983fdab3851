/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int io_openat(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

struct spool_io spool_io = {
	.openat = io_openat,
	.pwritev = pwritev,
	.fdatasync = fdatasync,
	.fsync = fsync,
	.fallocate = fallocate,
	.ftruncate = ftruncate,
	.unlinkat = unlinkat,
	.renameat = renameat,
};

int io_writev(int fd, const struct iovec *parts, int count, uint64_t offset)
{
	size_t size = 0;
	ssize_t n;

	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	do
		n = spool_io.pwritev(fd, parts, count, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -ENOSPC;
}

int io_write(int fd, const void *data, size_t size, uint64_t offset)
{
	struct iovec part = {.iov_base = (void *)data, .iov_len = size};

	return io_writev(fd, &part, 1, offset);
}

ssize_t io_read(int fd, void *data, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
