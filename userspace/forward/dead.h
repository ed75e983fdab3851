/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that a back end refused for good: a line of JSON each, in a file that is
 * moved aside when it is full, so that the newest 32 MiB at least are kept.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DEAD_FILE_BYTES (32u << 20)

struct dead {
	int dir;	  /* borrowed */
	const char *sink; /* borrowed */
	int fd;
	uint64_t size;
};

void dead_init(struct dead *dead, int dir, const char *sink);
void dead_done(struct dead *dead);
/* record: an encoded otlp.LogRecord; reason: free of hostile bytes.  Not yet synced. */
int dead_add(struct dead *dead, const uint8_t *record, size_t size, long status,
	     const char *reason);
int dead_sync(struct dead *dead);
/* Name of the file in the directory. */
void dead_name(const struct dead *dead, char *ret, size_t room);
