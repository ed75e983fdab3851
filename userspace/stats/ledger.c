/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two halves that never overlap: what the kernel decided about an event (its own
 * counters, always absolute) and what this process decided (counted here).
 */
#include "stats/ledger.h"

#include <errno.h>
#include <stdlib.h>

#include "event/event.h"

struct account {
	struct kernel_part {
		uint64_t begun, elsewhere, filtered, aggregated, lost;
	} kernel;
	uint64_t delivered, filtered, aggregated, lost; /* decided here */
	uint64_t taken; /* the row's numbers when it was last given out, added up */
};

struct ledger {
	unsigned cpus;
	bool closed;
	unsigned slots;		  /* cpus, the sensor, and the cpu that is not known */
	struct account *accounts; /* LANES times slots times KINDS_MAX */
};

int ledger_new(unsigned cpus, struct ledger **ret)
{
	CLEANUP(ledger_free) struct ledger *ledger = NULL;

	if (!cpus || cpus >= CPU_UNKNOWN)
		return -EINVAL;
	ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return -ENOMEM;
	ledger->cpus = cpus;
	ledger->slots = cpus + 2;
	ledger->accounts =
		calloc((size_t)LANES * ledger->slots * KINDS_MAX, sizeof(*ledger->accounts));
	if (!ledger->accounts)
		return -ENOMEM;
	*ret = TAKE(ledger);
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	free(ledger->accounts);
	free(ledger);
}

static struct account *account_at(const struct ledger *ledger, enum lane lane, unsigned kind,
				  unsigned slot)
{
	return &ledger->accounts[((size_t)lane * ledger->slots + slot) * KINDS_MAX + kind];
}

/* A cpu that cannot be is counted with the sensor's own: the sums must hold whatever came. */
static struct account *account_of(const struct ledger *ledger, enum lane lane, unsigned kind,
				  uint32_t cpu)
{
	if (cpu < ledger->cpus)
		return account_at(ledger, lane, kind, cpu);
	return account_at(ledger, lane, kind, ledger->cpus + (cpu == CPU_UNKNOWN));
}

