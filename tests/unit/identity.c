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

#define NO    HINOMI__SENSOR_START__REPLACED__REPLACED_NO
#define OTHER HINOMI__SENSOR_START__REPLACED__REPLACED_OTHER_MACHINE
#define HARM  HINOMI__SENSOR_START__REPLACED__REPLACED_DAMAGED

/* A start: why another sensor begins, if one does, and who it is. */
static Hinomi__SensorStart__Replaced start(const char *dir, const char *machine,
					   struct replaced *replaced, uint8_t id[16])
{
	struct seal_identity identity = {0};
	EVP_PKEY *key = NULL;

	assert_int_equal(bind_check(dir, machine, replaced), 0);
	assert_int_equal(identity_load(dir, &identity), 0);
	assert_int_equal(identity_key(dir, &key), 0);
	assert_int_equal(bind_machine(dir, machine), 0);
	EVP_PKEY_free(key);
	memcpy(id, identity.sensor_id, 16);
	return replaced->why;
}

static void machine(const struct test_spool *test, const char *id, char path[160])
{
	snprintf(path, 160, "%s/machine-id", test->top);
	spill(path, id, strlen(id));
}

static void copied_disk_is_another_sensor(void **state)
{
	const struct test_spool *test = *state;
	uint8_t first[16], again[16], second[16];
	struct replaced replaced;
	char path[160], kept[320];

	assert_int_equal(mkdir(test->dir, 0750), 0);
	machine(test, "uninitialized\n", path); /* an image that is being made */
	assert_int_equal(start(test->dir, path, &replaced, first), NO);
	machine(test, "0123456789abcdef0123456789abcdef\n", path);
	assert_int_equal(start(test->dir, path, &replaced, again), NO);
	assert_memory_equal(first, again, 16);
	assert_int_equal(unlink(path), 0); /* and back: it is bound all the same */
	assert_int_equal(start(test->dir, path, &replaced, again), NO);
	assert_memory_equal(first, again, 16);
	snprintf(kept, sizeof(kept), "%s/keep", test->dir);
	assert_int_equal(mkdir(kept, 0750), 0);
	machine(test, "fedcba9876543210fedcba9876543210\n", path);
	assert_int_equal(start(test->dir, path, &replaced, second), OTHER);
	assert_memory_equal(replaced.sensor_id, first, 16);
	assert_memory_not_equal(first, second, 16);
	snprintf(kept, sizeof(kept), "%s/%s/keep", test->dir, replaced.name);
	assert_int_equal(access(kept, F_OK), 0);
	snprintf(kept, sizeof(kept), "%s/%s/identity.key", test->dir, replaced.name);
	assert_int_equal(access(kept, F_OK), 0);
	assert_int_equal(start(test->dir, path, &replaced, again), NO);
	assert_memory_equal(second, again, 16);
}

/* Each bit of what says who the sensor is. */
static void damage_is_found(void **state)
{
	const struct test_spool *test = *state;
	static const char *const names[] = {"sensor_id", "identity.key", "identity.bound"};
	char path[160], victim[160];
	struct replaced replaced;
	uint8_t id[16], again[16];
	unsigned flips = 0;

	machine(test, "0123456789abcdef0123456789abcdef\n", path);
	assert_int_equal(mkdir(test->dir, 0750), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint8_t *bytes;
		size_t size;

		snprintf(victim, sizeof(victim), "%s/%s", test->dir, names[i]);
		remove_tree(test->dir);
		assert_int_equal(mkdir(test->dir, 0750), 0);
		assert_int_equal(start(test->dir, path, &replaced, id), NO);
		bytes = slurp(victim, &size);
		for (size_t bit = 0; bit < 8 * size; bit++, flips++) {
			free(bytes);
			bytes = slurp(victim, &size);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			spill(victim, bytes, size);
			assert_int_equal(start(test->dir, path, &replaced, again), HARM);
			assert_memory_not_equal(id, again, 16);
			memcpy(id, again, 16);
		}
		free(bytes);
	}
	print_message("%u flips\n", flips);
}

/* Somebody writes there: what is his is not moved. */
static void spool_in_use_is_left_alone(void **state)
{
	const struct test_spool *test = *state;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct replaced replaced;
	uint8_t id[16];
	char path[160], name[160];
	int fd;

	assert_int_equal(mkdir(test->dir, 0750), 0);
	machine(test, "0123456789abcdef0123456789abcdef\n", path);
	assert_int_equal(start(test->dir, path, &replaced, id), NO);
	machine(test, "fedcba9876543210fedcba9876543210\n", path);
	snprintf(name, sizeof(name), "%s/lock", test->dir);
	fd = open(name, O_RDWR | O_CREAT, 0640);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
	assert_int_equal(bind_check(test->dir, path, &replaced), -EBUSY);
	snprintf(name, sizeof(name), "%s/sensor_id", test->dir);
	assert_int_equal(access(name, F_OK), 0);
	close(fd);
	assert_int_equal(start(test->dir, path, &replaced, id), OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(stays_the_same),
		SPOOL_TEST(unreadable_is_not_replaced),
		SPOOL_TEST(public_half_is_made_again),
		SPOOL_TEST(copied_disk_is_another_sensor),
		SPOOL_TEST(damage_is_found),
		SPOOL_TEST(spool_in_use_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
