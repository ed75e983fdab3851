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
		uint64_t seen, filtered, aggregated, lost;
	} kernel;
	uint64_t delivered, filtered, aggregated, lost; /* decided here */
	uint64_t taken; /* sum of the row when it was last given out */
};

struct ledger {
	unsigned cpus;
	struct account
		*accounts; /* LANES times cpus + 1 times KINDS_MAX; the last cpu is the sensor */
};

int ledger_new(unsigned cpus, struct ledger **ret)
{
	CLEANUP(ledger_free) struct ledger *ledger = NULL;

	if (!cpus || cpus >= CPU_SENSOR)
		return -EINVAL;
	ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return -ENOMEM;
	ledger->cpus = cpus;
	ledger->accounts =
		calloc(LANES * ((size_t)cpus + 1) * KINDS_MAX, sizeof(*ledger->accounts));
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

/* A cpu that cannot be is counted with the sensor's own: the sums must hold whatever came. */
static struct account *account_of(const struct ledger *ledger, enum lane lane, unsigned kind,
				  uint32_t cpu)
{
	size_t slot = cpu < ledger->cpus ? cpu : ledger->cpus;

	return &ledger->accounts[((size_t)lane * (ledger->cpus + 1) + slot) * KINDS_MAX + kind];
}

/*
 * Outcomes before seen: the kernel goes on counting meanwhile, and counts seen first.
 * What never got as far as a lane counts where its class mostly goes.
 */
static void read_cell(struct ledger *ledger, unsigned kind, uint32_t cpu,
		      const struct ledger_cell *from)
{
	enum lane home = (enum lane)kind_lane(kind);
	struct account *other =
		account_of(ledger, home == LANE_KEEP ? LANE_BULK : LANE_KEEP, kind, cpu);
	struct kernel_part *to = &account_of(ledger, home, kind, cpu)->kernel;

	to->filtered = __atomic_load_n(&from->filtered, __ATOMIC_ACQUIRE);
	to->aggregated = __atomic_load_n(&from->aggregated, __ATOMIC_ACQUIRE);
	to->lost = __atomic_load_n(&from->lost_ring[home], __ATOMIC_ACQUIRE) +
		   __atomic_load_n(&from->lost_scratch, __ATOMIC_ACQUIRE);
	other->kernel.lost = __atomic_load_n(&from->lost_ring[!home], __ATOMIC_ACQUIRE);
	to->seen = __atomic_load_n(&from->seen, __ATOMIC_ACQUIRE);
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

struct ledger_sum ledger_class(const struct ledger *ledger, unsigned kind)
{
	struct ledger_sum total = {0};
	uint64_t begun = 0;

	if (!kind_name(kind))
		return total;
	for (int lane = 0; lane < LANES; lane++)
		for (unsigned cpu = 0; cpu <= ledger->cpus; cpu++) {
			const struct account *account =
				account_of(ledger, (enum lane)lane, kind, cpu);
			struct ledger_sum sum = sum_of(account);

			begun += account->kernel.seen;
			total.seen += sum.seen;
			total.delivered += sum.delivered;
			total.filtered += sum.filtered;
			total.aggregated += sum.aggregated;
			total.lost += sum.lost;
		}
	total.unaccounted = begun > total.seen ? begun - total.seen : 0;
	return total;
}

static void fill_row(Hinomi__LedgerRow *row, unsigned kind, uint32_t cpu,
		     const struct account *account)
{
	struct ledger_sum sum = sum_of(account);

	hinomi__ledger_row__init(row);
	row->kind = kind;
	row->cpu = cpu;
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

	for (unsigned cpu = 0; cpu <= ledger->cpus; cpu++)
		for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
			struct account *account = account_of(ledger, lane, kind, cpu);
			uint64_t seen = sum_of(account).seen;

			if (whole ? !seen : seen == account->taken)
				continue;
			if (n == max)
				return n;
			fill_row(&rows[n++], kind, cpu < ledger->cpus ? cpu : CPU_SENSOR, account);
			account->taken = seen;
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
	account->taken = row->seen;
}
