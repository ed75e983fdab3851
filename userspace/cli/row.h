/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames in a row, as `hinomi spool export` writes them and POST /v1/frames takes them: each a
 * 32-bit little-endian length and that many bytes of a Frame.  What comes out of a message queue
 * is put in a row in the order in which it came.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct row_reader;

int row_open(FILE *file, struct row_reader **ret); /* borrowed */
void row_free(struct row_reader *row);
/* 1: the next frame's bytes, valid until the next call; 0: the end; -EBADMSG: no such row from here
 * on; -ENOMEM; -EIO. */
int row_next(struct row_reader *row, const void **frame, size_t *size);
uint64_t row_at(const struct row_reader *row); /* where the frame last read begins */
/* 0, -errno */
int row_write(FILE *file, const void *frame, size_t size);

DEFINE_CLEANUP(struct row_reader *, row_free);
