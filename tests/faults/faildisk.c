/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the sensor.  Every FAIL_EVERY-th fdatasync fails with EIO, as on a
 * disk that loses pages; FAIL_LOG=FILE has a byte for each.  While the file FAIL_FLAG
 * is there, whatever would change a disk fails with EROFS.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_ulong count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool is_read_only(void)
{
	const char *flag = getenv("FAIL_FLAG");

	if (!flag || access(flag, F_OK))
		return false;
	errno = EROFS;
	return true;
}

static bool sync_fails(void)
{
	const char *every = getenv("FAIL_EVERY"), *path = getenv("FAIL_LOG");
	unsigned long limit = every ? strtoul(every, NULL, 10) : 0;
	int fd;

	if (!limit || (atomic_fetch_add(&count, 1) + 1) % limit)
		return false;
	fd = path ? REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	if (fd >= 0) {
		if (write(fd, "x", 1) != 1)
			abort();
		close(fd);
	}
	errno = EIO;
	return true;
}

int fdatasync(int fd)
{
	return sync_fails() ? -1 : REAL(fdatasync)(fd);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
	return is_read_only() ? -1 : REAL(pwritev)(fd, parts, n, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return is_read_only() ? -1 : REAL(fallocate)(fd, mode, offset, size);
}

int openat(int dir, const char *path, int flags, ...)
{
	if (flags & (O_CREAT | O_WRONLY | O_RDWR) && is_read_only())
		return -1;
	return REAL(openat)(dir, path, flags, 0640);
}

int unlinkat(int dir, const char *path, int flags)
{
	return is_read_only() ? -1 : REAL(unlinkat)(dir, path, flags);
}
