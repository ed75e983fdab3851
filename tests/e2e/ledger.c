// SPDX-License-Identifier: Apache-2.0
/* The account: what the last row of each class and cpu says, and what frames hold. */
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e.h"
#include "event/event.h"
#include "frame/frame.h"

#define CPUS_MAX 1024 /* and the sensor's own, and the one that is not known */
#define ACCOUNTS (CPUS_MAX + 2)

struct account {
	const Hinomi__LedgerRow *row; /* cumulative: the last one counts */
	uint64_t held;		      /* events in frames */
};

static struct account *account_of(struct account *accounts, Hinomi__Lane lane, unsigned kind,
				  uint32_t cpu)
{
	uint32_t at = cpu == CPU_SENSOR ? CPUS_MAX : cpu == CPU_UNKNOWN ? CPUS_MAX + 1 : cpu;

	if ((unsigned)lane >= LANES || kind >= KINDS_MAX || at >= ACCOUNTS)
		return NULL;
	return &accounts[((unsigned)lane * KINDS_MAX + kind) * ACCOUNTS + at];
}

static void check_account(struct check *check, const struct account *account, unsigned kind,
			  uint32_t cpu)
{
	const Hinomi__LedgerRow *row = account->row;
	const char *name = kind_name(kind);
	uint64_t sum;

	if (!row) {
		check_fail(check, "no ledger row for %s on cpu %u", name, cpu);
		return;
	}
	sum = row->delivered + row->filtered + row->aggregated + row->lost;
	if (row->seen != sum)
		check_fail(check, "%s on cpu %u: seen %llu, but accounted for %llu", name, cpu,
			   (unsigned long long)row->seen, (unsigned long long)sum);
	sum += row->elsewhere;
	if (row->begun < sum || (row->closed && row->begun != sum))
		check_fail(check, "%s on cpu %u: begun %llu, but accounted for %llu%s", name, cpu,
			   (unsigned long long)row->begun, (unsigned long long)sum,
			   row->closed ? " at the stop" : "");
	if (row->delivered != account->held)
		check_fail(check, "%s on cpu %u: delivered %llu, but frames hold %llu", name, cpu,
			   (unsigned long long)row->delivered, (unsigned long long)account->held);
}

/* Ledgers and sequences count from 0 in each set of rings. */
static void check_rings(struct check *check, const ProtobufCBinaryData *rings)
{
	struct account *accounts = calloc(LANES * KINDS_MAX * ACCOUNTS, sizeof(*accounts));
	const struct story *story = check->story;
	bool whole[LANES] = {false, false};

	for (size_t i = 0; accounts && i < story->nframes; i++) {
		const Hinomi__FrameHeader *header = story->frames[i]->header;

		if (!same_rings(&header->rings_id, rings))
			continue;
		whole[header->lane] |= header->ledger_whole;
		for (size_t r = 0; r < header->n_ledger; r++) {
			struct account *account =
				account_of(accounts, header->lane, header->ledger[r]->kind,
					   header->ledger[r]->cpu);
			if (account)
				account->row = header->ledger[r];
		}
	}
	for (size_t i = 0; accounts && i < story->nevents; i++) {
		const struct seen *seen = &story->events[i];
		struct account *account =
			account_of(accounts, seen->event->lane, seen->kind, seen->event->cpu);

		if (account && same_rings(&seen->frame->header->rings_id, rings))
			account->held++;
	}
	for (unsigned at = 0; accounts && at < LANES * KINDS_MAX * ACCOUNTS; at++)
		if (accounts[at].row || accounts[at].held)
			check_account(check, &accounts[at], at / ACCOUNTS % KINDS_MAX,
				      at % ACCOUNTS);
	want_true(check, "a whole ledger in each lane", whole[LANE_KEEP] && whole[LANE_BULK]);
	free(accounts);
}

bool same_rings(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

void for_each_rings(struct check *check,
		    void (*fn)(struct check *check, const ProtobufCBinaryData *rings))
{
	const struct story *story = check->story;

	for (size_t i = 0; i < story->nframes; i++) {
		const ProtobufCBinaryData *rings = &story->frames[i]->header->rings_id;
		bool is_first = true;

		for (size_t k = 0; k < i && is_first; k++)
			is_first = !same_rings(&story->frames[k]->header->rings_id, rings);
		if (is_first)
			fn(check, rings);
	}
}

void check_ledger(struct check *check)
{
	for_each_rings(check, check_rings);
}
