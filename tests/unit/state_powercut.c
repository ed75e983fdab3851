/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of state when the power fails at any of the calls that change them: cursors, the sensor's
 * identity, dead letters, receipts, a collector's key.
 */
#include <openssl/evp.h>

#include "collect/notary.h"
#include "forward/cursor.h"
#include "forward/dead.h"
#include "frame/public_key.h"
#include "frame/sealed.h"
#include "pipeline.h"
#include "state_disk.h"

/* ---- cursors */

static void move_cursor(const char *dir)
{
	for (unsigned start = 0; start < 4; start++) {
		CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
		struct cursor_file file;
		struct cursor cursor = {0};
		int err = cursor_open(at, "soc.keep.cursor", &file, &cursor);

		assert_int_equal(err, start ? 0 : -ENOENT);
		for (int i = 0; i < 10; i++) {
			cursor.frame = ++begun;
			cursor.at.segment = 1 + cursor.frame / 7;
			cursor.at.offset = 128 * cursor.frame;
			assert_int_equal(cursor_save(&file, &cursor), 0);
			acked = begun;
		}
		cursor_close(&file);
	}
}

static void judge_cursor(const char *dir, unsigned from, unsigned to)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct cursor cursor = {0};
	struct cursor_file file;
	int err = cursor_open(at, "soc.keep.cursor", &file, &cursor);

	if (err) {
		assert_true(!from && (err == -ENOENT || err == -EBADMSG));
	} else {
		assert_in_range(cursor.frame, from, to);
		assert_int_equal(cursor.at.offset, 128 * cursor.frame);
	}
	cursor.frame = 1000;
	assert_int_equal(cursor_save(&file, &cursor), 0);
	cursor_close(&file);
	assert_int_equal(cursor_open(at, "soc.keep.cursor", &file, &cursor), 0);
	assert_int_equal(cursor.frame, 1000);
	cursor_close(&file);
}

static void cursors(void **state)
{
	cut_everywhere(state, move_cursor, judge_cursor, true);
}

/* ---- who the sensor is */

static struct seal_identity own;
static uint8_t own_key[PUBLIC_KEY_BYTES];

static void load(const char *dir, struct seal_identity *identity, uint8_t key[PUBLIC_KEY_BYTES])
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct replaced replaced;
	EVP_PKEY *pair = NULL;

	assert_int_equal(bind_check(dir, "/nonexistent", &replaced), 0);
	assert_int_equal(replaced.why, 0);
	assert_int_equal(identity_load(dir, identity), 0);
	assert_int_equal(identity_key(dir, &pair), 0);
	assert_int_equal(bind_machine(dir, "/nonexistent"), 0);
	EVP_PKEY_free(pair);
	assert_int_equal(public_key_read(at, "identity.pub", key), 0);
}

static void become(const char *dir)
{
	begun = 1;
	load(dir, &own, own_key);
	acked = 1;
	load(dir, &own, own_key);
}

static void judge_identity(const char *dir, unsigned from, unsigned to)
{
	struct seal_identity identity, again;
	uint8_t key[PUBLIC_KEY_BYTES], key_again[PUBLIC_KEY_BYTES];

	(void)to;
	load(dir, &identity, key);
	load(dir, &again, key_again);
	assert_memory_equal(identity.sensor_id, again.sensor_id, 16);
	assert_memory_equal(key, key_again, sizeof(key));
	if (from) {
		assert_memory_equal(identity.sensor_id, own.sensor_id, 16);
		assert_memory_equal(key, own_key, sizeof(key));
	}
}

static void identities(void **state)
{
	cut_everywhere(state, become, judge_identity, true);
}

/* ---- dead letters */

static void add_letter(struct dead *dead, unsigned number)
{
	char reason[32];

	snprintf(reason, sizeof(reason), "letter %u.", number);
	assert_int_equal(dead_add(dead, (const uint8_t *)"", 0, 400, reason), 0);
}

static void write_letters(const char *dir)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct dead dead;

	dead_init(&dead, at, "soc");
	for (int i = 0; i < 20; i++) {
		begun++;
		add_letter(&dead, begun);
		assert_int_equal(dead_sync(&dead), 0);
		acked = begun;
	}
	dead_done(&dead);
}

/* Each acknowledged one on a line of its own, and one more behind whatever was torn. */
static void judge_letters(const char *dir, unsigned from, unsigned to)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	char path[256], line[512];
	unsigned whole = 0;
	struct dead dead;
	bool last = false;
	FILE *file;

	(void)to;
	dead_init(&dead, at, "soc");
	add_letter(&dead, 1000);
	dead_done(&dead);
	snprintf(path, sizeof(path), "%s/soc.dead.jsonl", dir);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "letter %u.", whole + 1);
		if (line[0] == '{' && strstr(line, wanted) && strstr(line, "}\n"))
			whole++;
		last = line[0] == '{' && strstr(line, "letter 1000.") && strstr(line, "}\n");
	}
	fclose(file);
	assert_true(whole >= from);
	assert_true(last);
}

