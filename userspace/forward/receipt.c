/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/receipt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "forward/health.h"
#include "forward/http.h"
#include "forward/pin.h"

/* 1: it is of this chain; 0: of another; -EBADMSG; -EKEYREJECTED: not signed by the collector. */
static int take(const Hinomi__SealedReceipt *sealed, const uint8_t sensor_id[16], enum lane lane,
		struct receipt_keeper *keeper, struct receipt *ret)
{
	Hinomi__Receipt *receipt = NULL;
	int n = pin_open(keeper->pin, sealed, &receipt);

	if (n)
		return n == -EBADMSG ? -EKEYREJECTED : n;
	if (receipt->sensor_id.len != 16 ||
	    receipt->header_sha256.len != (receipt->number ? 32 : 0)) {
		n = -EBADMSG;
	} else if (!memcmp(receipt->sensor_id.data, sensor_id, 16) &&
		   (int)receipt->lane == (int)lane) {
		ret->known = true;
		ret->number = receipt->number;
		if (receipt->number)
			memcpy(ret->hash, receipt->header_sha256.data, 32);
		/* both stay: that it was set back, or lies, can only be shown with both */
		if (sealed_file_is_behind(&keeper->file, receipt))
			ret->behind = keeper->file.highest;
		if (receipt->number || ret->behind)
			n = sealed_file_add(&keeper->file, receipt, sealed);
		n = n ? n : 1;
	}
	hinomi__receipt__free_unpacked(receipt, NULL);
	return n;
}

static int take_all(const Hinomi__Answer *answer, const uint8_t sensor_id[16], enum lane lane,
		    struct receipt_keeper *keeper, struct receipt *ret)
{
	for (size_t i = 0; i < answer->n_receipts; i++) {
		int n = take(answer->receipts[i], sensor_id, lane, keeper, ret);

		if (n)
			return n < 0 ? n : 0;
	}
	return 0;
}

static const char *why_not(int err)
{
	switch (err) {
	case -EKEYREJECTED:
		return ": its receipt is not signed with the collector's key; if the collector was "
		       "set up anew, state its receipt.pub as receipt_key, or remove "
		       "SINK.receipt.pub from the state directory";
	case -EBADMSG:
		return " and no receipt: is a hinomi collector at that URL?";
	default:
		return ": its receipt could not be kept in the state directory";
	}
}

static size_t first_line(const uint8_t *text, size_t size)
{
	const uint8_t *end = memchr(text, '\n', size);

	return end ? (size_t)(end - text) : size;
}

int receipt_read(const struct http_answer *http, const uint8_t sensor_id[16], enum lane lane,
		 struct receipt_keeper *keeper, struct receipt *ret)
{
	Hinomi__Answer *answer = NULL;
	size_t said;
	int err = -EBADMSG;

	*ret = (struct receipt){0};
	said = (size_t)snprintf(ret->text, sizeof(ret->text), "HTTP %ld", http->status);
	if (!http->too_long && !strcmp(http->type, "application/x-protobuf"))
		answer = hinomi__answer__unpack(NULL, http->size, http->body);
	if (answer)
		err = take_all(answer, sensor_id, lane, keeper, ret);
	if (err && !strcmp(http->type, "text/plain")) {
		said += (size_t)snprintf(ret->text + said, sizeof(ret->text) - said, ": ");
		health_text(ret->text + said, sizeof(ret->text) - said, http->body,
			    first_line(http->body, http->size));
	} else if (err) {
		snprintf(ret->text + said, sizeof(ret->text) - said, "%s", why_not(err));
	} else {
		ret->problem = answer->problem;
		if (answer->text[0]) {
			said += (size_t)snprintf(ret->text + said, sizeof(ret->text) - said, ": ");
			health_text(ret->text + said, sizeof(ret->text) - said, answer->text,
				    strlen(answer->text));
		}
	}
	hinomi__answer__free_unpacked(answer, NULL);
	return err ? -EBADMSG : 0;
}
