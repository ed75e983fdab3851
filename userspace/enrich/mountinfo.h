/* SPDX-License-Identifier: Apache-2.0 */
/* Where a file system is mounted, out of /proc/self/mountinfo. */
#pragma once

#include <stddef.h>

/* The first mount point of its type, unescaped, to ret.  -ENOENT: none; -errno. */
int mountinfo_find(const char *type, char *ret, size_t size);
/* The same for one line: 0, -ENOENT when it is of another type, -EBADMSG. */
int mountinfo_line(const char *line, const char *type, char *ret, size_t size);
