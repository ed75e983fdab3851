/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/frame.h"

#include <errno.h>
#include <hinomi/kinds.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "frame/delta.h"
#include "frame/memory.h"

#define VERSION 1

/* protobuf-c gives NULL for bad bytes, and when it has asked for more than any good frame needs. */
static int unpack(struct frame *frame, const ProtobufCMessageDescriptor *type,
		  ProtobufCBinaryData bytes, void *ret)
{
	ProtobufCMessage *message =
		protobuf_c_message_unpack(type, &frame->memory->allocator, bytes.len, bytes.data);

	if (!message)
		return frame->memory->is_short ? -ENOMEM : -EBADMSG;
	memcpy(ret, &message, sizeof(message));
	return 0;
}

static bool is_size(ProtobufCBinaryData bytes, size_t size)
{
	return bytes.len == size;
}

static int check_known(const Hinomi__FrameHeader *header)
{
	if (!header->version)
		return -EBADMSG;
	if (header->version != VERSION)
		return -EPROTONOSUPPORT;
	if ((unsigned)header->encoding > HINOMI__ENCODING__ENCODING_DELTA_ZSTD)
		return -EPROTONOSUPPORT;
	if (header->algorithm != HINOMI__ALGORITHM__ALGORITHM_NONE &&
	    header->algorithm != HINOMI__ALGORITHM__ALGORITHM_ED25519)
		return -EPROTONOSUPPORT;
	return 0;
}

/* Sizes only: who may sign is the reader's to say. */
static bool has_sane_keys(const Hinomi__FrameHeader *header, ProtobufCBinaryData signature)
{
	const Hinomi__KeyCertificate *certificate = header->certificate;

	if (header->algorithm == HINOMI__ALGORITHM__ALGORITHM_NONE)
		return !signature.len && !header->key_id.len && !header->next_key.len &&
		       !certificate;
	if (!is_size(signature, 64) || !is_size(header->key_id, 8))
		return false;
	if (header->next_key.len && !is_size(header->next_key, 32))
		return false;
	return !certificate ||
	       (is_size(certificate->public_key, 32) && is_size(certificate->identity, 32) &&
		is_size(certificate->signature, 64));
}

static bool has_sane_lists(const Hinomi__FrameHeader *header)
{
	if (header->n_sequences > FRAME_SEQUENCES_MAX || header->n_ledger > FRAME_ROWS_MAX ||
	    header->n_clocks > FRAME_CLOCKS_MAX)
		return false;
	for (size_t i = 0; i < header->n_sequences; i++)
		if (header->sequences[i]->first > header->sequences[i]->last)
			return false;
	return true;
}

static bool is_compressed(const Hinomi__FrameHeader *header)
{
	return header->encoding == HINOMI__ENCODING__ENCODING_ZLIB ||
	       header->encoding == HINOMI__ENCODING__ENCODING_DELTA_ZSTD;
}

static bool is_delta(const Hinomi__FrameHeader *header)
{
	return header->encoding == HINOMI__ENCODING__ENCODING_DELTA ||
	       header->encoding == HINOMI__ENCODING__ENCODING_DELTA_ZSTD;
}

static int check_header(const Hinomi__FrameHeader *header, ProtobufCBinaryData payload)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	if (!is_size(header->sensor_id, 16) || !is_size(header->boot_id, 16) ||
	    !is_size(header->rings_id, 16) || !is_size(header->payload_sha256, 32))
		return -EBADMSG;
	if (!header->number || !is_size(header->previous, header->number == 1 ? 0 : 32))
		return -EBADMSG;
	if ((unsigned)header->lane >= LANES || header->payload_size > FRAME_PAYLOAD_MAX)
		return -EBADMSG;
	if (!is_compressed(header) && header->payload_size != payload.len)
		return -EBADMSG;
	if (!has_sane_lists(header))
		return -EBADMSG;
	if (!SHA256(payload.data, payload.len, digest))
		return -ENOMEM;
	return memcmp(digest, header->payload_sha256.data, sizeof(digest)) ? -EBADMSG : 0;
}

/* A frame is these bytes and no others: no unknown field, none twice, no long form of a length. */
static bool is_exact(const Hinomi__Frame *raw, size_t size)
{
	return !raw->base.n_unknown_fields && hinomi__frame__get_packed_size(raw) == size;
}

