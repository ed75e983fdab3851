/* SPDX-License-Identifier: Apache-2.0 */
/* One segment while it is written: head, records, foot. */
#pragma once

#include <stdint.h>

#include "spool/format.h"

struct segment {
	int fd; /* -1: none */
	struct segment_id id;
	uint64_t offset; /* where the next record goes */
	uint64_t size;	 /* of the file: more than offset where the disk could set it aside */
	uint64_t frames, first, last;
};

#define SEGMENT_NONE ((struct segment){.fd = -1})

/* Bytes set aside in a file; 0 where the file system cannot. */
int segment_set_aside(int fd, uint64_t size, uint64_t *ret);
/* A new file of `size` bytes set aside, not yet synced, with a salt of its own.  Leaves nothing
 * behind when it fails. */
int segment_create(int dir, struct segment_id id, uint64_t size, int reader_gid,
		   struct segment *ret);
/* Of a file `name` that has these bytes set aside and holds nothing. */
int segment_adopt(int dir, const char *name, struct segment_id id, uint64_t size,
		  struct segment *ret);
/* After an error the bytes behind `offset` are undefined: finish it. */
int segment_append(struct segment *segment, const struct record *record, const void *frame);
/* Cuts it to size and closes it with a foot, or without one when the disk takes none. */
void segment_finish(struct segment *segment);
