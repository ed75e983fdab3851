/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on disk, little-endian: head, records and foot of a segment.
 * docs/spool.md describes them; nothing else in spool/ knows an offset.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

#define SEGMENT_HEAD_BYTES 128u
#define SEGMENT_FOOT_BYTES 64u
#define RECORD_HEAD_BYTES  24u
#define RECORD_ALIGN	   8u
#define SEGMENT_BYTES_MAX  (1ull << 30) /* readers look at no more of a file */

struct segment_id {
	uint64_t number;
	uint64_t salt; /* random: what a frame holds cannot pass for a record, as nobody else knows
			  it */
	enum lane lane;
	/* where the records of the segment before end, whatever its file says; 0: as it says */
	uint64_t previous_end;
};

struct segment_foot {
	struct segment_id id;
	uint64_t frames, first, last; /* numbers of frames; all 0: none */
	uint64_t offset;	      /* of the foot itself: where the records end */
};

struct record {
	uint32_t length; /* of the frame; on disk the body is padded with zeros to 8 */
	uint32_t body_crc;
	uint64_t number;
};

static inline uint64_t body_bytes(uint32_t length)
{
	return ((uint64_t)length + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
}

static inline uint64_t record_bytes(uint32_t length)
{
	return RECORD_HEAD_BYTES + body_bytes(length);
}

void segment_head_encode(const struct segment_id *id, uint8_t out[SEGMENT_HEAD_BYTES]);
/* How many of its two copies are good, 0 to 2; -EPROTONOSUPPORT: of a later version. */
int segment_head_decode(const uint8_t in[SEGMENT_HEAD_BYTES], struct segment_id *ret);
void segment_foot_encode(const struct segment_foot *foot, uint8_t out[SEGMENT_FOOT_BYTES]);
bool segment_foot_decode(const uint8_t in[SEGMENT_FOOT_BYTES], struct segment_foot *ret);
/* The checksum of a record's head covers salt and offset: it is good in its own place only. */
void record_encode(const struct record *record, uint64_t salt, uint64_t offset,
		   uint8_t out[RECORD_HEAD_BYTES]);
bool record_decode(const uint8_t in[RECORD_HEAD_BYTES], uint64_t salt, uint64_t offset,
		   struct record *ret);
/* Of the body with its padding. */
uint32_t record_body_crc(const void *frame, uint32_t length);
