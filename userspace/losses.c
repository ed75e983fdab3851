// SPDX-License-Identifier: Apache-2.0
#include "losses.h"

#include <errno.h>
#include <stdlib.h>

#include "attach/attach.h"
#include "base/clock.h"
#include "event/event.h"
#include "pipeline.h"
#include "stats/ledger.h"

#define SCRATCH_NS NS_PER_SEC	    /* between two looks at losses without a number */
#define SKIPPED_NS (5 * NS_PER_SEC) /* at what programs skipped, which takes a read for each */

struct told {
	uint64_t ring[LANES], scratch;
};

struct losses {
	struct ledger_cell *cells;
	struct told *told; /* of each cell: what gaps have named, on disk or not yet */
	unsigned cpus;
	bool unsaid;
	uint64_t scratch_ns, skipped_ns; /* when they were looked at last */
};

static uint64_t counted(const __u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void copy_told(struct told *to, const struct ledger_cell *from)
{
	for (int lane = 0; lane < LANES; lane++)
		to->ring[lane] = from->ring_told[lane];
	to->scratch = from->scratch_told;
}

int losses_new(const struct attach *attach, struct losses **ret)
{
	struct losses *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cells = attach_ledger(attach);
	l->cpus = attach_cpus(attach);
	l->scratch_ns = l->skipped_ns = clock_boot_ns();
	l->told = calloc((size_t)l->cpus * KINDS_MAX, sizeof(*l->told));
	if (!l->told) {
		free(l);
		return -ENOMEM;
	}
	for (size_t at = 0; at < (size_t)l->cpus * KINDS_MAX; at++)
		copy_told(&l->told[at], &l->cells[at]);
	*ret = l;
	return 0;
}

void losses_free(struct losses *l)
{
	if (!l)
		return;
	free(l->told);
	free(l);
}

static void list_add(struct loss_list *list, unsigned kind, uint64_t count)
{
	Hinomi__LostClass *item = &list->items[list->n];

	*item = (Hinomi__LostClass)HINOMI__LOST_CLASS__INIT;
	item->class_ = (char *)kind_name(kind);
	item->count = count;
	list->list[list->n++] = item;
}

void losses_of_ring(struct losses *l, uint32_t cpu, enum lane lane, uint64_t numbers,
		    struct loss_list *ret)
{
	ret->n = 0;
	for (unsigned kind = 0; kind < KINDS_MAX && numbers && cpu < l->cpus; kind++) {
		size_t at = (size_t)cpu * KINDS_MAX + kind;
		uint64_t n;

		if (!kind_is_kernel(kind))
			continue;
		n = counted(&l->cells[at].lost_ring[lane]) - l->told[at].ring[lane];
		if (n > numbers) /* the rest is of the next gap */
			n = numbers;
		if (!n)
			continue;
		list_add(ret, kind, n);
		l->told[at].ring[lane] += n;
		numbers -= n;
		l->unsaid = true;
	}
}

static void scratch_of(struct losses *l, unsigned cpu, enum lane lane, struct loss_list *ret)
{
	ret->n = 0;
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		size_t at = (size_t)cpu * KINDS_MAX + kind;
		uint64_t n;

		if (!kind_is_kernel(kind) || kind_lane(kind) != (int)lane)
			continue;
		n = counted(&l->cells[at].lost_scratch) - l->told[at].scratch;
		if (!n)
			continue;
		list_add(ret, kind, n);
		l->told[at].scratch += n;
		l->unsaid = true;
	}
}

static void declare(struct pipeline *p, uint32_t cpu, enum lane lane, Hinomi__Gap__Cause cause,
		    uint64_t from_ns, struct loss_list *list)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;

	if (!list->n)
		return;
	gap.cpu = cpu;
	gap.lane = (Hinomi__Lane)lane;
	gap.cause = cause;
	gap.from_ns = from_ns;
	gap.to_ns = clock_boot_ns();
	gap.n_lost = list->n;
	gap.lost = list->list;
	announce_gap(p, &gap);
	p->frame_due[lane] = true; /* with the rows of the ledger */
}

static void declare_skipped(struct pipeline *p)
{
	uint64_t skipped[KINDS_MAX];
	struct loss_list list;

	attach_skipped(p->attach, skipped);
	for (int lane = 0; lane < LANES; lane++) {
		list.n = 0;
		for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
			uint64_t n = kind_lane(kind) == lane
					     ? ledger_skipped(p->ledger, kind, skipped[kind])
					     : 0;

			if (n)
				list_add(&list, kind, n);
		}
		declare(p, CPU_UNKNOWN, lane, HINOMI__GAP__CAUSE__CAUSE_SKIPPED,
			p->losses->skipped_ns, &list);
	}
}

void losses_declare(struct pipeline *p, bool all)
{
	struct losses *l = p->losses;
	uint64_t now = clock_boot_ns();
	struct loss_list list;

	if (all || now - l->scratch_ns > SCRATCH_NS) {
		for (unsigned cpu = 0; cpu < l->cpus; cpu++)
			for (int lane = 0; lane < LANES; lane++) {
				scratch_of(l, cpu, lane, &list);
				declare(p, cpu, lane, HINOMI__GAP__CAUSE__CAUSE_SCRATCH,
					l->scratch_ns, &list);
			}
		l->scratch_ns = now;
	}
	if (all || now - l->skipped_ns > SKIPPED_NS) {
		declare_skipped(p);
		l->skipped_ns = now;
	}
}

void losses_said(struct losses *l)
{
	if (!l->unsaid)
		return;
	l->unsaid = false;
	for (size_t at = 0; at < (size_t)l->cpus * KINDS_MAX; at++) {
		for (int lane = 0; lane < LANES; lane++)
			l->cells[at].ring_told[lane] = l->told[at].ring[lane];
		l->cells[at].scratch_told = l->told[at].scratch;
	}
}
