/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program: its n-th allocation fails (FAIL_AT=n), or that one and
 * all after it (FAIL_ON=1 as well).  FAIL_COUNT=FILE: how many there were, written
 * at the end.  FAIL_PROGRAM: only in a program of that name.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong count;
static unsigned long fail_at; /* 0: none */
static bool fail_on, active;

__attribute__((constructor)) static void begin(void)
{
	const char *program = getenv("FAIL_PROGRAM"), *at = getenv("FAIL_AT");

	if (program && strcmp(program, program_invocation_short_name) != 0)
		return;
	fail_at = at ? strtoul(at, NULL, 10) : 0;
	fail_on = getenv("FAIL_ON");
	active = true;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	char text[32];
	int fd, size;

	if (!active || !path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	size = snprintf(text, sizeof(text), "%lu\n", atomic_load(&count));
	if (fd >= 0 && write(fd, text, (size_t)size) == size)
		close(fd);
}

static bool fails(void)
{
	unsigned long number;

	if (!active)
		return false;
	number = atomic_fetch_add(&count, 1) + 1;
	if (!fail_at || (fail_on ? number < fail_at : number != fail_at))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *bytes = memalign(alignment, size);

	if (!bytes)
		return ENOMEM;
	*ret = bytes;
	return 0;
}
