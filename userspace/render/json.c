/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as JSON, by walking protobuf-c's descriptors: no class has code here. */
#include "render/render.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <hinomi/record.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "frame/frame.h"
#include "render/words.h"

#define DECIMAL_MAX 24

static void put_u64(FILE *out, uint64_t value)
{
	char digits[DECIMAL_MAX], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	fwrite_unlocked(p, 1, (size_t)(digits + sizeof(digits) - p), out);
}

static void put_i64(FILE *out, int64_t value)
{
	if (value < 0)
		putc_unlocked('-', out);
	put_u64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void put_hex(FILE *out, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		putc_unlocked("0123456789abcdef"[data[i] >> 4], out);
		putc_unlocked("0123456789abcdef"[data[i] & 15], out);
	}
}

static void put_string(FILE *out, const void *data, size_t size)
{
	putc_unlocked('"', out);
	escape_json(out, data, size);
	putc_unlocked('"', out);
}

/* Bytes that are no text: hashes, identities, what we do not understand. */
static bool is_binary(const char *name)
{
	static const char *const names[] = {
		"sha256",  "payload_sha256", "config_sha256", "sensor_id", "replaced_sensor_id",
		"boot_id", "rings_id",	     "previous",      "key_id",	   "signature",
		"header",  "payload",	     "raw",	      "build_id"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void put_bytes(FILE *out, const char *name, const ProtobufCBinaryData *bytes)
{
	char text[INET6_ADDRSTRLEN];

	if (!strcmp(name, "ip") && words_ip(bytes->data, bytes->len, text)) {
		fprintf(out, "\"%s\"", text);
	} else if (is_binary(name) || !strcmp(name, "ip")) {
		putc_unlocked('"', out);
		put_hex(out, bytes->data, bytes->len);
		putc_unlocked('"', out);
	} else {
		put_string(out, bytes->data, bytes->len);
	}
}

/* STATE_LOWER_TIER of enum State is "lower_tier"; a number that this build does not know stays one.
 */
static void put_enum(FILE *out, const ProtobufCEnumDescriptor *type, int number)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
	const char *name, *prefix = type->short_name;

	if (!value) {
		put_i64(out, number);
		return;
	}
	for (name = value->name; *prefix; prefix++) {
		if (isupper((unsigned char)*prefix) && prefix != type->short_name)
			name += *name == '_';
		name += *name == toupper((unsigned char)*prefix);
	}
	putc_unlocked('"', out);
	for (name += *name == '_'; *name; name++)
		putc_unlocked(tolower((unsigned char)*name), out);
	putc_unlocked('"', out);
}

static void put_fixed64(FILE *out, const char *name, uint64_t value)
{
	if (!strncmp(name, "cap_", 4))
		fprintf(out, "\"0x%" PRIx64 "\"", value);
	else
		put_u64(out, value);
}

static void put_value(FILE *out, const ProtobufCFieldDescriptor *field, const void *at)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		put_i64(out, *(const int32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		put_i64(out, *(const int64_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		put_u64(out, *(const uint32_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		put_fixed64(out, field->name, *(const uint64_t *)at);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		fputs(*(const protobuf_c_boolean *)at ? "true" : "false", out);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		put_enum(out, field->descriptor, *(const int *)at);
		break;
	case PROTOBUF_C_TYPE_STRING:
		put_string(out, *(char *const *)at, strlen(*(char *const *)at));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_bytes(out, field->name, at);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		render_message(out, *(const ProtobufCMessage *const *)at);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		fputs("null", out); /* the contract has none */
		break;
	}
}

static size_t element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	default:
		return sizeof(uint64_t);
	}
}

/* A number is always there, 0 as well; what can be absent is left out when it is. */
static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message, *at = base + field->offset;
	const char *string;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)(base + field->quantifier_offset) > 0;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(const ProtobufCMessage *const *)at;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)at)->len > 0;
	case PROTOBUF_C_TYPE_STRING:
		string = *(const char *const *)at;
		return string && *string;
	default:
		return true;
	}
}

