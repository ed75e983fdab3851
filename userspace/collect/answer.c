/* SPDX-License-Identifier: Apache-2.0 */
/* Results as the protocol has them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/accept.h"
#include "collect/notary.h"
#include "collect/store.h"

unsigned answer_status(const struct accept_result *result)
{
	switch (result->problem) {
	case HINOMI__PROBLEM__PROBLEM_NONE:
		return 200;
	case HINOMI__PROBLEM__PROBLEM_MALFORMED:
		return 400;
	case HINOMI__PROBLEM__PROBLEM_STORE:
		return 503;
	case HINOMI__PROBLEM__PROBLEM_UNKNOWN:
		return 404;
	default:
		return 409;
	}
}

static uint8_t *pack(const ProtobufCMessage *message, size_t *size)
{
	uint8_t *bytes;

	*size = protobuf_c_message_get_packed_size(message);
	bytes = malloc(*size ? *size : 1);
	if (bytes)
		protobuf_c_message_pack(message, bytes);
	return bytes;
}

/* sealed: its receipt is malloc'ed; signature: where it lies. */
static int seal_receipt(const struct accept_options *options, const struct accept_receipt *from,
			uint8_t signature[64], Hinomi__SealedReceipt *sealed)
{
	Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;
	int err;

	receipt.sensor_id.data = (uint8_t *)from->sensor_id;
	receipt.sensor_id.len = sizeof(from->sensor_id);
	receipt.lane = (Hinomi__Lane)from->lane;
	receipt.number = from->number;
	receipt.header_sha256.data = (uint8_t *)from->hash;
	receipt.header_sha256.len = from->number ? sizeof(from->hash) : 0;
	receipt.end = from->end;
	receipt.stored_real_ns = clock_real_ns();
	sealed->receipt.data = pack(&receipt.base, &sealed->receipt.len);
	if (!sealed->receipt.data)
		return -ENOMEM;
	err = notary_sign(options->notary, sealed, signature);
	if (!err)
		err = store_receipt(options->store, &receipt, sealed);
	if (err)
		free(sealed->receipt.data);
	return err;
}

uint8_t *answer_pack(const struct accept_options *options, const struct accept_result *result,
		     size_t *size)
{
	Hinomi__SealedReceipt sealed[ACCEPT_CHAINS_MAX], *list[ACCEPT_CHAINS_MAX];
	uint8_t signatures[ACCEPT_CHAINS_MAX][64];
	Hinomi__Answer answer = HINOMI__ANSWER__INIT;
	uint8_t *bytes = NULL;
	size_t i;

	for (i = 0; i < result->nreceipts; i++) {
		hinomi__sealed_receipt__init(&sealed[i]);
		list[i] = &sealed[i];
		if (seal_receipt(options, &result->receipts[i], signatures[i], &sealed[i]))
			break;
	}
	answer.receipts = list;
	answer.n_receipts = i;
	answer.problem = result->problem;
	answer.number = result->number;
	answer.text = (char *)result->text;
	if (i == result->nreceipts)
		bytes = pack(&answer.base, size);
	while (i-- > 0)
		free(sealed[i].receipt.data);
	return bytes;
}
