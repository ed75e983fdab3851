/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose signature a lane's frames carry: each frame is signed by the key that the
 * frame before named, or that the sensor's identity certifies.  A lane that was
 * signed once stays signed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEY_BYTES 32

struct frame;

/* The sensor's identity, of both lanes. */
struct key_identity {
	bool enrolled; /* given from elsewhere: every frame must be signed and go back to it */
	bool known;    /* else the first certificate is believed, and this is set */
	uint8_t key[KEY_BYTES];
};

/* One lane.  Zero: nothing was seen yet. */
struct keychain {
	bool is_signed; /* a frame was */
	bool has_key;	/* the next frame's key is known */
	uint8_t key[KEY_BYTES];
};

enum key_verdict {
	KEY_PROVEN,
	KEY_UNSIGNED, /* as all frames of the lane before it */
	KEY_UNPROVEN, /* signed; the frame that named its key was not seen */
	/* from here on it is not what it says it is */
	KEY_STRIPPED, /* not signed, though the lane is */
	KEY_STRANGER, /* its key is certified by another identity */
	KEY_FORGED,   /* the identity did not sign the certificate */
	KEY_UNNAMED,  /* signed with a key that no frame before named */
	KEY_WRONG,    /* the signature is not of these bytes */
};

/* The next frame of the lane; after_hole: frames before it are missing.  The chain and identity go
 * on with it, whatever the verdict. */
enum key_verdict keychain_frame(struct keychain *chain, struct key_identity *identity,
				const struct frame *frame, bool after_hole);
/* The same for a frame that was checked before, and has lain where only we write. */
void keychain_follow(struct keychain *chain, const struct frame *frame);
/* What is wrong, for people: "is not signed"; empty where nothing is. */
const char *key_verdict_text(enum key_verdict verdict);
