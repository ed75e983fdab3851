/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of ids out of a file like passwd(5) or group(5), without NSS.  Read
 * again when the file changed, which is looked at once a second at most.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

#define NAMES_FILE_MAX (16u << 20) /* a longer file is not read */

struct names;

int names_new(const char *root, const char *file, struct names **ret);
void names_free(struct names *names);
/* now_ms: any clock that goes forward. */
void names_refresh(struct names *names, uint64_t now_ms);
/* Empty when there is none; valid until the next refresh. */
ProtobufCBinaryData names_find(const struct names *names, uint32_t id);
/* Changes when names may have. */
uint64_t names_epoch(const struct names *names);