static void put_field(FILE *out, const ProtobufCMessage *message,
		      const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message, *at = base + field->offset;
	size_t count;

	fprintf(out, "\"%s\":", field->name);
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		put_value(out, field, at);
		return;
	}
	count = *(const size_t *)(base + field->quantifier_offset);
	at = *(const char *const *)at;
	putc_unlocked('[', out);
	for (size_t i = 0; i < count; i++) {
		if (i)
			putc_unlocked(',', out);
		put_value(out, field, at + i * element_size(field->type));
	}
	putc_unlocked(']', out);
}

/* What a newer sensor says and this build has no name for. */
static bool put_unknown(FILE *out, const ProtobufCMessage *message, bool comma)
{
	if (!message->n_unknown_fields)
		return comma;
	fprintf(out, "%s\"unknown_fields\":[", comma ? "," : "");
	for (unsigned i = 0; i < message->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *unknown = &message->unknown_fields[i];

		fprintf(out, "%s{\"number\":%u,\"wire_type\":%u,\"data\":\"", i ? "," : "",
			unknown->tag, (unsigned)unknown->wire_type);
		put_hex(out, unknown->data, unknown->len);
		fputs("\"}", out);
	}
	putc_unlocked(']', out);
	return true;
}

void render_message(FILE *out, const ProtobufCMessage *message)
{
	bool comma = false;

	putc_unlocked('{', out);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (!is_present(message, field))
			continue;
		if (comma)
			putc_unlocked(',', out);
		put_field(out, message, field);
		comma = true;
	}
	put_unknown(out, message, comma);
	putc_unlocked('}', out);
}

/* RFC 3339, UTC, with nanoseconds. */
static void put_time(FILE *out, uint64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / NS_PER_SEC);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	fprintf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRIu64 "Z", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(uint64_t)(real_ns % NS_PER_SEC));
}

static void put_id(FILE *out, const Hinomi__FrameHeader *header, const Hinomi__Event *event)
{
	fputs("\"id\":\"", out);
	put_hex(out, header->rings_id.data, header->rings_id.len);
	fprintf(out, "-%s-", event->lane == HINOMI__LANE__LANE_KEEP ? "keep" : "bulk");
	if (event->cpu == CPU_SENSOR)
		putc_unlocked('s', out);
	else
		put_u64(out, event->cpu);
	putc_unlocked('-', out);
	put_u64(out, event->seq);
	putc_unlocked('"', out);
}

static void put_event_fields(FILE *out, const struct frame *frame, const Hinomi__Event *event)
{
	const ProtobufCMessageDescriptor *type = event->base.descriptor;
	const Hinomi__Process *process = payload_process(frame->payload, event);

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (!strcmp(field->name, "process")) { /* an index there, the whole here */
			if (!process)
				continue;
			fputs(",\"process\":", out);
			render_message(out, &process->base);
		} else if (is_present(&event->base, field)) {
			putc_unlocked(',', out);
			put_field(out, &event->base, field);
		}
	}
	put_unknown(out, &event->base, true);
}

void render_json(FILE *out, const struct frame *frame, const Hinomi__Event *event)
{
	const Hinomi__FrameHeader *header = frame->header;

	flockfile(out);
	fputs("{\"time\":\"", out);
	put_time(out, frame_real_ns(frame, event->time_ns));
	fprintf(out, "\",\"class\":\"%s\",", event_class(event));
	put_id(out, header, event);
	put_event_fields(out, frame, event);
	fputs(",\"frame\":", out);
	put_u64(out, header->number);
	fputs(",\"sensor_id\":\"", out);
	put_hex(out, header->sensor_id.data, header->sensor_id.len);
	fputs("\",\"boot_id\":\"", out);
	put_hex(out, header->boot_id.data, header->boot_id.len);
	fputs("\"}\n", out);
	funlockfile(out);
}
