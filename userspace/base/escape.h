/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing hostile bytes.  Both forms are reversible: bytes that are not UTF-8
 * become \xNN and a backslash becomes \\.  C0, DEL, C1, and the characters that
 * turn text around (bidi controls, zero-width) never reach a terminal as such.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* For a terminal: such characters become \n, \t, \e, \xNN or \u{NNNN}. */
void escape_text(FILE *out, const void *data, size_t size);
/* For the inside of a JSON string: they become \uNNNN as JSON has it. */
void escape_json(FILE *out, const void *data, size_t size);
bool is_utf8(const void *data, size_t size);
/* For a wire that takes any UTF-8: what a JSON parser makes of escape_json's output.  ret has room
 * for 4 bytes per byte; how many were written. */
size_t escape_utf8(const void *data, size_t size, char *ret);
/* Back to the bytes: of escape_text's output, or of a JSON string that escape_json wrote once a
 * JSON parser has decoded it.  ret has room for size bytes and may be text itself; how many were
 * written, or -EINVAL. */
ssize_t unescape(const char *text, size_t size, void *ret);
