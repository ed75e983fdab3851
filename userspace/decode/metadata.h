/* SPDX-License-Identifier: Apache-2.0 */
/* A request to a cloud's metadata service (HTTP/1), out of bytes that any process may have sent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

/* Only what kind of request it is: nothing of path, headers or body is kept. */
void metadata_parse(const uint8_t *bytes, size_t size, Hinomi__MetadataRequest *to);
