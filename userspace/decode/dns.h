/* SPDX-License-Identifier: Apache-2.0 */
/* A message of DNS (RFC 1035), out of bytes that anybody on the network may have made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

struct source;

/* Fills what the bytes say; what they do not say whole is left out and sets `malformed`, or is
 * expected where `cut` says that the message was longer than what is here. */
void dns_parse(struct source *source, const uint8_t *bytes, size_t size, bool cut, Hinomi__Dns *to);
