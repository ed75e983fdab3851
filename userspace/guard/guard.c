// SPDX-License-Identifier: Apache-2.0
#include "guard/guard.h"

#include <errno.h>
#include <stdlib.h>

#include "guard/internal.h"

#define MINUTE_NS (60 * NS_PER_SEC)

int guard_new(const char *spool, guard_tell_fn *tell, void *ctx, struct guard **ret)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return -ENOMEM;
	guard->tell = tell;
	guard->ctx = ctx;
	own_init(guard, spool);
	watch_init(guard, spool);
	pause_init(guard);
	*ret = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	watch_done(guard);
	free(guard);
}

void guard_tell(struct guard *guard, Hinomi__SensorTamper *tamper, const struct event *by)
{
	unsigned way = !by ? FOUND : by->body->result < 0 ? FAILED : DONE;
	struct told *told = &guard->told[way][(unsigned)tamper->what % WHATS];
	uint64_t now_ns = clock_boot_ns();

	if (now_ns - told->since_ns > MINUTE_NS)
		*told = (struct told){.since_ns = now_ns, .more = told->more};
	if (told->n++ >= PER_MINUTE_MAX) {
		told->more++;
		return;
	}
	tamper->more = told->more;
	told->more = 0;
	guard->tell(guard->ctx, tamper, by);
}

void guard_watch(struct guard *guard)
{
	watch_look(guard);
	place_look(guard);
	forwarder_look(guard);
	pause_clock(guard);
}
