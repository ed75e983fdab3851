/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkanswer SENSOR LANE NUMBER PROBLEM: the Answer of a collector that says it has
 * the chain up to that frame (whose hash it makes up), always signed with the same
 * key, as bytes on standard output.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.pb-c.h"
#include "frame/sealed.h"

static void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "mkanswer: %s\n", what);
	exit(1);
}

static void sign(Hinomi__SealedReceipt *sealed, uint8_t public[32], uint8_t signature[64])
{
	static const uint8_t secret[32] = "a collector of the tests";
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t text[SEALED_TEXT_BYTES];
	size_t public_size = 32, size = 64;

	must(key && ctx && !sealed_text(sealed->receipt.data, sealed->receipt.len, text) &&
		     EVP_PKEY_get_raw_public_key(key, public, &public_size) == 1 &&
		     EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		     EVP_DigestSign(ctx, signature, &size, text, sizeof(text)) == 1,
	     "cannot sign");
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	sealed->algorithm = HINOMI__ALGORITHM__ALGORITHM_ED25519;
	sealed->public_key = (ProtobufCBinaryData){32, public};
	sealed->signature = (ProtobufCBinaryData){64, signature};
}

int main(int argc, char **argv)
{
	Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;
	Hinomi__SealedReceipt sealed = HINOMI__SEALED_RECEIPT__INIT, *list[] = {&sealed};
	Hinomi__Answer answer = HINOMI__ANSWER__INIT;
	uint8_t id[16], hash[32] = {1}, public[32], signature[64], bytes[512], out[1024];

	must(argc == 5 && strlen(argv[1]) == 32, "usage: mkanswer SENSOR keep|bulk NUMBER PROBLEM");
	for (int i = 0; i < 16; i++)
		must(sscanf(argv[1] + 2 * i, "%2hhx", &id[i]) == 1, "SENSOR is 32 hex digits");
	receipt.sensor_id = (ProtobufCBinaryData){sizeof(id), id};
	receipt.lane = strcmp(argv[2], "keep") ? HINOMI__LANE__LANE_BULK : HINOMI__LANE__LANE_KEEP;
	receipt.number = receipt.end = strtoull(argv[3], NULL, 10);
	receipt.header_sha256 = (ProtobufCBinaryData){receipt.number ? sizeof(hash) : 0, hash};
	sealed.receipt.data = bytes;
	sealed.receipt.len = hinomi__receipt__pack(&receipt, bytes);
	sign(&sealed, public, signature);
	answer.receipts = list;
	answer.n_receipts = 1;
	answer.problem = (Hinomi__Problem)atoi(argv[4]);
	must(fwrite(out, 1, hinomi__answer__pack(&answer, out), stdout) > 0, "cannot write");
	return 0;
}
