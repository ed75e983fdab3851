/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/judge.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"

/* small messages unpack to many times their size: no good header needs more */
#define MEMORY_MAX (64u << 20)

struct memory {
	ProtobufCAllocator allocator;
	size_t left;
	bool is_short; /* of the system's, not of ours */
};

static void *limited_alloc(void *ctx, size_t size)
{
	struct memory *memory = ctx;
	void *p;

	if (size > memory->left)
		return NULL;
	memory->left -= size;
	p = malloc(size);
	memory->is_short |= !p;
	return p;
}

static void limited_free(void *ctx, void *data)
{
	(void)ctx;
	free(data);
}

static bool has_identity(const Hinomi__FrameHeader *header)
{
	return header->sensor_id.len == ID_BYTES && header->boot_id.len == ID_BYTES &&
	       header->rings_id.len == ID_BYTES && header->payload_sha256.len == HASH_BYTES &&
	       header->number;
}

static Hinomi__FrameHeader *unpack_header(const Hinomi__Frame *raw, struct memory *memory,
					  struct diagnosis *ret)
{
	Hinomi__FrameHeader *header =
		hinomi__frame_header__unpack(&memory->allocator, raw->header.len, raw->header.data);

	if (header && !has_identity(header)) {
		hinomi__frame_header__free_unpacked(header, NULL);
		header = NULL;
	}
	if (header && !SHA256(raw->header.data, raw->header.len, ret->hash))
		memory->is_short = true;
	return header;
}

static const char *fault(const Hinomi__Frame *raw, const Hinomi__FrameHeader *header, size_t size,
			 struct memory *memory)
{
	uint8_t digest[HASH_BYTES] = {0};

	if (!SHA256(raw->payload.data, raw->payload.len, digest))
		memory->is_short = true;
	if (memcmp(digest, header->payload_sha256.data, HASH_BYTES))
		return "the payload is not the one that its header names: bytes were changed";
	if (raw->base.n_unknown_fields || hinomi__frame__get_packed_size(raw) != size)
		return "there are bytes around header and payload that belong to neither";
	if (raw->signature.len)
		return "it has a signature that its header does not announce";
	return "the header contradicts itself";
}

int diagnose(const void *bytes, size_t size, int error, struct diagnosis *ret)
{
	struct memory memory = {{limited_alloc, limited_free, &memory}, MEMORY_MAX, false};
	Hinomi__Frame *raw;

	*ret = (struct diagnosis){.text = "the bytes are no frame"};
	if (size > FRAME_BYTES_MAX)
		return 0;
	raw = hinomi__frame__unpack(&memory.allocator, size, bytes);
	if (!raw)
		return memory.is_short ? -ENOMEM : 0;
	ret->header = unpack_header(raw, &memory, ret);
	if (error == -EPROTONOSUPPORT)
		ret->text = "its version, encoding or algorithm is not known here";
	else if (ret->header)
		ret->text = fault(raw, ret->header, size, &memory);
	else
		ret->text = "its header is no header";
	hinomi__frame__free_unpacked(raw, NULL);
	return memory.is_short ? -ENOMEM : 0;
}

void diagnosis_done(struct diagnosis *diagnosis)
{
	if (diagnosis->header)
		hinomi__frame_header__free_unpacked(diagnosis->header, NULL);
}
