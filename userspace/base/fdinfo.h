/* SPDX-License-Identifier: Apache-2.0 */
/* Lines "name:\tnumber" of a file below /proc/PID/fdinfo. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* For later, when this process may not open it any more; -errno. */
int fdinfo_open(int fd);
/* Of an open fdinfo, as it is now; -ENODATA: it has no such line. */
int fdinfo_number(int info, const char *name, uint64_t *ret);
/* n of them, all of the same moment. */
int fdinfo_numbers(int info, const char *const *names, size_t n, uint64_t *ret);
