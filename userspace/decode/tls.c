/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser.  A hello may come in several records (an old way around those who
 * look for names in the first); they are joined first.  Every length is looked at
 * against what is there, and a shorter rest than it asks for is the end.
 */
#include "decode/tls.h"

#include <stdbool.h>
#include <string.h>

#include "decode/source.h"

#define HANDSHAKE	22
#define CLIENT_HELLO	1
#define RECORD_HEAD	5
#define MESSAGE_HEAD	4
#define RECORD_MAX	16384
#define PROTOCOLS_MAX	16
#define SERVER_NAME_MAX 255
#define GREASE(v)	(((v)&0x0f0f) == 0x0a0a) /* RFC 8701: offered to be ignored */

enum { SERVER_NAME = 0, ALPN = 16, SUPPORTED_VERSIONS = 43, ENCRYPTED_HELLO = 0xfe0d };

/* Bytes that are left of a field. */
struct rest {
	const uint8_t *at;
	size_t size;
	bool short_of; /* a field said that there is more */
};

static uint32_t take(struct rest *r, size_t bytes)
{
	uint32_t value = 0;

	if (r->size < bytes) {
		r->short_of = true;
		r->size = 0;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | r->at[i];
	r->at += bytes;
	r->size -= bytes;
	return value;
}

/* A field with its length, of so many bytes, in front. */
static struct rest take_field(struct rest *r, size_t length_bytes)
{
	size_t size = take(r, length_bytes);
	struct rest field = {.at = r->at, .size = size};

	if (size > r->size) {
		r->short_of = field.short_of = true;
		field.size = r->size;
	}
	r->at += field.size;
	r->size -= field.size;
	return field;
}

static ProtobufCBinaryData bytes_of(const struct rest *field)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)field->at, .len = field->size};
}

static void read_server_name(struct rest field, Hinomi__TlsHello *to)
{
	struct rest list = take_field(&field, 2), name;

	while (list.size) {
		uint32_t type = take(&list, 1);

		name = take_field(&list, 2);
		if (name.short_of || list.short_of)
			return;
		if (type == 0 && name.size <= SERVER_NAME_MAX) {
			to->server_name = bytes_of(&name);
			return;
		}
	}
}

static void read_protocols(struct source *source, struct rest field, Hinomi__TlsHello *to)
{
	struct rest list = take_field(&field, 2);

	to->protocols = source_alloc(source, PROTOCOLS_MAX * sizeof(*to->protocols));
	while (to->protocols && list.size && to->n_protocols < PROTOCOLS_MAX) {
		struct rest name = take_field(&list, 1);

		if (name.short_of)
			return;
		if (name.size != 2 || !GREASE(name.at[0] << 8 | name.at[1]))
			to->protocols[to->n_protocols++] = bytes_of(&name);
	}
}

static void read_versions(struct rest field, Hinomi__TlsHello *to)
{
	struct rest list = take_field(&field, 1);

	while (list.size >= 2) {
		uint32_t version = take(&list, 2);

		if (!GREASE(version) && version > to->version)
			to->version = version;
	}
}

static void read_extensions(struct source *source, struct rest *r, Hinomi__TlsHello *to)
{
	while (r->size && !r->short_of) {
		uint32_t type = take(r, 2);
		struct rest field = take_field(r, 2);

		if (type == SERVER_NAME && !to->server_name.len)
			read_server_name(field, to);
		else if (type == ALPN && !to->protocols)
			read_protocols(source, field, to);
		else if (type == SUPPORTED_VERSIONS)
			read_versions(field, to);
		else if (type == ENCRYPTED_HELLO)
			to->encrypted = true;
	}
}

static void read_hello(struct source *source, struct rest hello, Hinomi__TlsHello *to)
{
	struct rest extensions;

	to->version = take(&hello, 2);
	take(&hello, 16); /* random */
	take(&hello, 16);
	take_field(&hello, 1); /* session */
	take_field(&hello, 2); /* ciphers */
	take_field(&hello, 1); /* compression */
	if (hello.size) {
		extensions = take_field(&hello, 2);
		read_extensions(source, &extensions, to);
		hello.short_of |= extensions.short_of;
	}
	to->malformed |= hello.short_of && !to->incomplete;
}

/* What the records carry, one behind the other. */
static struct rest records_join(struct source *source, struct rest r, Hinomi__TlsHello *to)
{
	uint8_t *joined = source_alloc(source, r.size);
	struct rest all = {.at = joined};

	while (joined && r.size >= RECORD_HEAD) {
		uint32_t type = take(&r, 1), version = take(&r, 2);
		struct rest field = take_field(&r, 2);

		if (type != HANDSHAKE || version >> 8 != 3 || field.size > RECORD_MAX) {
			to->malformed |= !all.size;
			break;
		}
		memcpy(joined + all.size, field.at, field.size);
		all.size += field.size;
	}
	return all;
}

void tls_parse(struct source *source, const uint8_t *bytes, size_t size, Hinomi__TlsHello *to)
{
	struct rest r = {.at = bytes, .size = size}, hello;

	if (!size) {
		to->incomplete = true;
		return;
	}
	r = records_join(source, r, to);
	if (to->malformed)
		return;
	if (r.size < MESSAGE_HEAD) {
		to->incomplete = true;
		return;
	}
	if (take(&r, 1) != CLIENT_HELLO) {
		to->malformed = true;
		return;
	}
	to->size = take(&r, 3);
	hello = (struct rest){.at = r.at, .size = r.size < to->size ? r.size : to->size};
	to->incomplete = hello.size < to->size;
	read_hello(source, hello, to);
}
