/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and runs the other programs of hinomi. */
#pragma once

#include <limits.h>

/* Path of a program of the libexec directory; -ENOENT where there is none. */
int libexec_find(const char *program, char path[PATH_MAX]);
/* Becomes the program; comes back only when it could not, with an exit status. */
int libexec_become(const char *program, int argc, char **argv);
