/* SPDX-License-Identifier: Apache-2.0 */
/* Whose frames the collector takes. */
#include "collect_tools.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signed_stream_stays_its_sensors, setup, teardown),
		cmocka_unit_test_setup_teardown(enrolled_sensor_alone_is_taken, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
