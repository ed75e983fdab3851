/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a stream by itself: frames of the two lanes go in, findings come out, one line each.
 * Shares no code with what writes (seal/, stats/).  Without a collector's receipts it cannot see
 * that frames were cut off at the end, nor, where frames are not signed, a header that was changed
 * in the last one.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "collect.pb-c.h"
#include "frame/keychain.h"

struct verifier;

struct verifier_counts {
	uint64_t frames, events;
	uint64_t first, last; /* numbers of frames */
	uint64_t starts;      /* times that the kernel's rings were made anew */
};

/* out: findings are written here. */
int verifier_new(FILE *out, struct verifier **ret);
void verifier_free(struct verifier *verifier);
/* The sensor's public key as enrolled: every frame must be signed, and go back to it.  Without it
 * the first certificate is believed.  Before the first frame. */
void verifier_identity(struct verifier *verifier, const uint8_t identity[KEY_BYTES]);
/* What was before the first frames is not asked for.  Before the first frame. */
void verifier_part(struct verifier *verifier);
/* The next frame of a lane; where: how a person finds it.  -ENOMEM. */
int verifier_frame(struct verifier *verifier, enum lane lane, const void *bytes, size_t size,
		   const char *where);
/* A collector's receipts, their signatures checked: a frame that has one must be that one, and
 * there must be one of the highest number or behind it.  Before the first frame.  -ENOMEM, -E2BIG.
 */
int verifier_receipt(struct verifier *verifier, const Hinomi__Receipt *receipt);
/* Those that follow are in the order in which they were given: none may say less than one before.
 */
void verifier_receipt_file(struct verifier *verifier);
/* Bytes of a lane that cannot be read. */
void verifier_damage(struct verifier *verifier, enum lane lane, const char *where);
/* What only the whole can tell.  Nothing may be given after it. */
void verifier_end(struct verifier *verifier);

/* What the signatures prove. */
struct verifier_proof {
	uint64_t signed_frames; /* checked, and right */
	uint64_t unsigned_frames;
	bool identity_given, has_identity;
	uint8_t identity[KEY_BYTES];
};

struct verifier_proof verifier_proof(const struct verifier *verifier);
uint64_t verifier_findings(const struct verifier *verifier);
struct verifier_counts verifier_counts(const struct verifier *verifier, enum lane lane);
/* Gaps that the stream declares, and how many events they lost, as far as it says. */
uint64_t verifier_gaps(const struct verifier *verifier, uint64_t *lost);

DEFINE_CLEANUP(struct verifier *, verifier_free);
