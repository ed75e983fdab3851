/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far one sink has got in one lane: two lines of text with checksums, written
 * in turn and synced, so that one is whole whenever the machine stops. The file
 * stays open: a cursor that was made anew each time would be an event of its own,
 * and delivering that one the next.
 */
#pragma once

#include <stdint.h>

#include "spool/spool.h"

struct cursor {
	uint8_t sensor_id[16];
	uint64_t frame;	  /* number of the last frame that was acknowledged whole; 0: none */
	uint8_t hash[32]; /* of its header; zero: not known */
	uint32_t events;  /* of the frame behind it that were acknowledged as well */
	struct spool_position at; /* where the frame behind it begins; zero: the oldest there is */
};

struct cursor_file {
	int fd;		     /* -1: not open */
	uint64_t generation; /* of the line written last */
};

/* 0 and the cursor; -ENOENT: there was none, -EBADMSG: it was damaged, and in both cases the file
 * is open for saving; other -errno. */
int cursor_open(int dir, const char *name, struct cursor_file *file, struct cursor *ret);
void cursor_close(struct cursor_file *file);
/* On disk when it returns 0; the one before is whole otherwise. */
int cursor_save(struct cursor_file *file, const struct cursor *cursor);
