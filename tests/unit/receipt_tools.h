/* SPDX-License-Identifier: Apache-2.0 */
/* A directory, two collectors that sign in it, and receipts of theirs. */
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/notary.h"
#include "frame/sealed.h"

static char dir[64];
static int at;
static struct notary *notary, *other;
static uint8_t id[16] = "sensor";

static inline int open_notary(const char *name, struct notary **ret)
{
	int fd, err;

	mkdirat(at, name, 0700);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY);
	err = notary_open(fd, ret);
	close(fd);
	return err;
}

static inline int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/hinomi-receipts-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	at = open(dir, O_RDONLY | O_DIRECTORY);
	return open_notary("one", &notary) ?: open_notary("two", &other);
}

static inline int teardown(void **state)
{
	char command[128];

	(void)state;
	notary_free(notary);
	notary_free(other);
	close(at);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

struct sealing {
	Hinomi__SealedReceipt sealed;
	uint8_t bytes[256], signature[64], hash[32];
};

static inline void seal(struct sealing *to, const struct notary *by, uint64_t number,
			const char *hash)
{
	Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;

	memset(to, 0, sizeof(*to));
	snprintf((char *)to->hash, sizeof(to->hash), "%s", hash);
	receipt.sensor_id = (ProtobufCBinaryData){.data = id, .len = 16};
	receipt.lane = HINOMI__LANE__LANE_BULK;
	receipt.number = number;
	receipt.header_sha256 = (ProtobufCBinaryData){.data = to->hash, .len = 32};
	receipt.end = number;
	receipt.stored_real_ns = 1700000000000000000 + number;
	hinomi__sealed_receipt__init(&to->sealed);
	to->sealed.receipt.data = to->bytes;
	to->sealed.receipt.len = hinomi__receipt__pack(&receipt, to->bytes);
	assert_int_equal(notary_sign(by, &to->sealed, to->signature), 0);
}

static inline int keep(struct sealed_file *file, const struct sealing *sealing)
{
	Hinomi__Receipt *receipt = hinomi__receipt__unpack(NULL, sealing->sealed.receipt.len,
							   sealing->sealed.receipt.data);
	int err = sealed_file_add(file, receipt, &sealing->sealed);

	hinomi__receipt__free_unpacked(receipt, NULL);
	return err;
}
