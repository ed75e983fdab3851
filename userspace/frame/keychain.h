/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose signature a lane's frames carry: each names its key with a certificate of
 * the sensor's identity, so it is proven alone, whatever is missing around it; and
 * it is the key of the frame before, or the one that frame named, or a start's.  A
 * lane that was signed once stays signed.
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
	uint8_t certificate[32]; /* hash of the last that was checked and good */
};

enum key_verdict {
	KEY_PROVEN,
	KEY_UNSIGNED,  /* as all frames of the lane before it */
	KEY_UNCHECKED, /* for want of memory: nothing has changed, ask again */
	/* from here on it is not what it says it is */
	KEY_STRIPPED,	 /* not signed, though the lane is */
	KEY_UNCERTIFIED, /* nobody vouches for its key */
	KEY_STRANGER,	 /* its key is certified by another identity */
	KEY_FORGED,	 /* the certificate is not good, or is none of this key and place */
	KEY_UNNAMED,	 /* a key in the middle of its life that the frame before does not have */
	KEY_WRONG,	 /* the signature is not of these bytes */
};

/* The next frame of the lane; after_hole: frames before it are missing.  Chain and identity go on
 * with it when it is proven. */
enum key_verdict keychain_frame(struct keychain *chain, struct key_identity *identity,
				const struct frame *frame, bool after_hole);
/* The same for a frame that was checked before, and has lain where only we write. */
void keychain_follow(struct keychain *chain, const struct frame *frame);
/* What is wrong, for people: "is not signed"; empty where nothing is. */
const char *key_verdict_text(enum key_verdict verdict);