static void dead_letters(void **state)
{
	cut_everywhere(state, write_letters, judge_letters, false);
}

/* ---- receipts, of a forwarder and of a collector */

#define RECEIPT_FILE  "soc.keep.receipts"
#define RECEIPT_SLOTS 5 /* so that files are begun anew */

static int add_receipt(struct sealed_file *file, uint64_t number)
{
	uint8_t sensor[16] = {1}, hash[32] = {(uint8_t)number}, bytes[256], signature[64] = {0};
	Hinomi__SealedReceipt sealed = HINOMI__SEALED_RECEIPT__INIT;
	Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;

	receipt.sensor_id = (ProtobufCBinaryData){sizeof(sensor), sensor};
	receipt.number = receipt.end = number;
	receipt.header_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
	sealed.receipt.len = hinomi__receipt__pack(&receipt, bytes);
	sealed.receipt.data = bytes;
	sealed.signature = (ProtobufCBinaryData){sizeof(signature), signature};
	return sealed_file_add(file, &receipt, &sealed);
}

static void keep_receipts(const char *dir)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);

	for (unsigned start = 0; start < 4; start++) {
		struct sealed_file file;

		assert_int_equal(sealed_file_open(at, RECEIPT_FILE, RECEIPT_SLOTS, &file), 0);
		for (int i = 0; i < 7; i++) {
			begun++;
			assert_int_equal(add_receipt(&file, begun), 0);
			acked = begun;
		}
		sealed_file_close(&file);
	}
}

static void see_receipt(void *ctx, const Hinomi__SealedReceipt *sealed)
{
	uint64_t *highest = ctx;
	Hinomi__Receipt *receipt =
		hinomi__receipt__unpack(NULL, sealed->receipt.len, sealed->receipt.data);

	assert_non_null(receipt);
	assert_int_equal(receipt->header_sha256.data[0], (uint8_t)receipt->number);
	*highest = receipt->number > *highest ? receipt->number : *highest;
	hinomi__receipt__free_unpacked(receipt, NULL);
}

/* The highest that was kept covers all before it. */
static void judge_receipts(const char *dir, unsigned from, unsigned to)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct sealed_file file;
	uint64_t highest = 0;
	char path[256];

	snprintf(path, sizeof(path), "%s/" RECEIPT_FILE, dir);
	if (sealed_file_read(path, 0, see_receipt, &highest))
		assert_int_equal(from, 0);
	assert_in_range(highest, from, to);
	assert_int_equal(sealed_file_open(at, RECEIPT_FILE, RECEIPT_SLOTS, &file), 0);
	assert_int_equal(file.highest, highest);
	for (unsigned i = 0; i <= RECEIPT_SLOTS; i++)
		assert_int_equal(add_receipt(&file, 100 + i), 0);
	sealed_file_close(&file);
	highest = 0;
	assert_int_equal(sealed_file_read(path, 0, see_receipt, &highest), 0);
	assert_int_equal(highest, 100 + RECEIPT_SLOTS);
}

static void receipts(void **state)
{
	/* eight share a block: with a disk that spoils it, both sides have to lose theirs */
	cut_everywhere(state, keep_receipts, judge_receipts, false);
}

/* ---- the key that a collector signs with */

static uint8_t collector_key[PUBLIC_KEY_BYTES];

static void load_notary(const char *dir, uint8_t key[PUBLIC_KEY_BYTES])
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct notary *notary = NULL;

	assert_int_equal(notary_open(at, &notary), 0);
	assert_int_equal(public_key_read(at, "receipt.pub", key), 0);
	notary_free(notary);
}

static void sign_receipts(const char *dir)
{
	begun = 1;
	load_notary(dir, collector_key);
	acked = 1;
	load_notary(dir, collector_key);
}

static void judge_notary(const char *dir, unsigned from, unsigned to)
{
	uint8_t key[PUBLIC_KEY_BYTES], again[PUBLIC_KEY_BYTES];

	(void)to;
	load_notary(dir, key);
	load_notary(dir, again);
	assert_memory_equal(key, again, sizeof(key));
	if (from)
		assert_memory_equal(key, collector_key, sizeof(key));
}

static void notaries(void **state)
{
	cut_everywhere(state, sign_receipts, judge_notary, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(cursors),  SPOOL_TEST(identities), SPOOL_TEST(dead_letters),
		SPOOL_TEST(receipts), SPOOL_TEST(notaries),
	};

	setenv("TMPDIR", "/dev/shm", 0); /* the cache is ours */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
