/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads frames: foreign bytes to header and events.  Used by everything that
 * reads a spool or a store; shares no code with seal/.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "frame.pb-c.h"

#define FRAME_BYTES_MAX	    (8u << 20)	/* longer is refused */
#define FRAME_PAYLOAD_MAX   (8u << 20)	/* after decompression */
#define FRAME_MEMORY_MAX    (96u << 20) /* what one frame may take while it is open */
#define FRAME_SEQUENCES_MAX 8193	/* in a header */
#define FRAME_ROWS_MAX	    49152
#define FRAME_CLOCKS_MAX    16

struct frame {
	Hinomi__FrameHeader *header;
	Hinomi__Payload *payload; /* NULL until frame_open_payload */
	uint8_t hash[32]; /* SHA-256 of the header's bytes: what the next frame's `previous` must be
			   */
	/* private: */
	struct frame_memory *memory;
	ProtobufCBinaryData encoded;   /* the payload as it came */
	ProtobufCBinaryData signature; /* 64 bytes, or none */
};

/* Parses and checks the header; payload_sha256 is checked against the payload.  Copies what it
 * keeps.  -EBADMSG, -ENOMEM, -EPROTONOSUPPORT for a version, encoding or algorithm that is not
 * known. */
int frame_read(const void *data, size_t size, struct frame **ret);
/* Unpacks the events; on success every Event.process is 0 or an index that exists.  Header and
 * payload belong to the frame, and go with it. */
int frame_open_payload(struct frame *frame);
/* Did this key sign the frame?  0; -EBADMSG: no, or the frame is not signed; -ENOMEM: not known. */
int frame_check_signature(const struct frame *frame, const uint8_t public_key[32]);
/* Did the identity in the certificate, which is there, sign its key for this frame's lane and
 * start?  0; -EBADMSG; -ENOMEM. */
int frame_check_certificate(const struct frame *frame);
/* Of all that this check depends on: one that was good stays good.  0; -ENOMEM. */
int frame_certificate_hash(const struct frame *frame, uint8_t ret[32]);
void frame_free(struct frame *frame);
/* Wall-clock time, ns of CLOCK_REALTIME, of a boot time in this frame; 0 when the frame has no
 * clocks. */
uint64_t frame_real_ns(const struct frame *frame, uint64_t boot_ns);

DEFINE_CLEANUP(struct frame *, frame_free);
