/* SPDX-License-Identifier: Apache-2.0 */
/* Streams as a sensor makes them, from a seed: with starts, boots, losses, filtered events, keys
 * that change, frames that are evicted or lost with the disk, and a clock that is set; and what a
 * forger can do to them. */
#pragma once

#include <hinomi/kinds.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.pb-c.h"

#define STREAM_FRAMES_MAX 64 /* of a lane */
#define CPUS		  3

struct stored {
	uint8_t *bytes;
	size_t size;
};

struct stream {
	uint64_t seed; /* of what comes next */
	struct stored frames[LANES][STREAM_FRAMES_MAX];
	size_t counts[LANES];
	EVP_PKEY *identity;
	uint64_t copied[LANES]; /* frames up to here are the copy's too */
	struct {
		enum lane lane;
		uint64_t frame; /* behind the hole; 0: nothing was forgotten */
	} forgotten;
};

struct making {
	uint64_t sensor;     /* 16 bytes of its id are made of it */
	EVP_PKEY *identity;  /* NULL: its own */
	bool forgets;	     /* to declare one loss of numbers */
	bool whole;	     /* no frame is evicted or lost */
	struct stream *copy; /* the machine is copied on the way, and this is what the copy made */
};

uint64_t random_next(uint64_t *seed);
uint64_t random_below(uint64_t *seed, uint64_t limit);

/* A whole life. */
void stream_make(struct stream *stream, uint64_t seed, const struct making *making);
void stream_free(struct stream *stream);
/* The same frames, to be tampered with. */
void stream_copy(struct stream *to, const struct stream *from);
void stream_remove(struct stream *stream, enum lane lane, size_t index);
void stream_insert(struct stream *stream, enum lane lane, size_t index, const struct stored *frame);

/* Changes a frame and puts it together again, its own hashes made right. */
typedef void (*change_fn)(Hinomi__FrameHeader *header, Hinomi__Payload *payload);
void forge_frame(struct stored *frame, change_fn change);
/* Chains anew from the frame on.  with: signs all of them, NULL: nobody does; certified: by the
 * stream's identity. */
void forge_chain(struct stream *stream, enum lane lane, size_t from, EVP_PKEY *with,
		 bool certified);
bool frame_begins_boot(const struct stored *frame, const struct stored *before);
uint64_t frame_number(const struct stored *frame);
void frame_hash(const struct stored *frame, uint8_t ret[32]);
