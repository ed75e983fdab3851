// SPDX-License-Identifier: Apache-2.0
/* Who the sensor is, over starts, crashes and what cannot be read: userspace/identity.c. */
#include <openssl/evp.h>

#include "frame/public_key.h"
#include "pipeline.h"
#include "spool_tools.h"

static void write_named(const char *dir, const char *name, const void *bytes, size_t size)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	spill(path, bytes, size);
}

static void stays_the_same(void **state)
{
	const struct test_spool *test = *state;
	struct seal_identity first = {0}, again = {0};
	EVP_PKEY *key = NULL, *other = NULL;

	assert_int_equal(mkdir(test->dir, 0700), 0);
	assert_int_equal(identity_load(test->dir, &first), 0);
	assert_int_equal(identity_load(test->dir, &again), 0);
	assert_memory_equal(first.sensor_id, again.sensor_id, 16);
	assert_int_equal(identity_key(test->dir, &key), 0);
	assert_int_equal(identity_key(test->dir, &other), 0);
	assert_int_equal(EVP_PKEY_eq(key, other), 1);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* Damaged, or not to be read: the sensor does not become another one. */
static void unreadable_is_not_replaced(void **state)
{
	const struct test_spool *test = *state;
	struct seal_identity identity = {0};
	EVP_PKEY *key = NULL;
	char path[160];
	uint8_t *bytes;
	size_t size;

	assert_int_equal(mkdir(test->dir, 0700), 0);
	write_named(test->dir, "sensor_id", "half", 4);
	write_named(test->dir, "identity.key", "half", 4);
	assert_int_equal(identity_load(test->dir, &identity), -EBADMSG);
	assert_int_equal(identity_key(test->dir, &key), -EBADMSG);
	snprintf(path, sizeof(path), "%s/sensor_id", test->dir);
	bytes = slurp(path, &size);
	assert_int_equal(size, 4);
	free(bytes);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(identity_load(test->dir, &identity), -EISDIR);
}

/* The machine stopped between the two files, or somebody changed the second. */
static void public_half_is_made_again(void **state)
{
	const struct test_spool *test = *state;
	uint8_t first[PUBLIC_KEY_BYTES], again[PUBLIC_KEY_BYTES], other[PUBLIC_KEY_BYTES] = {1};
	EVP_PKEY *key = NULL;
	int dir;

	assert_int_equal(mkdir(test->dir, 0700), 0);
	assert_int_equal(identity_key(test->dir, &key), 0);
	EVP_PKEY_free(key);
	dir = open(test->dir, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	assert_int_equal(public_key_read(dir, "identity.pub", first), 0);
	assert_int_equal(unlinkat(dir, "identity.pub", 0), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(identity_key(test->dir, &key), 0);
		EVP_PKEY_free(key);
		assert_int_equal(public_key_read(dir, "identity.pub", again), 0);
		assert_memory_equal(first, again, sizeof(first));
		assert_int_equal(public_key_write(dir, "identity.pub", other), 0);
	}
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(stays_the_same),
		SPOOL_TEST(unreadable_is_not_replaced),
		SPOOL_TEST(public_half_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
