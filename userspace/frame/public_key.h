/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as files: 64 hex digits and a newline, as identity.pub and receipt.pub have them. */
#pragma once

#include <stdint.h>

#define PUBLIC_KEY_BYTES 32

/* 64 hex digits, a newline behind them or nothing.  -EBADMSG */
int public_key_parse(const char *text, uint8_t ret[PUBLIC_KEY_BYTES]);
/* dir: of a relative name, or AT_FDCWD.  -EBADMSG: the file holds something else. */
int public_key_read(int dir, const char *name, uint8_t ret[PUBLIC_KEY_BYTES]);
/* Whole or not at all, and on disk when it returns; the file may be read by all. */
int public_key_write(int dir, const char *name, const uint8_t key[PUBLIC_KEY_BYTES]);
