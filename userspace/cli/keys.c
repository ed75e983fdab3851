/* SPDX-License-Identifier: Apache-2.0 */
/* What the signatures prove; which key signs what: frame/keychain.h. */
#include <string.h>

#include "cli/judge.h"
#include "frame/frame.h"

void verifier_identity(struct verifier *verifier, const uint8_t identity[KEY_BYTES])
{
	verifier->identity.known = verifier->identity.enrolled = true;
	memcpy(verifier->identity.key, identity, KEY_BYTES);
}

void keys_frame(struct verifier *verifier, struct lane_state *lane, const struct frame *frame,
		bool behind_hole)
{
	enum key_verdict verdict =
		keychain_frame(&lane->keys, &verifier->identity, frame, behind_hole);

	lane->signed_frames += verdict == KEY_PROVEN;
	verifier->unsigned_frames += verdict == KEY_UNSIGNED;
	verifier->short_of_memory |= verdict == KEY_UNCHECKED;
	if (*key_verdict_text(verdict))
		finding(verifier, lane, frame->header->number, "%s", key_verdict_text(verdict));
}

struct verifier_proof verifier_proof(const struct verifier *verifier)
{
	struct verifier_proof proof = {
		.unsigned_frames = verifier->unsigned_frames,
		.identity_given = verifier->identity.enrolled,
		.has_identity = verifier->identity.known,
	};

	for (int lane = 0; lane < LANES; lane++)
		proof.signed_frames += verifier->lanes[lane].signed_frames;
	memcpy(proof.identity, verifier->identity.key, KEY_BYTES);
	return proof;
}
