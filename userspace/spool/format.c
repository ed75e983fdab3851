/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/format.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "spool/bytes.h"

#define HEAD_MAGIC     "HINOSEG1"
#define FOOT_MAGIC     "HINOEND1"
#define RECORD_MAGIC   0x43524e48u /* "HNRC" */
#define FORMAT_VERSION 1
#define HEAD_COPY      (SEGMENT_HEAD_BYTES / 2)

/* magic 8, number 8, salt 8, previous end 8, zero 24, version 2, lane 2, checksum 4 */
static void head_copy_encode(const struct segment_id *id, uint8_t *out)
{
	memcpy(out, HEAD_MAGIC, 8);
	put64(out + 8, id->number);
	put64(out + 16, id->salt);
	put64(out + 24, id->previous_end);
	memset(out + 32, 0, 24);
	put16(out + 56, FORMAT_VERSION);
	put16(out + 58, (uint16_t)id->lane);
	put32(out + 60, crc32c(0, out, 60));
}

void segment_head_encode(const struct segment_id *id, uint8_t out[SEGMENT_HEAD_BYTES])
{
	head_copy_encode(id, out);
	memcpy(out + HEAD_COPY, out, HEAD_COPY);
}

/* 1: good, 0: damaged, -EPROTONOSUPPORT */
static int head_copy_decode(const uint8_t *in, struct segment_id *ret)
{
	if (memcmp(in, HEAD_MAGIC, 8) || get32(in + 60) != crc32c(0, in, 60))
		return 0;
	if (get16(in + 56) != FORMAT_VERSION)
		return -EPROTONOSUPPORT;
	if (get16(in + 58) >= LANES)
		return 0;
	ret->number = get64(in + 8);
	ret->salt = get64(in + 16);
	ret->previous_end = get64(in + 24);
	ret->lane = (enum lane)get16(in + 58);
	return 1;
}

int segment_head_decode(const uint8_t in[SEGMENT_HEAD_BYTES], struct segment_id *ret)
{
	int second = head_copy_decode(in + HEAD_COPY, ret);
	int first = head_copy_decode(in, ret);

	if (first < 0 || second < 0)
		return -EPROTONOSUPPORT;
	return first + second;
}

void segment_foot_encode(const struct segment_foot *foot, uint8_t out[SEGMENT_FOOT_BYTES])
{
	memcpy(out, FOOT_MAGIC, 8);
	put64(out + 8, foot->id.number);
	put64(out + 16, foot->id.salt);
	put64(out + 24, foot->frames);
	put64(out + 32, foot->first);
	put64(out + 40, foot->last);
	put64(out + 48, foot->offset);
	put16(out + 56, FORMAT_VERSION);
	put16(out + 58, (uint16_t)foot->id.lane);
	put32(out + 60, crc32c(0, out, 60));
}

bool segment_foot_decode(const uint8_t in[SEGMENT_FOOT_BYTES], struct segment_foot *ret)
{
	if (memcmp(in, FOOT_MAGIC, 8) || get32(in + 60) != crc32c(0, in, 60) ||
	    get16(in + 56) != FORMAT_VERSION || get16(in + 58) >= LANES)
		return false;
	ret->id.number = get64(in + 8);
	ret->id.salt = get64(in + 16);
	ret->id.lane = (enum lane)get16(in + 58);
	ret->frames = get64(in + 24);
	ret->first = get64(in + 32);
	ret->last = get64(in + 40);
	ret->offset = get64(in + 48);
	return true;
}

static uint32_t record_head_crc(const uint8_t *head, uint64_t salt, uint64_t offset)
{
	uint8_t place[16];

	put64(place, salt);
	put64(place + 8, offset);
	return crc32c(crc32c(0, place, sizeof(place)), head, 20);
}

void record_encode(const struct record *record, uint64_t salt, uint64_t offset,
		   uint8_t out[RECORD_HEAD_BYTES])
{
	put32(out, RECORD_MAGIC);
	put32(out + 4, record->length);
	put64(out + 8, record->number);
	put32(out + 16, record->body_crc);
	put32(out + 20, record_head_crc(out, salt, offset));
}

bool record_decode(const uint8_t in[RECORD_HEAD_BYTES], uint64_t salt, uint64_t offset,
		   struct record *ret)
{
	uint32_t length = get32(in + 4);

	if (get32(in) != RECORD_MAGIC || !length || length > SPOOL_FRAME_BYTES_MAX ||
	    get32(in + 20) != record_head_crc(in, salt, offset))
		return false;
	ret->length = length;
	ret->number = get64(in + 8);
	ret->body_crc = get32(in + 16);
	return true;
}

uint32_t record_body_crc(const void *frame, uint32_t length)
{
	static const uint8_t zeros[RECORD_ALIGN];

	return crc32c(crc32c(0, frame, length), zeros, body_bytes(length) - length);
}
