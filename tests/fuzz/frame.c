/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames as foreign bytes, twice: as they are, and, since no mutation guesses a
 * hash, as the payload of a frame whose hash is right.  Input: one byte, encoding
 * (2 bits), lane, and how many events or how long it is, of that frame, and its
 * payload; or a whole frame.
 */
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"

static uint64_t sum; /* so that what was read counts as used */

static void use_bytes(ProtobufCBinaryData bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		sum += bytes.data[i];
}

/* Touches everything, as rendering and exporting do. */
static void use_message(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const uint8_t *base = (const uint8_t *)message, *value = base + field->offset;
		const void *quantifier = base + field->quantifier_offset;
		int repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
		size_t n = repeated ? *(const size_t *)quantifier : 1;

		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    *(const uint32_t *)quantifier != field->id)
			continue;
		if (repeated)
			value = *(const uint8_t *const *)value;
		for (size_t j = 0; j < n; j++) {
			if (field->type == PROTOBUF_C_TYPE_BYTES)
				use_bytes(((const ProtobufCBinaryData *)value)[j]);
			else if (field->type == PROTOBUF_C_TYPE_STRING)
				sum += strlen(((const char *const *)value)[j]);
			else if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
				 ((const ProtobufCMessage *const *)value)[j])
				use_message(((const ProtobufCMessage *const *)value)[j]);
		}
	}
}

static void read_frame(const uint8_t *data, size_t size)
{
	struct frame *frame = NULL;

	if (frame_read(data, size, &frame))
		return;
	use_message(&frame->header->base);
	if (!frame_open_payload(frame)) {
		use_message(&frame->payload->base);
		for (size_t i = 0; i < frame->payload->n_events; i++) {
			const Hinomi__Event *event = frame->payload->events[i];

			if (event->process)
				use_message(&frame->payload->processes[event->process - 1]->base);
			sum += frame_real_ns(frame, event->time_ns);
		}
	}
	frame_free(frame);
}

static uint32_t count_events(const uint8_t *data, size_t size)
{
	Hinomi__Payload *payload = hinomi__payload__unpack(NULL, size, data);
	uint32_t events = payload ? (uint32_t)payload->n_events : 0;

	if (payload)
		hinomi__payload__free_unpacked(payload, NULL);
	return events;
}

static void read_payload(uint8_t how, const uint8_t *data, size_t size)
{
	static uint8_t id[16];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	Hinomi__Frame frame = HINOMI__FRAME__INIT;
	uint8_t *bytes;

	SHA256(data, size, digest);
	header.version = header.number = 1;
	header.sensor_id = header.boot_id = header.rings_id =
		(ProtobufCBinaryData){.len = sizeof(id), .data = id};
	header.payload_sha256 = (ProtobufCBinaryData){.len = sizeof(digest), .data = digest};
	header.encoding = how & 3;
	header.lane = how >> 2 & 1;
	header.payload_size = how & 1 ? (uint64_t)how >> 3 << 7 : size;
	header.events = how & 2 ? how >> 3 : how & 1 ? 0 : count_events(data, size);
	frame.header.len = hinomi__frame_header__get_packed_size(&header);
	frame.header.data = malloc(frame.header.len);
	hinomi__frame_header__pack(&header, frame.header.data);
	frame.payload = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
	bytes = malloc(hinomi__frame__get_packed_size(&frame));
	read_frame(bytes, hinomi__frame__pack(&frame, bytes));
	free(bytes);
	free(frame.header.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_frame(data, size);
	if (size)
		read_payload(data[0], data + 1, size - 1);
	return 0;
}