int frame_read(const void *data, size_t size, struct frame **ret)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	Hinomi__Frame *raw;
	int r;

	if (size > FRAME_BYTES_MAX)
		return -EBADMSG;
	frame = calloc(1, sizeof(*frame));
	if (!frame)
		return -ENOMEM;
	frame->memory = frame_memory_new(FRAME_MEMORY_MAX);
	if (!frame->memory)
		return -ENOMEM;
	r = unpack(frame, &hinomi__frame__descriptor,
		   (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data}, &raw);
	if (!r && !is_exact(raw, size))
		r = -EBADMSG;
	if (!r)
		r = unpack(frame, &hinomi__frame_header__descriptor, raw->header, &frame->header);
	if (!r)
		r = check_known(frame->header);
	if (!r && !has_sane_keys(frame->header, raw->signature))
		r = -EBADMSG;
	if (!r)
		r = check_header(frame->header, raw->payload);
	if (!r && !SHA256(raw->header.data, raw->header.len, frame->hash))
		r = -ENOMEM;
	if (r)
		return r;
	frame->encoded = raw->payload;
	frame->signature = raw->signature;
	*ret = TAKE(frame);
	return 0;
}

static int inflate_zlib(ProtobufCBinaryData from, uint8_t *to, size_t size)
{
	z_stream zlib = {.next_in = from.data, .avail_in = (unsigned)from.len};
	int r;

	if (inflateInit(&zlib) != Z_OK)
		return -ENOMEM;
	zlib.next_out = to;
	zlib.avail_out = (unsigned)size;
	r = inflate(&zlib, Z_FINISH);
	inflateEnd(&zlib);
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return r == Z_STREAM_END && !zlib.avail_out && !zlib.avail_in ? 0 : -EBADMSG;
}

/* In one go, so that what it takes does not depend on the window that the stream asks for. */
static int inflate_zstd(ProtobufCBinaryData from, uint8_t *to, size_t size)
{
	ZSTD_DCtx *zstd;
	size_t n;

	if (ZSTD_findFrameCompressedSize(from.data, from.len) != from.len)
		return -EBADMSG;
	zstd = ZSTD_createDCtx();
	if (!zstd)
		return -ENOMEM;
	n = ZSTD_decompressDCtx(zstd, to, size, from.data, from.len);
	ZSTD_freeDCtx(zstd);
	return n == size ? 0 : -EBADMSG;
}

/* The payload's bytes as they were before compression; no more than the header said. */
static int decode(struct frame *frame, ProtobufCBinaryData *ret)
{
	size_t size = frame->header->payload_size;
	uint8_t *data;
	int r;

	if (!is_compressed(frame->header)) {
		*ret = frame->encoded;
		return 0;
	}
	data = arena_alloc(&frame->memory->arena, size); /* far below the limit */
	if (!data)
		return -ENOMEM;
	r = is_delta(frame->header) ? inflate_zstd(frame->encoded, data, size)
				    : inflate_zlib(frame->encoded, data, size);
	if (r)
		return r;
	*ret = (ProtobufCBinaryData){.len = size, .data = data};
	return 0;
}

static bool has_sane_events(const struct frame *frame, const Hinomi__Payload *payload)
{
	if (payload->n_events != frame->header->events)
		return false;
	for (size_t i = 0; i < payload->n_events; i++)
		if (payload->events[i]->process > payload->n_processes ||
		    payload->events[i]->lane != frame->header->lane)
			return false;
	return true;
}

int frame_open_payload(struct frame *frame)
{
	Hinomi__Payload *payload;
	ProtobufCBinaryData bytes;
	int r;

	if (frame->payload)
		return 0;
	r = decode(frame, &bytes);
	if (r)
		return r;
	if (is_delta(frame->header))
		r = delta_read(frame->memory, bytes.data, bytes.len, frame->header->events,
			       &payload);
	else
		r = unpack(frame, &hinomi__payload__descriptor, bytes, &payload);
	if (r)
		return r;
	if (!has_sane_events(frame, payload))
		return -EBADMSG;
	frame->payload = payload;
	return 0;
}

void frame_free(struct frame *frame)
{
	if (!frame)
		return;
	frame_memory_free(frame->memory);
	free(frame);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

uint64_t frame_real_ns(const struct frame *frame, uint64_t boot_ns)
{
	const Hinomi__ClockPair *nearest = NULL;

	for (size_t i = 0; i < frame->header->n_clocks; i++) {
		const Hinomi__ClockPair *pair = frame->header->clocks[i];

		if (!nearest ||
		    distance(pair->boot_ns, boot_ns) < distance(nearest->boot_ns, boot_ns))
			nearest = pair;
	}
	return nearest ? nearest->real_ns + (boot_ns - nearest->boot_ns) : 0;
}
