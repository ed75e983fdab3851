// SPDX-License-Identifier: Apache-2.0
/*
 * What need not be kept any more: frames that a signed receipt of every sink
 * covers.  The forwarder's word is not taken for it, the collectors' signatures
 * are; a sink that gives no receipts, or whose key is not in the configuration,
 * keeps everything.
 */
#include <string.h>

#include "pipeline.h"
#include "config/config.h"
#include "frame/public_key.h"
#include "frame/sealed.h"
#include "spool/spool.h"

#define RECEIPTS_MAX 64 /* the newest: it is their collectors' signatures that cost */

struct search {
	const uint8_t *sensor_id;
	uint8_t key[PUBLIC_KEY_BYTES];
	enum lane lane;
	uint64_t number; /* the newest that is proven */
};

static void take(void *ctx, const Hinomi__SealedReceipt *sealed)
{
	struct search *search = ctx;
	Hinomi__Receipt *receipt;

	if (sealed_open(sealed, search->key, &receipt))
		return;
	if (receipt->sensor_id.len == 16 &&
	    !memcmp(receipt->sensor_id.data, search->sensor_id, 16) &&
	    (int)receipt->lane == (int)search->lane && receipt->number > search->number)
		search->number = receipt->number;
	hinomi__receipt__free_unpacked(receipt, NULL);
}

static uint64_t covered(const struct pipeline *p, const struct config_sink *sink, enum lane lane)
{
	struct search search = {.sensor_id = p->identity.sensor_id, .lane = lane};
	CLEANUP(free) char *path = NULL;

	if (!sink->receipt_key || public_key_parse(sink->receipt_key, search.key))
		return 0;
	if (asprintf(&path, "%s/%s.%s.receipts", p->config->receipts, sink->name,
		     lane == LANE_KEEP ? "keep" : "bulk") < 0)
		return 0;
	sealed_file_read(path, RECEIPTS_MAX, take, &search);
	return search.number;
}

uint64_t release_number(struct pipeline *p, enum lane lane)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < p->config->nsinks; i++) {
		uint64_t number = covered(p, &p->config->sinks[i], lane);

		if (number > highest)
			highest = number;
	}
	return highest;
}

void release_covered(struct pipeline *p)
{
	for (int lane = 0; lane < LANES; lane++) {
		uint64_t number = p->config->nsinks ? UINT64_MAX : 0;

		for (size_t i = 0; i < p->config->nsinks && number; i++) {
			uint64_t of_sink = covered(p, &p->config->sinks[i], (enum lane)lane);

			if (of_sink < number)
				number = of_sink;
		}
		if (number)
			spool_release(p->spool, (enum lane)lane, number);
	}
}
