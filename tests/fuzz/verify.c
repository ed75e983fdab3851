/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier on frames that are made right where no mutation would guess it: hash of the payload,
 * and, as the first byte of each piece says, number and previous hash.  Input: pieces of (flags,
 * two bytes of length, header, two bytes of length, payload).
 */
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verifier.h"
#include "frame.pb-c.h"

enum { BULK = 1, CHAINED = 2, COUNTED = 4, AS_IT_IS = 8 };

struct chain {
	uint64_t number;
	uint8_t hash[SHA256_DIGEST_LENGTH];
};

struct input {
	const uint8_t *data;
	size_t size;
};

static ProtobufCBinaryData take(struct input *input, size_t size)
{
	ProtobufCBinaryData taken;

	if (size > input->size)
		size = input->size;
	taken = (ProtobufCBinaryData){.data = (uint8_t *)input->data, .len = size};
	input->data += size;
	input->size -= size;
	return taken;
}

static ProtobufCBinaryData take_piece(struct input *input)
{
	ProtobufCBinaryData length = take(input, 2);

	return take(input, length.len == 2 ? length.data[0] | (size_t)length.data[1] << 8 : 0);
}

static void set(ProtobufCBinaryData *field, const void *data, size_t size)
{
	field->data = realloc(field->data, size ? size : 1);
	if (size)
		memcpy(field->data, data, size);
	field->len = size;
}

static void make_right(Hinomi__FrameHeader *header, uint8_t flags, ProtobufCBinaryData payload,
		       struct chain *chain)
{
	static const uint8_t id[16];
	uint8_t digest[SHA256_DIGEST_LENGTH];

	header->version = 1;
	header->lane = flags & BULK ? HINOMI__LANE__LANE_BULK : HINOMI__LANE__LANE_KEEP;
	header->encoding = HINOMI__ENCODING__ENCODING_PLAIN;
	header->payload_size = payload.len;
	set(&header->payload_sha256, SHA256(payload.data, payload.len, digest), sizeof(digest));
	if (header->sensor_id.len != sizeof(id))
		set(&header->sensor_id, id, sizeof(id));
	if (header->boot_id.len != sizeof(id))
		set(&header->boot_id, id, sizeof(id));
	if (header->rings_id.len != sizeof(id))
		set(&header->rings_id, id, sizeof(id));
	if (flags & COUNTED || !header->number)
		header->number = ++chain->number;
	chain->number = header->number;
	if (flags & CHAINED)
		set(&header->previous, chain->hash, header->number == 1 ? 0 : sizeof(chain->hash));
}

static void give(struct verifier *verifier, Hinomi__FrameHeader *header, uint8_t flags,
		 ProtobufCBinaryData payload, struct chain *chain)
{
	Hinomi__Frame frame = HINOMI__FRAME__INIT;
	uint8_t *bytes;

	make_right(header, flags, payload, chain);
	frame.payload = payload;
	frame.header.len = hinomi__frame_header__get_packed_size(header);
	frame.header.data = malloc(frame.header.len + 1);
	hinomi__frame_header__pack(header, frame.header.data);
	SHA256(frame.header.data, frame.header.len, chain->hash);
	bytes = malloc(hinomi__frame__get_packed_size(&frame) + 1);
	verifier_frame(verifier, flags & BULK ? LANE_BULK : LANE_KEEP, bytes,
		       hinomi__frame__pack(&frame, bytes), "here");
	free(bytes);
	free(frame.header.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct input input = {data, size};
	struct chain chains[LANES] = {0};
	struct verifier *verifier;

	if (!null)
		null = fopen("/dev/null", "we");
	if (verifier_new(null, &verifier))
		return 0;
	while (input.size) {
		uint8_t flags = take(&input, 1).data[0];
		ProtobufCBinaryData head = take_piece(&input), payload = take_piece(&input);
		Hinomi__FrameHeader *header = NULL;

		if (!(flags & AS_IT_IS))
			header = hinomi__frame_header__unpack(NULL, head.len, head.data);
		if (header)
			give(verifier, header, flags, payload, &chains[flags & BULK]);
		else
			verifier_frame(verifier, flags & BULK ? LANE_BULK : LANE_KEEP, head.data,
				       head.len, "here");
		if (header)
			hinomi__frame_header__free_unpacked(header, NULL);
	}
	verifier_end(verifier);
	verifier_free(verifier);
	return 0;
}
