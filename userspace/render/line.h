/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Widths on a terminal.  Text here is UTF-8 that went through escape_text, with colour
 * sequences (ESC [ ... m) of our own in it, which take no room and are never cut.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define STYLE_END "\033[0m"

/* Columns that the text takes. */
size_t line_width(const char *text);
/* Writes it whole when it fits, else head and tail with … between. */
void line_cut_middle(FILE *out, const char *text, size_t columns);
