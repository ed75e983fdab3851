/* SPDX-License-Identifier: Apache-2.0 */
/* Signed streams: clean ones are OK, and who has not the key of the moment is found out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "cli/verifier.h"
#include "frame.pb-c.h"
#include "frame/frame.h"
#include "seal/signer.h"

#define FRAMES_MAX 32

static const struct seal_identity who = {"sensor", "boot", "rings"};
static EVP_PKEY *identity, *stranger;
static struct sealer *sealer;
static struct {
	uint8_t *bytes;
	size_t size;
} frames[FRAMES_MAX];
static size_t nframes;
static uint64_t sequence;
static char *report;
static struct verifier_proof proof;

static void sign_with(EVP_PKEY *key)
{
	struct seal_state state;
	struct signer *signer;

	sealer_state(sealer, &state);
	assert_int_equal(signer_new(key, &who, LANE_KEEP, state.number + 1, &signer), 0);
	sealer_sign_with(sealer, signer);
}

static void add_frame(unsigned events)
{
	const uint8_t *bytes;
	size_t size;

	for (unsigned i = 0; i < events; i++) {
		Hinomi__Event body = HINOMI__EVENT__INIT;
		Hinomi__Exec exec = HINOMI__EXEC__INIT;
		struct event event = {.body = &body, .lane = LANE_KEEP, .kind = KIND_exec};

		body.seq = ++sequence;
		body.exec = &exec;
		body.body_case = HINOMI__EVENT__BODY_EXEC;
		assert_int_equal(sealer_add(sealer, &event), 0);
	}
	assert_int_equal(sealer_finish(sealer, NULL, 0, false, &bytes, &size), 0);
	assert_true(nframes < FRAMES_MAX);
	frames[nframes].bytes = malloc(size);
	frames[nframes].size = size;
	memcpy(frames[nframes++].bytes, bytes, size);
}

/* The same chain, as somebody would write it on who has everything but the key. */
static void seal_from(size_t frame, EVP_PKEY *key)
{
	struct seal_state state;

	sealer_state(sealer, &state);
	sealer_free(sealer);
	assert_int_equal(sealer_new(LANE_KEEP, &who, &state, &sealer), 0);
	assert_int_equal(state.number, frame);
	if (key)
		sign_with(key);
}

static int setup(void **state)
{
	struct seal_state fresh = {0};

	(void)state;
	identity = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	stranger = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_int_equal(sealer_new(LANE_KEEP, &who, &fresh, &sealer), 0);
	sign_with(identity);
	sequence = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (nframes)
		free(frames[--nframes].bytes);
	sealer_free(sealer);
	EVP_PKEY_free(identity);
	EVP_PKEY_free(stranger);
	free(report);
	report = NULL;
	return 0;
}

static uint64_t verify(EVP_PKEY *enrolled)
{
	struct verifier *verifier;
	uint8_t key[KEY_BYTES];
	uint64_t findings;
	size_t size;
	FILE *out;

	free(report);
	out = open_memstream(&report, &size);
	assert_int_equal(verifier_new(out, &verifier), 0);
	size = sizeof(key);
	if (enrolled) {
		assert_int_equal(EVP_PKEY_get_raw_public_key(enrolled, key, &size), 1);
		verifier_identity(verifier, key);
	}
	for (size_t i = 0; i < nframes; i++)
		assert_int_equal(verifier_frame(verifier, LANE_KEEP, frames[i].bytes,
						frames[i].size, "here"),
				 0);
	verifier_end(verifier);
	findings = verifier_findings(verifier);
	proof = verifier_proof(verifier);
	verifier_free(verifier);
	fclose(out);
	return findings;
}

static void test_clean(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		add_frame(3);
	assert_int_equal(verify(identity), 0);
	assert_int_equal(proof.signed_frames, 5);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(proof.signed_frames, 5);
}

static void remove_frame(size_t at)
{
	free(frames[at].bytes);
	memmove(&frames[at], &frames[at + 1], (--nframes - at) * sizeof(frames[0]));
}

/* after 64 Ki events the key changes, and the next one is believed because the last named it */
static void test_key_changes(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++)
		add_frame(SEAL_EVENTS_MAX);
	assert_int_equal(verify(identity), 0);
	assert_int_equal(proof.signed_frames, 12);
	/* whatever is missing, the identity vouches for the key of each that is there */
	for (size_t left = 11; left > 8; left--) {
		remove_frame(8);
		assert_true(verify(identity) >= 1);
		assert_null(strstr(report, "key"));
		assert_int_equal(proof.signed_frames, left);
	}
}

/* What somebody can make of a frame who has no key that the identity certified. */
static void sign_again(size_t at, EVP_PKEY *with, void (*change)(Hinomi__FrameHeader *header))
{
	Hinomi__Frame *frame = hinomi__frame__unpack(NULL, frames[at].size, frames[at].bytes);
	Hinomi__FrameHeader *header =
		hinomi__frame_header__unpack(NULL, frame->header.len, frame->header.data);
	uint8_t public[32], digest[32], text[14 + 32] = "hinomi-frame-1";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = sizeof(public);

	assert_int_equal(EVP_PKEY_get_raw_public_key(with, public, &size), 1);
	SHA256(public, sizeof(public), digest);
	memcpy(header->key_id.data, digest, header->key_id.len);
	change(header);
	frame->header.len = hinomi__frame_header__get_packed_size(header);
	frame->header.data = realloc(frame->header.data, frame->header.len);
	hinomi__frame_header__pack(header, frame->header.data);
	SHA256(frame->header.data, frame->header.len, text + 14);
	size = frame->signature.len;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, with), 1);
	assert_int_equal(EVP_DigestSign(ctx, frame->signature.data, &size, text, sizeof(text)), 1);
	EVP_MD_CTX_free(ctx);
	frames[at].size = hinomi__frame__get_packed_size(frame);
	frames[at].bytes = realloc(frames[at].bytes, frames[at].size);
	hinomi__frame__pack(frame, frames[at].bytes);
	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame__free_unpacked(frame, NULL);
}

