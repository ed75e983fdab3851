/* SPDX-License-Identifier: Apache-2.0 */
/* A whole gzip stream, up to a limit. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* ret is the caller's.  -EBADMSG: not gzip, or cut; -EFBIG: larger than the limit once unpacked;
 * -ENOMEM. */
int gunzip(const void *data, size_t size, size_t limit, uint8_t **ret, size_t *ret_size);
