/* SPDX-License-Identifier: Apache-2.0 */
/* What a collector has signed for against what is here: a cut tail, or another frame. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/judge.h"

void verifier_receipt(struct verifier *verifier, const Hinomi__Receipt *receipt)
{
	struct lane_state *lane;

	if ((unsigned)receipt->lane >= LANES || receipt->sensor_id.len != ID_BYTES ||
	    receipt->header_sha256.len != HASH_BYTES)
		return;
	lane = &verifier->lanes[receipt->lane];
	if (receipt->number <= lane->receipt.number)
		return;
	lane->receipt.number = receipt->number;
	lane->receipt.stored_real_ns = receipt->stored_real_ns;
	memcpy(lane->receipt.sensor, receipt->sensor_id.data, ID_BYTES);
	memcpy(lane->receipt.hash, receipt->header_sha256.data, HASH_BYTES);
}

void receipts_frame(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__FrameHeader *header, const uint8_t hash[HASH_BYTES])
{
	if (header->number != lane->receipt.number)
		return;
	lane->receipt.met = true;
	if (memcmp(header->sensor_id.data, lane->receipt.sensor, ID_BYTES))
		finding(verifier, lane, header->number, "the receipt is for another sensor");
	else if (memcmp(hash, lane->receipt.hash, HASH_BYTES))
		finding(verifier, lane, header->number,
			"is not the frame that the collector has a receipt for: the stream was set "
			"back, or written anew");
}

void receipts_end(struct verifier *verifier, struct lane_state *lane)
{
	time_t seconds = (time_t)(lane->receipt.stored_real_ns / 1000000000);
	char date[32];
	struct tm tm;

	if (!lane->receipt.number || lane->receipt.met ||
	    lane->counts.last > lane->receipt.number) /* a hole, which is told elsewhere */
		return;
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	finding(verifier, lane, 0,
		"ends at frame %" PRIu64 ", but frame %" PRIu64
		" was stored by the collector at %s: "
		"the end was cut off",
		lane->counts.last, lane->receipt.number, date);
}