static uint64_t load(const __u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

/*
 * Outcomes before what they are outcomes of: the kernel goes on counting meanwhile, and counts
 * them last.  What never got as far as a lane counts where its class mostly goes.
 */
static void read_cell(struct ledger *ledger, unsigned kind, uint32_t cpu,
		      const struct ledger_cell *from)
{
	enum lane home = (enum lane)kind_lane(kind);
	enum lane other = home == LANE_KEEP ? LANE_BULK : LANE_KEEP;
	struct kernel_part *there = &account_at(ledger, other, kind, cpu)->kernel;
	struct kernel_part *to = &account_at(ledger, home, kind, cpu)->kernel;

	to->filtered = load(&from->filtered);
	to->aggregated = load(&from->aggregated);
	to->lost = load(&from->lost_ring[home]) + load(&from->lost_scratch);
	there->lost = load(&from->lost_ring[other]);
	there->begun = to->elsewhere = load(&from->sent[other]);
	to->begun = load(&from->seen);
}

void ledger_kernel(struct ledger *ledger, const struct ledger_cell *cells)
{
	for (unsigned cpu = 0; cpu < ledger->cpus; cpu++)
		for (unsigned kind = 0; kind < KINDS_MAX; kind++)
			if (kind_is_kernel(kind))
				read_cell(ledger, kind, cpu,
					  &cells[(size_t)cpu * KINDS_MAX + kind]);
}

void ledger_count(struct ledger *ledger, enum lane lane, unsigned kind, uint32_t cpu,
		  enum outcome outcome, uint64_t n)
{
	struct account *account;

	if (!kind_name(kind))
		return;
	account = account_of(ledger, lane, kind, cpu);
	switch (outcome) {
	case OUTCOME_DELIVERED:
		account->delivered += n;
		break;
	case OUTCOME_FILTERED:
		account->filtered += n;
		break;
	case OUTCOME_AGGREGATED:
		account->aggregated += n;
		break;
	case OUTCOME_LOST:
		account->lost += n;
		break;
	}
}

static struct ledger_sum sum_of(const struct account *account)
{
	const struct kernel_part *kernel = &account->kernel;
	struct ledger_sum sum = {
		.delivered = account->delivered,
		.filtered = account->filtered + kernel->filtered,
		.aggregated = account->aggregated + kernel->aggregated,
		.lost = account->lost + kernel->lost,
	};

	sum.seen = sum.delivered + sum.filtered + sum.aggregated + sum.lost;
	return sum;
}

static uint32_t cpu_of(const struct ledger *ledger, unsigned slot)
{
	return slot < ledger->cpus ? slot : slot == ledger->cpus ? CPU_SENSOR : CPU_UNKNOWN;
}

/* Of the kernel's own cpus the kernel's own count; of the others there is no other count. */
static uint64_t begun_of(const struct ledger *ledger, unsigned slot, const struct account *account)
{
	return slot < ledger->cpus ? account->kernel.begun : sum_of(account).seen;
}

void ledger_close(struct ledger *ledger)
{
	ledger->closed = true;
}

struct ledger_sum ledger_class(const struct ledger *ledger, unsigned kind)
{
	struct ledger_sum total = {0};
	uint64_t begun = 0;

	if (!kind_name(kind))
		return total;
	for (int lane = 0; lane < LANES; lane++)
		for (unsigned slot = 0; slot < ledger->slots; slot++) {
			const struct account *account =
				account_at(ledger, (enum lane)lane, kind, slot);
			struct ledger_sum sum = sum_of(account);

			begun += begun_of(ledger, slot, account) - account->kernel.elsewhere;
			total.seen += sum.seen;
			total.delivered += sum.delivered;
			total.filtered += sum.filtered;
			total.aggregated += sum.aggregated;
			total.lost += sum.lost;
		}
	total.unaccounted = begun > total.seen ? begun - total.seen : 0;
	return total;
}

static void fill_row(Hinomi__LedgerRow *row, unsigned kind, uint32_t cpu, uint64_t begun,
		     const struct account *account)
{
	struct ledger_sum sum = sum_of(account);

	hinomi__ledger_row__init(row);
	row->kind = kind;
	row->cpu = cpu;
	row->begun = begun;
	row->elsewhere = account->kernel.elsewhere;
	row->seen = sum.seen;
	row->delivered = sum.delivered;
	row->filtered = sum.filtered;
	row->aggregated = sum.aggregated;
	row->lost = sum.lost;
	row->filtered_user = account->filtered;
	row->aggregated_user = account->aggregated;
	row->lost_user = account->lost;
}

size_t ledger_rows(struct ledger *ledger, enum lane lane, bool whole, Hinomi__LedgerRow *rows,
		   size_t max)
{
	size_t n = 0;

	for (unsigned slot = 0; slot < ledger->slots; slot++)
		for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
			struct account *account = account_at(ledger, lane, kind, slot);
			uint64_t begun = begun_of(ledger, slot, account);
			uint64_t all = begun + sum_of(account).seen + account->kernel.elsewhere;

			if (whole ? !all : all == account->taken)
				continue;
			if (n == max)
				return n;
			fill_row(&rows[n], kind, cpu_of(ledger, slot), begun, account);
			rows[n++].closed = ledger->closed;
			account->taken = all;
		}
	return n;
}

void ledger_restore(struct ledger *ledger, enum lane lane, const Hinomi__LedgerRow *row)
{
	struct account *account;

	if (!kind_name(row->kind))
		return;
	account = account_of(ledger, lane, row->kind, row->cpu);
	account->delivered = row->delivered;
	account->filtered = row->filtered_user;
	account->aggregated = row->aggregated_user;
	account->lost = row->lost_user;
	account->taken = row->begun + row->seen + row->elsewhere;
}

uint64_t ledger_skipped(struct ledger *ledger, unsigned kind, uint64_t skipped)
{
	struct account *account;

	if (!kind_is_kernel(kind))
		return 0;
	account = account_of(ledger, (enum lane)kind_lane(kind), kind, CPU_UNKNOWN);
	if (skipped <= account->lost)
		return 0;
	skipped -= account->lost;
	account->lost += skipped;
	return skipped;
}
