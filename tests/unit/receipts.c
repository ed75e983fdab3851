/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: signed by the collector, believed from nobody else, kept, and held against a stream. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/verifier.h"
#include "forward/http.h"
#include "forward/pin.h"
#include "forward/receipt.h"
#include "receipt_tools.h"

static void only_its_key_opens_a_receipt(void **state)
{
	struct sealing mine, stranger;
	Hinomi__Receipt *receipt;
	uint8_t key[32];

	(void)state;
	seal(&mine, notary, 7, "hash");
	seal(&stranger, other, 7, "hash");
	memcpy(key, mine.sealed.public_key.data, 32);
	assert_int_equal(sealed_open(&mine.sealed, key, &receipt), 0);
	assert_int_equal(receipt->number, 7);
	hinomi__receipt__free_unpacked(receipt, NULL);
	assert_int_equal(sealed_open(&stranger.sealed, key, &receipt), -EBADMSG);
	for (size_t bit = 0; bit < 8 * mine.sealed.receipt.len; bit++) {
		mine.bytes[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(sealed_open(&mine.sealed, key, &receipt), -EBADMSG);
		mine.bytes[bit / 8] ^= 1 << bit % 8;
	}
	mine.sealed.algorithm = HINOMI__ALGORITHM__ALGORITHM_NONE;
	assert_int_equal(sealed_open(&mine.sealed, key, &receipt), -EBADMSG);
}

static void key_stays_the_same(void **state)
{
	struct sealing before, after;

	(void)state;
	seal(&before, notary, 1, "hash");
	notary_free(notary);
	assert_int_equal(open_notary("one", &notary), 0);
	seal(&after, notary, 1, "hash");
	assert_memory_equal(before.signature, after.signature, 64);
}

static void first_key_is_kept_and_no_other_believed(void **state)
{
	struct config_sink sink = {.name = "soc"};
	struct sealing mine, stranger;
	Hinomi__Receipt *receipt;
	struct pin pin;

	(void)state;
	seal(&mine, notary, 1, "hash");
	seal(&stranger, other, 1, "hash");
	assert_int_equal(pin_init(&pin, at, &sink), 0);
	mine.sealed.public_key = stranger.sealed.public_key; /* a key that did not sign it */
	assert_int_equal(pin_open(&pin, &mine.sealed, &receipt), -EBADMSG);
	seal(&mine, notary, 1, "hash");
	for (int restart = 0; restart < 2; restart++) {
		assert_int_equal(pin_open(&pin, &mine.sealed, &receipt), 0);
		hinomi__receipt__free_unpacked(receipt, NULL);
		assert_int_equal(pin_open(&pin, &stranger.sealed, &receipt), -EBADMSG);
		pin_done(&pin);
		assert_int_equal(pin_init(&pin, at, &sink), 0);
	}
	pin_done(&pin);
}

static void configured_key_alone_is_believed(void **state)
{
	struct config_sink sink = {.name = "soc"};
	struct sealing mine, stranger;
	Hinomi__Receipt *receipt;
	struct pin pin;
	char text[65];

	(void)state;
	seal(&mine, notary, 1, "hash");
	seal(&stranger, other, 1, "hash");
	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", mine.sealed.public_key.data[i]);
	sink.receipt_key = text;
	assert_int_equal(pin_init(&pin, at, &sink), 0);
	assert_int_equal(pin_open(&pin, &stranger.sealed, &receipt), -EBADMSG);
	assert_int_equal(pin_open(&pin, &mine.sealed, &receipt), 0);
	hinomi__receipt__free_unpacked(receipt, NULL);
	pin_done(&pin);
}

#define NAME	"soc.bulk.receipts"
#define NUMBERS 64

/* What a file has, in order. */
struct kept {
	uint64_t numbers[NUMBERS];
	size_t count;
};

static void collect_numbers(void *ctx, const Hinomi__SealedReceipt *sealed)
{
	struct kept *kept = ctx;
	Hinomi__Receipt *receipt =
		hinomi__receipt__unpack(NULL, sealed->receipt.len, sealed->receipt.data);

	assert_non_null(receipt);
	assert_true(kept->count < NUMBERS);
	kept->numbers[kept->count++] = receipt->number;
	hinomi__receipt__free_unpacked(receipt, NULL);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct kept read_kept(const char *name, uint32_t newest)
{
	struct kept kept = {0};

	assert_int_equal(sealed_file_read(path_of(name), newest, collect_numbers, &kept), 0);
	return kept;
}

/* Each is appended; what a second file has no room for begins it, and the highest goes with it. */
static void file_keeps_all_until_the_second_is_full(void **state)
{
	struct sealed_file file;
	struct sealing sealing;
	struct kept now, old;

	(void)state;
	for (unsigned number = 1; number <= 20; number++) {
		assert_int_equal(sealed_file_open(at, NAME, 8, &file), 0);
		assert_int_equal(file.highest, number > 16 ? 16 : number - 1);
		seal(&sealing, notary, number > 16 ? number - 16 : number, "hash");
		assert_int_equal(keep(&file, &sealing), 0);
		assert_int_equal(keep(&file, &sealing), 0); /* says nothing new */
		sealed_file_close(&file);
		now = read_kept(NAME, 0);
		assert_int_equal(now.numbers[now.count - 1], number > 16 ? number - 16 : number);
		assert_true(now.count <= 8);
	}
	/* 8 there, then the highest and 7 more, and so on: 1..8, 8..15, 15 16 1 2 3 4 */
	old = read_kept(NAME ".1", 0);
	assert_int_equal(old.count, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(old.numbers[i], 8 + i);
	assert_int_equal(now.count, 6);
	assert_int_equal(now.numbers[0], 15);
	assert_int_equal(now.numbers[1], 16);
	for (unsigned i = 2; i < 6; i++)
		assert_int_equal(now.numbers[i], i - 1);
	now = read_kept(NAME, 2);
	assert_int_equal(now.count, 2);
	assert_int_equal(now.numbers[0], 3);
}

/* A machine that stops between any two steps of beginning anew. */
static void file_is_there_at_every_moment(void **state)
{
	struct sealed_file file;
	struct sealing sealing;
	struct kept kept;

	(void)state;
	assert_int_equal(sealed_file_open(at, NAME, 4, &file), 0);
	for (unsigned number = 1; number <= 4; number++) {
		seal(&sealing, notary, number, "hash");
		assert_int_equal(keep(&file, &sealing), 0);
	}
	sealed_file_close(&file);
	for (int step = 0; step < 2; step++) { /* NAME.new is there; NAME.1 is NAME */
		assert_int_equal(step ? linkat(at, NAME, at, NAME ".1", 0)
				      : close(openat(at, NAME ".new", O_CREAT | O_WRONLY, 0600)),
				 0);
		kept = read_kept(NAME, 0);
		assert_int_equal(kept.count, 4);
	}
	assert_int_equal(sealed_file_open(at, NAME, 4, &file), 0);
	seal(&sealing, notary, 5, "hash");
	assert_int_equal(keep(&file, &sealing), 0);
	sealed_file_close(&file);
	kept = read_kept(NAME, 0);
	assert_int_equal(kept.count, 2);
	assert_int_equal(kept.numbers[0], 4);
	assert_int_equal(kept.numbers[1], 5);
	assert_int_equal(read_kept(NAME ".1", 0).count, 4);
}

/* A slot is whole or not there, whatever bit of it was changed or wherever it was torn. */
static void damaged_slot_is_not_there(void **state)
{
	uint8_t bytes[2 * SEALED_SLOT_BYTES];
	struct sealed_file file;
	struct sealing sealing;
	struct kept kept;

	(void)state;
	assert_int_equal(sealed_file_open(at, NAME, 8, &file), 0);
	for (unsigned number = 1; number <= 2; number++) {
		seal(&sealing, notary, number, "hash");
		assert_int_equal(keep(&file, &sealing), 0);
	}
	assert_int_equal(pread(file.fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	for (size_t i = 0; i < SEALED_SLOT_BYTES; i++) {
		uint8_t wrong = bytes[i] ^ (1 << i % 8);

		assert_int_equal(pwrite(file.fd, &wrong, 1, i), 1);
		kept = read_kept(NAME, 0);
		assert_int_equal(kept.count, 1);
		assert_int_equal(kept.numbers[0], 2);
		assert_int_equal(pwrite(file.fd, &bytes[i], 1, i), 1);
	}
	sealed_file_close(&file);
	for (off_t size = SEALED_SLOT_BYTES + 1; size < 2 * SEALED_SLOT_BYTES; size += 51) {
		assert_int_equal(truncate(path_of(NAME), size), 0);
		assert_int_equal(sealed_file_open(at, NAME, 8, &file), 0);
		assert_int_equal(file.highest, 1);
		seal(&sealing, notary, 3, "hash");
		assert_int_equal(keep(&file, &sealing), 0);
		kept = read_kept(NAME, 0);
		assert_int_equal(kept.count, 2);
		assert_int_equal(kept.numbers[1], 3);
		sealed_file_close(&file);
	}
}

static void count_only(void *ctx, const Hinomi__SealedReceipt *sealed)
{
	(void)sealed;
	++*(size_t *)ctx;
}

/* The sensor, which has privileges, reads it in a directory of the forwarder, which has none. */
static void strange_file_is_refused_at_once(void **state)
{
	struct sealed_file file;
	struct sealing sealing;
	size_t count = 0;

	(void)state;
	assert_int_equal(mkfifoat(at, "fifo", 0600), 0);
	assert_int_equal(symlinkat("/dev/zero", at, "zero"), 0);
	assert_int_equal(sealed_file_read(path_of("fifo"), 64, count_only, &count), -EINVAL);
	assert_int_equal(sealed_file_read(path_of("zero"), 64, count_only, &count), -ELOOP);
	assert_int_equal(sealed_file_read("/dev/zero", 64, count_only, &count), -EINVAL);
	assert_int_equal(sealed_file_read(dir, 64, count_only, &count), -EINVAL);
	assert_int_equal(sealed_file_read(path_of("none"), 64, count_only, &count), -ENOENT);
	assert_int_equal(sealed_file_open(at, NAME, 8, &file), 0);
	seal(&sealing, notary, 1, "hash");
	assert_int_equal(keep(&file, &sealing), 0);
	sealed_file_close(&file);
	assert_int_equal(truncate(path_of(NAME), (off_t)1 << 40), 0); /* a hole of a terabyte */
	assert_int_equal(sealed_file_read(path_of(NAME), 64, count_only, &count), 0);
	assert_int_equal(count, 0);
}

static struct http_answer *answer_with(long status, const char *type, const uint8_t *body,
				       size_t size)
{
	static struct http_answer answer;

	memset(&answer, 0, sizeof(answer));
	answer.status = status;
	answer.size = size;
	memcpy(answer.body, body, size);
	snprintf(answer.type, sizeof(answer.type), "%s", type);
	return &answer;
}

static size_t pack_answer(struct sealing *sealing, Hinomi__Problem problem, uint8_t *out)
{
	Hinomi__SealedReceipt *list[] = {&sealing->sealed};
	Hinomi__Answer answer = HINOMI__ANSWER__INIT;

	answer.receipts = list;
	answer.n_receipts = 1;
	answer.problem = problem;
	return hinomi__answer__pack(&answer, out);
}

static void receipt_is_of_the_chain_asked_for(void **state)
{
	struct config_sink sink = {.name = "soc"};
	uint8_t stranger[16] = "other", body[1024];
	struct receipt_keeper keeper;
	struct sealing sealing;
	struct receipt read;
	struct pin pin;
	size_t size;

	(void)state;
	assert_int_equal(pin_init(&pin, at, &sink), 0);
	keeper.pin = &pin;
	assert_int_equal(sealed_file_open(at, "kept", 8, &keeper.file), 0);
	seal(&sealing, notary, 5, "hash");
	size = pack_answer(&sealing, HINOMI__PROBLEM__PROBLEM_HOLE, body);
	assert_int_equal(receipt_read(answer_with(409, "application/x-protobuf", body, size), id,
				      LANE_BULK, &keeper, &read),
			 0);
	assert_true(read.known);
	assert_int_equal(read.number, 5);
	assert_memory_equal(read.hash, sealing.hash, 32);
	assert_int_equal(read.problem, HINOMI__PROBLEM__PROBLEM_HOLE);
	assert_int_equal(keeper.file.generation, 1);
	assert_int_equal(receipt_read(answer_with(409, "application/x-protobuf", body, size), id,
				      LANE_KEEP, &keeper, &read),
			 0);
	assert_false(read.known);
	assert_int_equal(receipt_read(answer_with(409, "application/x-protobuf", body, size),
				      stranger, LANE_BULK, &keeper, &read),
			 0);
	assert_false(read.known);
	assert_int_equal(receipt_read(answer_with(200, "text/html", body, size), id, LANE_BULK,
				      &keeper, &read),
			 -EBADMSG);
	seal(&sealing, other, 6, "hash");
	size = pack_answer(&sealing, HINOMI__PROBLEM__PROBLEM_NONE, body);
	assert_int_equal(receipt_read(answer_with(200, "application/x-protobuf", body, size), id,
				      LANE_BULK, &keeper, &read),
			 -EBADMSG);
	assert_non_null(strstr(read.text, "not signed with the collector's key"));
	assert_int_equal(keeper.file.generation, 1);
	sealed_file_close(&keeper.file);
	pin_done(&pin);
}

/* Whoever was set back says so with its own signature, and neither word of it is let go. */
static void collector_that_was_set_back_is_told(void **state)
{
	struct config_sink sink = {.name = "soc"};
	struct receipt_keeper keeper;
	struct sealing sealing;
	struct receipt read;
	uint8_t body[1024];
	struct kept kept;
	struct pin pin;

	(void)state;
	assert_int_equal(pin_init(&pin, at, &sink), 0);
	keeper.pin = &pin;
	assert_int_equal(sealed_file_open(at, "kept", 4, &keeper.file), 0);
	for (unsigned i = 0; i < 8; i++) {
		static const uint64_t numbers[] = {1000, 10, 11, 12, 13, 1001, 1002, 1003};
		size_t size;

		if (i == 3) { /* a restart of ours makes no difference */
			sealed_file_close(&keeper.file);
			assert_int_equal(sealed_file_open(at, "kept", 4, &keeper.file), 0);
		}
		seal(&sealing, notary, numbers[i], "hash");
		size = pack_answer(&sealing, HINOMI__PROBLEM__PROBLEM_NONE, body);
		assert_int_equal(
			receipt_read(answer_with(200, "application/x-protobuf", body, size), id,
				     LANE_BULK, &keeper, &read),
			0);
		assert_int_equal(read.number, numbers[i]);
		assert_int_equal(read.behind, i >= 1 && i <= 4 ? 1000 : 0);
	}
	kept = read_kept("kept.1", 0);
	assert_int_equal(kept.count, 4);
	assert_int_equal(kept.numbers[0], 1000);
	assert_int_equal(kept.numbers[1], 13);
	sealed_file_close(&keeper.file);
	pin_done(&pin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_its_key_opens_a_receipt, setup, teardown),
		cmocka_unit_test_setup_teardown(key_stays_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(first_key_is_kept_and_no_other_believed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(configured_key_alone_is_believed, setup, teardown),
		cmocka_unit_test_setup_teardown(file_keeps_all_until_the_second_is_full, setup,
						teardown),
		cmocka_unit_test_setup_teardown(file_is_there_at_every_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(strange_file_is_refused_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(collector_that_was_set_back_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(damaged_slot_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(receipt_is_of_the_chain_asked_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
