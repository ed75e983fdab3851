/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/walk.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "event.pb-c.h"
#include "forward/attribute.h"
#include "forward/names.h"
#include "frame/frame.h"
#include "render/render.h"

#define KEY_MAX	     192
#define DEPTH_MAX    8
#define ELEMENTS_MAX 4096 /* of a list of messages */

/* Where the walk stands. */
struct place {
	struct attributes *out;
	const struct frame *frame;
	unsigned depth;
	size_t length;
	size_t path;	   /* where in key the path of the conventions' table begins */
	char key[KEY_MAX]; /* hinomi.exec.file.path */
};

static void walk(struct place *place, const ProtobufCMessage *message);

static const char *path_of(const struct place *place)
{
	return place->key + place->path;
}

/* One name further down. */
static bool step(struct place *place, const char *name)
{
	size_t length = strlen(name);

	if (place->length + length + 2 > KEY_MAX)
		return false;
	memcpy(place->key + place->length, name, length + 1);
	place->length += length;
	return true;
}

/* Bytes that are no text: shown as digits. */
static bool is_binary(const char *name)
{
	size_t length = strlen(name);

	return !strcmp(name, "raw") || !strcmp(name, "ip") ||
	       (length >= 6 && !strcmp(name + length - 6, "sha256"));
}

static void put_date(struct attributes *out, const char *key, uint64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / NS_PER_SEC);
	char text[64], date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%09" PRIu64 "Z", date, (uint64_t)(real_ns % NS_PER_SEC));
	attribute_string(out, key, text);
}

static void put_ip(struct attributes *out, const char *key, const ProtobufCBinaryData *ip)
{
	char text[INET6_ADDRSTRLEN];

	if ((ip->len == 4 || ip->len == 16) &&
	    inet_ntop(ip->len == 4 ? AF_INET : AF_INET6, ip->data, text, sizeof(text)))
		attribute_string(out, key, text);
	else
		attribute_hex(out, key, ip->data, ip->len);
}

/* STATE_LOWER_TIER of enum State is lower_tier, as in JSON. */
static void put_enum(struct attributes *out, const char *key, const ProtobufCEnumDescriptor *type,
		     int number)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
	char text[64];
	const char *name;
	size_t length = 0;

	if (!value) {
		attribute_int(out, key, number);
		return;
	}
	name = value->name;
	for (const char *p = type->short_name; *p; p++) {
		if (isupper((unsigned char)*p) && p != type->short_name && *name == '_')
			name++;
		if (*name == toupper((unsigned char)*p))
			name++;
	}
	for (name += *name == '_'; *name && length < sizeof(text) - 1; name++)
		text[length++] = (char)tolower((unsigned char)*name);
	attribute_text(out, key, text, length);
}

static uint64_t number_of(const ProtobufCFieldDescriptor *field, const void *at)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)at;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		return (uint64_t)(int64_t) * (const int32_t *)at;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

static bool is_signed(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_INT32 || type == PROTOBUF_C_TYPE_SINT32 ||
	       type == PROTOBUF_C_TYPE_SFIXED32 || type == PROTOBUF_C_TYPE_INT64 ||
	       type == PROTOBUF_C_TYPE_SINT64 || type == PROTOBUF_C_TYPE_SFIXED64;
}

static void put_number(struct attributes *out, const char *key,
		       const ProtobufCFieldDescriptor *field, uint64_t number)
{
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		attribute_bool(out, key, number);
	else if (field->type == PROTOBUF_C_TYPE_ENUM)
		put_enum(out, key, field->descriptor, (int)number);
	else if (is_signed(field->type))
		attribute_int(out, key, (int64_t)number);
	else
		attribute_uint(out, key, number);
}

static void put_formed(const struct place *place, const struct name *name,
		       const ProtobufCFieldDescriptor *field, uint64_t number)
{
	char text[32];

	switch (name->form) {
	case FORM_DECIMAL:
		snprintf(text, sizeof(text), "%" PRIu64, number);
		attribute_string(place->out, name->key, text);
		break;
	case FORM_OCTAL:
		snprintf(text, sizeof(text), "%04o", (unsigned)number & 07777);
		attribute_string(place->out, name->key, text);
		break;
	case FORM_BOOT:
		put_date(place->out, name->key, frame_real_ns(place->frame, number));
		break;
	case FORM_REAL:
		put_date(place->out, name->key, number);
		break;
	default:
		put_number(place->out, name->key, field, number);
	}
}

/* User and group ids: 0 is root, not absence. */
static bool is_id_of_credentials(const ProtobufCMessage *message,
				 const ProtobufCFieldDescriptor *field)
{
	return message->descriptor == &hinomi__credentials__descriptor &&
	       field->type == PROTOBUF_C_TYPE_UINT32;
}

