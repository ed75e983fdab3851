/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a spool, what is there, and who writes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

#define SEGMENT_NAME_BYTES sizeof("0123456789abcdef.seg")

struct segment_entry {
	uint64_t number, bytes;
	int64_t written_ns; /* boot clock: when it was written last, may be before the boot */
};

const char *lane_name(enum lane lane);
void segment_name(uint64_t number, char out[SEGMENT_NAME_BYTES]);
/* Makes it where it is missing (0750), with the group that may read (-1: none): a descriptor. */
int directory_make(int parent, const char *path, int reader_gid);
/* A descriptor of DIR and of a lane in it, to read. */
int directory_open(const char *path);
int directory_open_lane(int spool, enum lane lane);
/* Opens a small file of fixed size, made with zeros and synced where it is missing. */
int directory_make_file(int dir, const char *name, size_t size, int reader_gid);
/* Gives the group the right to read it, whatever the umask was. */
int directory_admit_file(int fd, int reader_gid);

/* Ascending; *ret is the caller's. */
int directory_segments(int dir, struct segment_entry **ret, size_t *count);
/* 1 and the lowest number that is at least from; 0: none. */
int directory_next_segment(int dir, uint64_t from, uint64_t *ret);
/* 1 and the highest number below before; 0: none. */
int directory_last_segment(int dir, uint64_t before, uint64_t *ret);

/* A descriptor that holds the lock; -EBUSY. */
int directory_lock(int spool, int reader_gid);
/* Whether a writer holds it; true also when that cannot be told. */
bool directory_is_locked(int spool);
