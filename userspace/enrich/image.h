/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process runs: path and the beginning of its arguments.  Never changed
 * once made, so that all children of a process share it; counted references.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

#define IMAGE_ARGS_MAX 512 /* bytes of arguments that are kept, each with its NUL */

struct image {
	unsigned refs;
	bool args_truncated;
	uint16_t path_size;
	uint16_t args_size;
	uint16_t nargs;
	char data[]; /* path, then the arguments, each with its NUL */
};

/* NULL when there is no memory. */
struct image *image_new(const Hinomi__Exec *exec);
struct image *image_ref(struct image *image); /* NULL is fine */
void image_unref(struct image *image);	      /* NULL is fine */
