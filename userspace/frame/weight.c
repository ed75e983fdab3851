/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/weight.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <string.h>

#define WEIGHT 16 /* of a message, or an element of a list, besides its bytes */

static size_t weigh_field(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
	const void *at = message + field->offset;
	bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
	size_t n = 1, weight = 0;

	if (list) {
		memcpy(&n, message + field->quantifier_offset, sizeof(n));
		at = *(const void *const *)at;
	}
	for (size_t i = 0; i < n; i++) {
		if (field->type == PROTOBUF_C_TYPE_BYTES)
			weight += ((const ProtobufCBinaryData *)at)[i].len;
		else if (field->type == PROTOBUF_C_TYPE_STRING)
			weight += strlen(((const char *const *)at)[i]);
		else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			weight += message_weight(((const ProtobufCMessage *const *)at)[i]);
	}
	return weight + (list ? n * WEIGHT : 0);
}

size_t message_weight(const void *of)
{
	const ProtobufCMessage *message = of;
	size_t weight = WEIGHT;

	for (unsigned i = 0; message && i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			weight += weigh_field(field, (const uint8_t *)message);
	}
	return message ? weight : 0;
}
