/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as ENCODING_DELTA has them (proto/frame.proto): fields that differ from
 * those of another message.  That one lies in a place: a copy, with its bytes where
 * they are in the frame's strings, and a place for each message in it.  A new message
 * is held against one place, and is remembered in the same one or another.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seal/strings.h"

#define SCALAR_MAX 16 /* a key of five bytes and a varint of ten */
#define WEIGHT	   16 /* of a message, or an element of a list, besides its bytes */

enum form { FORM_NUMBER, FORM_BYTES, FORM_MESSAGE, FORM_LIST };

struct writer {
	uint8_t *at, *end;
	size_t weight; /* of all messages, as proto/frame.proto counts it */
	int error;     /* -E2BIG: no room, -ENOMEM; what is written from then on is worthless */
	struct strings strings;
};

struct field {
	uint16_t offset, quantifier, id;
	uint8_t type;			       /* private to message.c */
	union {				       /* what is remembered besides `last`: */
		struct place *place;	       /* of a message */
		struct place **places;	       /* of messages in a list */
		ProtobufCBinaryData *elements; /* bytes in a list */
	};
};

struct place {
	const ProtobufCMessageDescriptor *type;
	uint8_t *last;	 /* pointers to messages in it only say whether one was there */
	unsigned nplain; /* fields; behind them those of a oneof, in the order of their numbers */
	unsigned nfields;
	struct field fields[];
};

struct place *place_new(const ProtobufCMessageDescriptor *type); /* NULL: out of memory */
void place_free(struct place *place);

/* False, and the error is set: there is no room for so much. */
bool has_room(struct writer *writer, size_t size);
/* Fields that are not in a oneof; before NULL: held against an empty message. */
void put_fields(struct writer *writer, const struct place *before, struct place *now,
		const uint8_t *message);
/* All of a message up to its end; makes *now where it is NULL.  False: it is as before, and nothing
 * but its end was written. */
bool put_message(struct writer *writer, const struct place *before, struct place **now,
		 const ProtobufCMessageDescriptor *type, const void *message);

/* The caller has seen to the room. */
static inline void put_varint(struct writer *writer, uint64_t value)
{
	uint8_t *p = writer->at;

	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	writer->at = p;
}

static inline void put_key(struct writer *writer, unsigned id, enum form form)
{
	put_varint(writer, (uint64_t)id << 2 | form);
}

static inline uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}
