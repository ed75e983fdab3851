/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation, and each call on files, fails while a collector's receipts are opened, kept and
 * read: what was kept is there, and no good one is called forged. */
#include "nth.h"

#include "base/cleanup.h"
#include "receipt_tools.h"

#define NAME	 "sink.keep.receipts"
#define RECEIPTS 9
#define SLOTS	 4 /* of a file: three of them are begun */

static uint8_t key[32];
static struct sealing sealings[RECEIPTS + 1]; /* by number */

static int setup_receipts(void **state)
{
	int err = setup(state);

	for (unsigned number = 1; number <= RECEIPTS && !err; number++) {
		char hash[8];

		snprintf(hash, sizeof(hash), "%u", number);
		seal(&sealings[number], notary, number, hash);
	}
	if (!err)
		memcpy(key, sealings[1].sealed.public_key.data, sizeof(key));
	return err;
}

struct kept {
	uint64_t highest;
	unsigned count;
};

static void see(void *ctx, const Hinomi__SealedReceipt *sealed)
{
	struct kept *kept = ctx;
	Hinomi__Receipt *receipt;
	int err = sealed_open(sealed, key, &receipt);

	if (err) {
		assert_int_equal(err, -ENOMEM);
		return;
	}
	kept->count++;
	if (receipt->number > kept->highest)
		kept->highest = receipt->number;
	hinomi__receipt__free_unpacked(receipt, NULL);
}

/* 0, or why not all of it is known. */
static int read_all(struct kept *kept)
{
	char path[128];
	int err;

	*kept = (struct kept){0};
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	err = sealed_file_read(path, 0, see, kept);
	return err == -ENOENT ? 0 : err;
}

/* The highest that was kept. */
static uint64_t keep_all(void)
{
	struct sealed_file file;
	uint64_t kept = 0;

	if (sealed_file_open(at, NAME, SLOTS, &file))
		return 0;
	for (uint64_t number = 1; number <= RECEIPTS; number++) {
		if (!keep(&file, &sealings[number]) || !keep(&file, &sealings[number]))
			kept = number;
	}
	sealed_file_close(&file);
	return kept;
}

static void keep_once(void *ctx)
{
	unsigned *whole = ctx;
	struct sealed_file file;
	struct kept found;
	uint64_t kept;

	unlinkat(at, NAME, 0);
	unlinkat(at, NAME ".1", 0);
	unlinkat(at, NAME ".new", 0);
	kept = keep_all();
	nth.sets = 0;
	assert_int_equal(read_all(&found), 0);
	assert_true(found.highest >= kept);
	assert_int_equal(sealed_file_open(at, NAME, SLOTS, &file), 0); /* and it goes on */
	assert_int_equal(file.highest, found.highest);
	sealed_file_close(&file);
	*whole += kept == RECEIPTS;
}

static void kept_whatever_fails(void **state)
{
	unsigned whole = 0;
	unsigned long calls = nth_every(NTH_MEMORY | NTH_FILES, EIO, keep_once, &whole);

	(void)state;
	assert_true(calls > 30);
	assert_true(whole > calls / 2);
	print_message("%lu calls, %u runs kept the last one\n", calls, whole);
}

static void read_once(void *ctx)
{
	struct kept found;
	int err = read_all(&found);

	(void)ctx;
	assert_true(!err || err == -ENOMEM || err == -EIO);
}

static void good_whatever_fails(void **state)
{
	(void)state;
	assert_int_equal(keep_all(), RECEIPTS);
	assert_true(nth_every(NTH_MEMORY | NTH_FILES, EIO, read_once, NULL) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_whatever_fails, setup_receipts, teardown),
		cmocka_unit_test_setup_teardown(good_whatever_fails, setup_receipts, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
