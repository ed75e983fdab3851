/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a stream by itself: frames of the two lanes go in, findings come out, one line each.
 * Shares no code with what writes (seal/, stats/).  Without signatures it cannot see a header
 * that was changed in the last frame, nor frames cut off at the end.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct verifier;

struct verifier_counts {
	uint64_t frames, events;
	uint64_t first, last; /* numbers of frames */
	uint64_t starts;      /* times that the kernel's rings were made anew */
};

/* out: findings are written here. */
int verifier_new(FILE *out, struct verifier **ret);
void verifier_free(struct verifier *verifier);
/* The next frame of a lane; where: how a person finds it.  -ENOMEM. */
int verifier_frame(struct verifier *verifier, enum lane lane, const void *bytes, size_t size,
		   const char *where);
/* Bytes of a lane that cannot be read. */
void verifier_damage(struct verifier *verifier, enum lane lane, const char *where);
/* What only the whole can tell.  Nothing may be given after it. */
void verifier_end(struct verifier *verifier);

uint64_t verifier_findings(const struct verifier *verifier);
struct verifier_counts verifier_counts(const struct verifier *verifier, enum lane lane);
/* Gaps that the stream declares, and how many events they lost, as far as it says. */
uint64_t verifier_gaps(const struct verifier *verifier, uint64_t *lost);

DEFINE_CLEANUP(struct verifier *, verifier_free);