static void put_scalar(const struct place *place, const ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field, const void *at)
{
	const struct name *name = name_of(path_of(place));
	uint64_t number = number_of(field, at);

	if (name && (number || name->always))
		put_formed(place, name, field, number);
	if (name && !name->also)
		return;
	if (number || is_id_of_credentials(message, field))
		put_number(place->out, place->key, field, number);
}

static void put_bytes(const struct place *place, const char *field,
		      const ProtobufCBinaryData *bytes)
{
	const struct name *name = bytes->len ? name_of(path_of(place)) : NULL;
	const char *key = name ? name->key : place->key;

	if (!bytes->len || (name && name->shared && attribute_has(place->out, key)))
		return;
	if (!strcmp(field, "ip"))
		put_ip(place->out, key, bytes);
	else if (is_binary(field))
		attribute_hex(place->out, key, bytes->data, bytes->len);
	else
		attribute_text(place->out, key, bytes->data, bytes->len);
}

/* Each element as its JSON. */
static void put_messages(const struct place *place, ProtobufCMessage *const *elements, size_t count)
{
	ProtobufCBinaryData *texts;

	if (count > ELEMENTS_MAX)
		count = ELEMENTS_MAX;
	texts = calloc(count, sizeof(*texts));
	for (size_t i = 0; texts && i < count; i++) {
		FILE *out = open_memstream((char **)&texts[i].data, &texts[i].len);

		if (!out)
			break;
		render_message(out, elements[i]);
		fclose(out);
	}
	if (texts)
		attribute_texts(place->out, place->key, texts, count);
	for (size_t i = 0; texts && i < count; i++)
		free(texts[i].data);
	free(texts);
}

static void put_repeated(const struct place *place, const ProtobufCFieldDescriptor *field,
			 const void *elements, size_t count)
{
	const struct name *name = name_of(path_of(place));
	const char *key = name ? name->key : place->key;

	if (!count)
		return;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		put_messages(place, elements, count);
		return;
	}
	if (field->type != PROTOBUF_C_TYPE_BYTES)
		return; /* the contract has no list of numbers; the test of all fields would tell */
	if (!name || !name->shared || !attribute_has(place->out, key))
		attribute_texts(place->out, key, elements, count);
}

static void put_message(struct place *place, const ProtobufCMessage *message)
{
	place->key[place->length++] = '.';
	place->key[place->length] = '\0';
	place->depth++;
	walk(place, message);
	place->depth--;
}

static void put_value(struct place *place, const ProtobufCMessage *message,
		      const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message, *at = base + field->offset;
	const char *string;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		put_repeated(place, field, *(void *const *)at,
			     *(const size_t *)(base + field->quantifier_offset));
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		put_message(place, *(const ProtobufCMessage *const *)at);
	} else if (field->type == PROTOBUF_C_TYPE_BYTES) {
		put_bytes(place, field->name, (const ProtobufCBinaryData *)at);
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		string = *(const char *const *)at;
		put_bytes(place, field->name,
			  &(ProtobufCBinaryData){.data = (uint8_t *)string, .len = strlen(string)});
	} else {
		put_scalar(place, message, field, at);
	}
}

static void put_field(struct place *place, const ProtobufCMessage *message,
		      const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;
	size_t length = place->length;

	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	    *(const uint32_t *)(base + field->quantifier_offset) != field->id)
		return;
	if (step(place, field->name))
		put_value(place, message, field);
	place->length = length;
}

static void walk(struct place *place, const ProtobufCMessage *message)
{
	if (!message || place->depth > DEPTH_MAX)
		return;
	for (unsigned i = 0; i < message->descriptor->n_fields; i++)
		put_field(place, message, &message->descriptor->fields[i]);
}

static void start(struct place *place, struct attributes *attributes, const struct frame *frame,
		  const char *root, const char *path)
{
	place->out = attributes;
	place->frame = frame;
	place->depth = 0;
	place->length = (size_t)snprintf(place->key, KEY_MAX, "%s", root);
	place->path = place->length - strlen(path);
}

void walk_message(struct attributes *attributes, const struct frame *frame, const char *root,
		  const char *path, const ProtobufCMessage *message)
{
	struct place place;

	start(&place, attributes, frame, root, path);
	walk(&place, message);
}

void walk_field(struct attributes *attributes, const struct frame *frame, const char *root,
		const ProtobufCMessage *message, const char *field)
{
	struct place place;

	start(&place, attributes, frame, root, "");
	put_field(&place, message,
		  protobuf_c_message_descriptor_get_field_by_name(message->descriptor, field));
}
