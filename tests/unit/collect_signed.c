/* SPDX-License-Identifier: Apache-2.0 */
/* Whose frames the collector takes. */
#include "collect_tools.h"

#include <openssl/sha.h>

/* The frame as somebody would write it who has no key that the identity certified. */
static void uncertify(struct made *made, uint64_t number, EVP_PKEY *with)
{
	uint8_t *bytes = made->frames[number].bytes + 4, public[32], digest[32];
	uint8_t text[14 + 32] = "hinomi-frame-1";
	Hinomi__Frame *frame = hinomi__frame__unpack(NULL, made->frames[number].size - 4, bytes);
	Hinomi__FrameHeader *header =
		hinomi__frame_header__unpack(NULL, frame->header.len, frame->header.data);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = sizeof(public);

	assert_int_equal(EVP_PKEY_get_raw_public_key(with, public, &size), 1);
	SHA256(public, sizeof(public), digest);
	memcpy(header->key_id.data, digest, header->key_id.len);
	hinomi__key_certificate__free_unpacked(header->certificate, NULL);
	header->certificate = NULL;
	frame->header.len = hinomi__frame_header__pack(header, frame->header.data); /* less */
	SHA256(frame->header.data, frame->header.len, text + 14);
	size = frame->signature.len;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, with), 1);
	assert_int_equal(EVP_DigestSign(ctx, frame->signature.data, &size, text, sizeof(text)), 1);
	EVP_MD_CTX_free(ctx);
	size = hinomi__frame__pack(frame, bytes);
	for (int i = 0; i < 4; i++)
		made->frames[number].bytes[i] = (uint8_t)(size >> 8 * i);
	made->frames[number].size = 4 + size;
	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame__free_unpacked(frame, NULL);
}

static void expect_signature(const struct accept_result *result, const struct made *made,
			     uint64_t position_now)
{
	assert_int_equal(result->problem, HINOMI__PROBLEM__PROBLEM_SIGNATURE);
	assert_int_equal(answer_status(result), 409);
	assert_int_equal(position(made), position_now);
	assert_true(count_findings("signature") > 0);
}

/* The first certificate enrols the sensor; from then on nobody else can write its stream on, also
 * after the collector was started anew. */
static void signed_stream_stays_its_sensors(void **state)
{
	EVP_PKEY *sensor = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *thief = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct made *mine, *plain, *stolen, *restarted;
	struct accept_result result;

	(void)state;
	signs = sensor;
	mine = make_chain("one", 1, NULL, 1);
	restarted = make_chain("one", 2, mine, 21);
	signs = NULL;
	plain = make_chain("one", 3, mine, 11);
	signs = thief;
	stolen = make_chain("one", 4, mine, 11);
	signs = NULL;
	for (int restart = 0; restart < 2; restart++) {
		result = bring(mine, 1, 10);
		assert_taken(&result, 10);
		result = bring(plain, 11, 12);
		expect_signature(&result, mine, 10);
		result = bring(stolen, 11, 12);
		expect_signature(&result, mine, 10);
		reopen();
	}
	assert_int_equal(count_findings("unsigned"), 0);
	result = bring(mine, 11, 20);
	assert_taken(&result, 20);
	result = bring(restarted, 21, 30);
	assert_taken(&result, 30);
	free(mine);
	free(plain);
	free(stolen);
	free(restarted);
	EVP_PKEY_free(sensor);
	EVP_PKEY_free(thief);
}

static void enrol(const char *path, const uint8_t key[PUBLIC_KEY_BYTES])
{
	CLEANUP(close_fd) int fd = -1;

	assert_int_equal(mkdir(path, 0750), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(public_key_write(fd, "identity.pub", key), 0);
}

/* A sensor whose identity an operator put there is believed from its first frame, no other is. */
static void enrolled_sensor_alone_is_taken(void **state)
{
	EVP_PKEY *sensor = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *thief = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t key[PUBLIC_KEY_BYTES];
	size_t size = sizeof(key);
	struct made *mine, *stolen;
	struct accept_result result;
	char path[160] = "";

	(void)state;
	signs = thief;
	stolen = make_chain("one", 1, NULL, 1);
	signs = sensor;
	mine = make_chain("one", 1, NULL, 1);
	signs = NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, "6f6e6500000000000000000000000000");
	assert_int_equal(EVP_PKEY_get_raw_public_key(sensor, key, &size), 1);
	enrol(path, key);
	reopen();
	result = bring(stolen, 1, 3);
	expect_signature(&result, stolen, 0);
	result = bring(mine, 1, 3);
	assert_taken(&result, 3);
	free(mine);
	free(stolen);
	EVP_PKEY_free(sensor);
	EVP_PKEY_free(thief);
}

static struct accept_result bring_behind_hole(const struct made *made, uint64_t number,
					      uint64_t missing_from)
{
	struct accept_missing missing = {.from = missing_from, .to = number - 1};
	struct accept_result result;

	accept_frames(&options, made->frames[number].bytes, made->frames[number].size, &missing,
		      &result);
	return result;
}

/* Behind a declared hole, where the frame that named the key is gone, and after a restart: the
 * sensor's frames are proven all the same, and nobody else's are taken. */
static void hole_lets_nobody_in(void **state)
{
	EVP_PKEY *sensor = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *thief = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct accept_result result;
	struct made *mine, *stolen;

	(void)state;
	signs = sensor;
	mine = make_chain("one", 1, NULL, 1);
	stolen = make_chain("one", 1, NULL, 1);
	for (uint64_t i = 1; i <= FRAMES; i++)
		uncertify(stolen, i, thief);
	signs = NULL;
	result = bring_behind_hole(stolen, 2, 1);
	expect_signature(&result, mine, 0); /* nobody vouches for it: it enrols nobody either */
	result = bring(mine, 1, 5);
	assert_taken(&result, 5);
	for (int restart = 0; restart < 2; restart++) {
		uint64_t end = position(mine);

		result = bring_behind_hole(stolen, end + 2, end + 1);
		expect_signature(&result, mine, end);
		for (uint64_t number = end - 1; number <= end + 1; number++) {
			result = bring(stolen, number, number);
			expect_signature(&result, mine, end);
		}
		result = bring_behind_hole(mine, end + 2, end + 1);
		assert_taken(&result, end + 2);
		reopen();
	}
	assert_int_equal(count_findings("fork"), 0); /* anybody could say so */
	assert_int_equal(count_findings("gap"), 2);  /* likewise */
	result = bring(mine, 10, 20);
	assert_taken(&result, 20);
	free(mine);
	free(stolen);
	EVP_PKEY_free(sensor);
	EVP_PKEY_free(thief);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signed_stream_stays_its_sensors, setup, teardown),
		cmocka_unit_test_setup_teardown(enrolled_sensor_alone_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(hole_lets_nobody_in, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
