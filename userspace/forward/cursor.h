/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far one sink has got in one lane: a line of text with a checksum, replaced
 * as a whole and synced, so that a cursor never claims more than was acknowledged.
 */
#pragma once

#include <stdint.h>

#include "spool/spool.h"

struct cursor {
	uint8_t sensor_id[16];
	uint64_t frame;	 /* number of the last frame that was acknowledged whole; 0: none */
	uint32_t events; /* of the frame behind it that were acknowledged as well */
	struct spool_position at; /* where the frame behind it begins; zero: the oldest there is */
};

/* -ENOENT: there is none; -EBADMSG: it is damaged. */
int cursor_load(int dir, const char *name, struct cursor *ret);
/* On disk when it returns 0; the old one is whole otherwise. */
int cursor_save(int dir, const char *name, const struct cursor *cursor);