static void drop_certificate(Hinomi__FrameHeader *header)
{
	hinomi__key_certificate__free_unpacked(header->certificate, NULL);
	header->certificate = NULL;
}

static void keep_certificate(Hinomi__FrameHeader *header)
{
	(void)header;
}

static void claim_later(Hinomi__FrameHeader *header)
{
	memcpy(header->certificate->public_key.data, header->sensor_id.data, 16);
	header->certificate->first_number = header->number + 1;
}

/* Behind a hole, and at the very beginning, nobody is believed without a certificate. */
static void test_unproven(void **state)
{
	static void (*const changes[])(Hinomi__FrameHeader *) = {drop_certificate, keep_certificate,
								 claim_later};

	(void)state;
	for (int i = 0; i < 6; i++)
		add_frame(3);
	remove_frame(3);
	assert_true(verify(identity) >= 1);
	assert_int_equal(proof.signed_frames, 5);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		uint8_t *bytes = malloc(frames[4].size);
		size_t size = frames[4].size;

		memcpy(bytes, frames[4].bytes, size);
		sign_again(4, stranger, changes[i]); /* frame 6, the last */
		for (int enrolled = 0; enrolled < 2; enrolled++) {
			assert_true(verify(enrolled ? identity : NULL) >= 1);
			assert_int_equal(proof.signed_frames, 4);
			assert_non_null(
				strstr(report, i ? "frame 6: the certificate of its key is forged"
						 : "frame 6: nobody certifies its key"));
		}
		free(frames[4].bytes);
		frames[4].bytes = bytes;
		frames[4].size = size;
	}
}

static enum key_verdict next(struct keychain *chain, struct key_identity *known, size_t at,
			     bool after_hole)
{
	CLEANUP(frame_free) struct frame *frame = NULL;

	assert_int_equal(frame_read(frames[at].bytes, frames[at].size, &frame), 0);
	return keychain_frame(chain, known, frame, after_hole);
}

/* A key does not come out of nowhere in the middle of its life. */
static void test_unnamed(void **state)
{
	struct key_identity known = {0};
	struct keychain chain = {0};

	(void)state;
	add_frame(3);
	add_frame(3);
	sign_with(identity);
	add_frame(3); /* with a key of its own */
	add_frame(3);
	assert_int_equal(next(&chain, &known, 0, true), KEY_PROVEN);
	assert_int_equal(next(&chain, &known, 1, false), KEY_PROVEN);
	assert_int_equal(next(&chain, &known, 3, false), KEY_UNNAMED);
	assert_int_equal(next(&chain, &known, 3, true), KEY_PROVEN);
	assert_int_equal(next(&chain, &known, 1, false), KEY_UNNAMED);
	assert_int_equal(next(&chain, &known, 2, false), KEY_PROVEN);
	assert_int_equal(next(&chain, &known, 3, false), KEY_PROVEN);
}

static void test_restart(void **state)
{
	(void)state;
	add_frame(3);
	sign_with(identity); /* a new run: a new certificate */
	add_frame(3);
	assert_int_equal(verify(identity), 0);
	assert_int_equal(proof.signed_frames, 2);
}

static void test_stranger(void **state)
{
	(void)state;
	add_frame(3);
	seal_from(1, stranger);
	add_frame(3);
	assert_true(verify(NULL) >= 1);
	assert_non_null(strstr(report, "frame 2: its key is certified by another identity"));
	assert_int_equal(verify(stranger), 1);
}

static void test_unsigned_from_here(void **state)
{
	(void)state;
	add_frame(3);
	seal_from(1, NULL);
	add_frame(3);
	assert_int_equal(verify(NULL), 1);
	assert_non_null(strstr(report, "frame 2: is not signed"));
}

static void test_changed_signature(void **state)
{
	(void)state;
	add_frame(3);
	add_frame(3);
	frames[1].bytes[frames[1].size - 1] ^= 1;
	assert_int_equal(verify(identity), 1);
	assert_non_null(strstr(report, "frame 2: the signature is not of these bytes"));
}

/* every byte of a frame matters: whatever is flipped, something is found */
static void test_every_bit(void **state)
{
	(void)state;
	add_frame(2);
	add_frame(2);
	add_frame(2);
	for (size_t bit = 0; bit < frames[2].size * 8; bit++) {
		frames[2].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!verify(identity))
			fail_msg("bit %zu was changed and nothing found", bit);
		frames[2].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(verify(identity), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unproven, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unnamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stranger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsigned_from_here, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_bit, setup, teardown),
	};

	return cmocka_run_group_tests_name("verify_signed", tests, NULL, NULL);
}
