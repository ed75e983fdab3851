/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes protobuf messages from the end of a buffer towards its front: a length
 * is known when its turn comes, so one walk over the message is enough.  The
 * bytes are those of protobuf_c_message_pack, at less than half of its cost.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packer {
	uint8_t *start; /* never writes below */
	uint8_t *at;	/* first byte written so far */
	bool full;	/* something did not fit: what was written is worthless */
};

void pack_message(struct packer *packer, const ProtobufCMessageDescriptor *type,
		  const void *message);
/* In front of what was written: makes the bytes from `at` to end a length-delimited field. */
void pack_field(struct packer *packer, unsigned id, const uint8_t *end);
