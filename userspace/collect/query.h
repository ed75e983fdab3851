/* SPDX-License-Identifier: Apache-2.0 */
/* The small texts of requests: identities, lanes, ranges. */
#pragma once

#include <hinomi/kinds.h>
#include <stddef.h>
#include <stdint.h>

#define ID_BYTES 16

/* 32 hex digits; -EINVAL. */
int query_id(const char *text, uint8_t ret[ID_BYTES]);
void query_id_text(const uint8_t id[ID_BYTES], char ret[2 * ID_BYTES + 1]);
/* keep or bulk; -EINVAL. */
int query_lane(const char *text, enum lane *ret);
const char *query_lane_text(enum lane lane);
/* "FROM-TO", 1 to 2^64 - 1; -EINVAL. */
int query_range(const char *text, uint64_t *from, uint64_t *to);
/* "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT"; -EINVAL.  address has room for size bytes. */
int query_listen(const char *text, char *address, size_t size, char port[6]);
