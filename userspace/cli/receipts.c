/* SPDX-License-Identifier: Apache-2.0 */
/* What collectors have signed for against what is here: a cut tail, or another frame; and whether
 * they kept to what they had signed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/judge.h"

#define RECEIPTS_MAX (1u << 20) /* of a lane */
#define DATE_BYTES   32

static const char *date_of(uint64_t real_ns, char buffer[DATE_BYTES])
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(buffer, DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buffer;
}

void verifier_receipt_file(struct verifier *verifier)
{
	for (int i = 0; i < LANES; i++)
		verifier->lanes[i].receipts.signed_for = 0;
}

/* In the order in which they were given a chain only grows. */
static void check_order(struct verifier *verifier, struct lane_state *lane,
			const Hinomi__Receipt *receipt)
{
	struct receipts *receipts = &lane->receipts;
	char date[DATE_BYTES];

	if (memcmp(receipts->signer_of, receipt->sensor_id.data, ID_BYTES))
		receipts->signed_for = 0;
	memcpy(receipts->signer_of, receipt->sensor_id.data, ID_BYTES);
	if (receipt->end < receipts->signed_for) {
		finding(verifier, lane, 0,
			"the collector signed for frame %" PRIu64 ", and at %s that it ends at "
			"frame %" PRIu64 ": it was set back, or has lost its store",
			receipts->signed_for, date_of(receipt->stored_real_ns, date), receipt->end);
		receipts->signed_for = receipt->end; /* and once is enough */
	}
	if (receipt->number > receipts->signed_for)
		receipts->signed_for = receipt->number;
}

int verifier_receipt(struct verifier *verifier, const Hinomi__Receipt *receipt)
{
	struct receipts *receipts;
	struct receipt *last;

	if ((unsigned)receipt->lane >= LANES || receipt->sensor_id.len != ID_BYTES ||
	    receipt->header_sha256.len != (receipt->number ? HASH_BYTES : 0))
		return 0;
	receipts = &verifier->lanes[receipt->lane].receipts;
	check_order(verifier, &verifier->lanes[receipt->lane], receipt);
	if (!receipt->number)
		return 0;
	if (receipts->count == receipts->room) {
		size_t room = receipts->room ? 2 * receipts->room : 64;
		struct receipt *grown = reallocarray(receipts->all, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		receipts->all = grown;
		receipts->room = room;
	}
	if (receipts->count == RECEIPTS_MAX)
		return -E2BIG;
	last = &receipts->all[receipts->count++];
	*last = (struct receipt){.number = receipt->number,
				 .stored_real_ns = receipt->stored_real_ns};
	memcpy(last->sensor, receipt->sensor_id.data, ID_BYTES);
	memcpy(last->hash, receipt->header_sha256.data, HASH_BYTES);
	receipts->sorted = false;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct receipt *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return memcmp(x->hash, y->hash, HASH_BYTES);
}

static void sort(struct receipts *receipts)
{
	if (!receipts->sorted && receipts->count)
		qsort(receipts->all, receipts->count, sizeof(*receipts->all), compare);
	receipts->sorted = true;
}

/* The first that is for this frame or a later one. */
static size_t lower_bound(const struct receipts *receipts, uint64_t number)
{
	size_t low = 0, high = receipts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (receipts->all[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void receipts_frame(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__FrameHeader *header, const uint8_t hash[HASH_BYTES])
{
	struct receipts *receipts = &lane->receipts;

	sort(receipts);
	for (size_t i = lower_bound(receipts, header->number);
	     i < receipts->count && receipts->all[i].number == header->number; i++) {
		if (memcmp(header->sensor_id.data, receipts->all[i].sensor, ID_BYTES) ||
		    !memcmp(hash, receipts->all[i].hash, HASH_BYTES))
			continue;
		finding(verifier, lane, header->number,
			"is not the frame that the collector has a receipt for: the stream was set "
			"back, or written anew");
		return;
	}
}

/* Whose receipts count: the lane's sensor, the other lane's where this one has nothing, anybody's
 * where neither has. */
static bool is_of_stream(const struct verifier *verifier, const struct lane_state *lane,
			 const struct receipt *receipt)
{
	const struct lane_state *other = &verifier->lanes[!lane->lane];
	const struct lane_state *of = lane->begun ? lane : other->begun ? other : NULL;

	return !of || !memcmp(of->sensor, receipt->sensor, ID_BYTES);
}

void receipts_end(struct verifier *verifier, struct lane_state *lane)
{
	struct receipts *receipts = &lane->receipts;
	const struct receipt *last = NULL;
	char date[DATE_BYTES];

	sort(receipts);
	for (size_t i = 0; i < receipts->count; i++) {
		const struct receipt *receipt = &receipts->all[i];

		if (!is_of_stream(verifier, lane, receipt))
			continue;
		if (last && last->number == receipt->number &&
		    memcmp(last->hash, receipt->hash, HASH_BYTES))
			finding(verifier, lane, receipt->number,
				"the collector has signed for another frame of this number as "
				"well");
		last = receipt;
	}
	if (receipts->count && !last)
		finding(verifier, lane, 0, "no receipt is for this sensor");
	if (!last || lane->counts.last >= last->number) /* a hole is told elsewhere */
		return;
	finding(verifier, lane, 0,
		"ends at frame %" PRIu64 ", but frame %" PRIu64
		" was stored by the collector at %s: "
		"the end was cut off",
		lane->counts.last, last->number, date_of(last->stored_real_ns, date));
}
