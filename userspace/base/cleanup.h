/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-bound release: CLEANUP(x_free) struct x *p; and handing over with TAKE. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn##_at)))

#define TAKE(p)                         \
	({                              \
		__typeof__(p) p_ = (p); \
		(p) = NULL;             \
		p_;                     \
	})

#define TAKE_FD(fd)             \
	({                      \
		int fd_ = (fd); \
		(fd) = -1;      \
		fd_;            \
	})

/* gives a type's x_free(type *) the form that CLEANUP needs */
#define DEFINE_CLEANUP(type, fn)            \
	static inline void fn##_at(type *p) \
	{                                   \
		if (*p)                     \
			fn(*p);             \
	}                                   \
	struct cleanup_needs_semicolon_##fn

static inline void close_fd_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_at(void *p)
{
	free(*(void **)p);
}

DEFINE_CLEANUP(FILE *, fclose);
DEFINE_CLEANUP(DIR *, closedir);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))
