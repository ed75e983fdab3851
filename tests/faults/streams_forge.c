/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody can write who has some of the keys, all of them, or none. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"
#include "streams.h"

static void must(bool good)
{
	if (!good)
		abort();
}

static Hinomi__Frame *open_frame(const struct stored *frame, Hinomi__FrameHeader **header)
{
	Hinomi__Frame *open = hinomi__frame__unpack(NULL, frame->size, frame->bytes);

	must(open);
	*header = hinomi__frame_header__unpack(NULL, open->header.len, open->header.data);
	must(*header);
	return open;
}

static void close_frame(struct stored *frame, Hinomi__Frame *open, Hinomi__FrameHeader *header)
{
	free(open->header.data);
	open->header.len = hinomi__frame_header__get_packed_size(header);
	open->header.data = malloc(open->header.len);
	hinomi__frame_header__pack(header, open->header.data);
	free(frame->bytes);
	frame->size = hinomi__frame__get_packed_size(open);
	frame->bytes = malloc(frame->size);
	hinomi__frame__pack(open, frame->bytes);
	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame__free_unpacked(open, NULL);
}

/* As protobuf, so that it can be changed. */
static Hinomi__Payload *open_payload(const struct stored *stored)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	Hinomi__Payload *payload;
	uint8_t *plain;
	size_t size;

	must(!frame_read(stored->bytes, stored->size, &frame) && !frame_open_payload(frame));
	size = hinomi__payload__get_packed_size(frame->payload);
	plain = malloc(size + 1);
	hinomi__payload__pack(frame->payload, plain);
	payload = hinomi__payload__unpack(NULL, size, plain);
	free(plain);
	must(payload);
	return payload;
}

void forge_frame(struct stored *stored, change_fn change)
{
	Hinomi__FrameHeader *header;
	Hinomi__Frame *frame = open_frame(stored, &header);
	Hinomi__Payload *payload = open_payload(stored);

	change(header, payload);
	free(frame->payload.data);
	frame->payload.len = hinomi__payload__get_packed_size(payload);
	frame->payload.data = malloc(frame->payload.len + 1);
	hinomi__payload__pack(payload, frame->payload.data);
	header->encoding = HINOMI__ENCODING__ENCODING_PLAIN;
	header->payload_size = frame->payload.len;
	SHA256(frame->payload.data, frame->payload.len, header->payload_sha256.data);
	hinomi__payload__free_unpacked(payload, NULL);
	close_frame(stored, frame, header);
}

void frame_hash(const struct stored *stored, uint8_t ret[32])
{
	Hinomi__Frame *frame = hinomi__frame__unpack(NULL, stored->size, stored->bytes);

	must(frame);
	SHA256(frame->header.data, frame->header.len, ret);
	hinomi__frame__free_unpacked(frame, NULL);
}

uint64_t frame_number(const struct stored *stored)
{
	Hinomi__FrameHeader *header;
	Hinomi__Frame *frame = open_frame(stored, &header);
	uint64_t number = header->number;

	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame__free_unpacked(frame, NULL);
	return number;
}

bool frame_begins_boot(const struct stored *stored, const struct stored *before)
{
	Hinomi__FrameHeader *header, *last;
	Hinomi__Frame *frame = open_frame(stored, &header), *previous = open_frame(before, &last);
	bool begins = memcmp(header->boot_id.data, last->boot_id.data, 16) != 0;

	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame_header__free_unpacked(last, NULL);
	hinomi__frame__free_unpacked(frame, NULL);
	hinomi__frame__free_unpacked(previous, NULL);
	return begins;
}

static void set_bytes(ProtobufCBinaryData *to, const void *bytes, size_t size)
{
	free(to->data);
	to->data = size ? malloc(size) : NULL;
	to->len = size;
	if (size)
		memcpy(to->data, bytes, size);
}

static void sign(EVP_PKEY *key, const void *text, size_t size, ProtobufCBinaryData *to)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[64];
	size_t got = sizeof(signature);

	must(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestSign(ctx, signature, &got, text, size) == 1);
	EVP_MD_CTX_free(ctx);
	set_bytes(to, signature, sizeof(signature));
}

static void public_of(EVP_PKEY *key, uint8_t ret[32])
{
	size_t size = 32;

	must(EVP_PKEY_get_raw_public_key(key, ret, &size) == 1);
}

static void certify(Hinomi__FrameHeader *header, EVP_PKEY *identity, const uint8_t public[32],
		    uint64_t first)
{
	Hinomi__KeyCertificate *certificate = calloc(1, sizeof(*certificate));
	uint8_t text[12 + 3 * 16 + 1 + 8 + 32], *at = text, own[32];

	hinomi__key_certificate__init(certificate);
	at = (uint8_t *)mempcpy(at, "hinomi-key-1", 12);
	at = (uint8_t *)mempcpy(at, header->sensor_id.data, 16);
	at = (uint8_t *)mempcpy(at, header->boot_id.data, 16);
	at = (uint8_t *)mempcpy(at, header->rings_id.data, 16);
	*at++ = (uint8_t)header->lane;
	for (int i = 0; i < 8; i++)
		*at++ = (uint8_t)(first >> 8 * i);
	memcpy(at, public, 32);
	public_of(identity, own);
	certificate->first_number = first;
	set_bytes(&certificate->public_key, public, 32);
	set_bytes(&certificate->identity, own, 32);
	sign(identity, text, sizeof(text), &certificate->signature);
	header->certificate = certificate;
}

static void set_signer(Hinomi__FrameHeader *header, EVP_PKEY *with, EVP_PKEY *identity,
		       uint64_t first)
{
	uint8_t public[32], digest[32];

	if (header->certificate)
		hinomi__key_certificate__free_unpacked(header->certificate, NULL);
	header->certificate = NULL;
	set_bytes(&header->next_key, NULL, 0);
	set_bytes(&header->key_id, NULL, 0);
	header->algorithm = HINOMI__ALGORITHM__ALGORITHM_NONE;
	if (!with)
		return;
	public_of(with, public);
	SHA256(public, 32, digest);
	header->algorithm = HINOMI__ALGORITHM__ALGORITHM_ED25519;
	set_bytes(&header->key_id, digest, 8);
	if (identity)
		certify(header, identity, public, first);
}

static void sign_frame(struct stored *stored, EVP_PKEY *with)
{
	Hinomi__FrameHeader *header;
	Hinomi__Frame *frame = open_frame(stored, &header);
	uint8_t text[14 + 32];

	memcpy(text, "hinomi-frame-1", 14);
	frame_hash(stored, text + 14);
	set_bytes(&frame->signature, NULL, 0);
	if (with)
		sign(with, text, sizeof(text), &frame->signature);
	close_frame(stored, frame, header);
}

void forge_chain(struct stream *stream, enum lane lane, size_t from, EVP_PKEY *with, bool certified)
{
	uint64_t first = frame_number(&stream->frames[lane][from]);

	for (size_t i = from; i < stream->counts[lane]; i++) {
		struct stored *stored = &stream->frames[lane][i];
		Hinomi__FrameHeader *header;
		Hinomi__Frame *frame = open_frame(stored, &header);
		uint8_t previous[32];

		if (i) {
			frame_hash(&stream->frames[lane][i - 1], previous);
			set_bytes(&header->previous, previous, 32);
		}
		set_signer(header, with, certified ? stream->identity : NULL, first);
		close_frame(stored, frame, header);
		sign_frame(stored, with);
	}
}
