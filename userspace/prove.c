// SPDX-License-Identifier: Apache-2.0
#include "prove.h"

#include <errno.h>
#include <stdio.h>

#include "attach/attach.h"
#include "base/log.h"
#include "config/config.h"
#include "pipeline.h"

#define ROUND_NS (20 * NS_PER_SEC) /* a round that takes longer is given up */
#define AGAIN_NS (2 * NS_PER_SEC)  /* until a hook that was not seen is asked again */
#define SAID_MAX 4		   /* classes in the log at once */
#define LATE_NS	 NS_PER_SEC	   /* for what a round made, after it is over */

void prover_init(struct prover *prover, struct pipeline *pipeline)
{
	*prover = (struct prover){
		.attach = pipeline->attach,
		.pipeline = pipeline,
		.every_ns = pipeline->config->canary_ms * NS_PER_MS,
		.report_every_ns = pipeline->config->coverage_ms * NS_PER_MS,
	};
}

int prover_fd(const struct prover *prover)
{
	return prover->until_ns && !prover->answered_ns ? attach_canary_fd(prover->attach) : -1;
}

static const char *state_word(Hinomi__Coverage__State state)
{
	switch (state) {
	case HINOMI__COVERAGE__STATE__STATE_VERIFIED:
		return "verified";
	case HINOMI__COVERAGE__STATE__STATE_SILENT:
		return "silent";
	case HINOMI__COVERAGE__STATE__STATE_LOWER_TIER:
		return "verified on a lower tier";
	case HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE:
		return "unavailable";
	case HINOMI__COVERAGE__STATE__STATE_OFF:
		return "off";
	default:
		return "unproven";
	}
}

static bool is_working(Hinomi__Coverage__State state)
{
	return state == HINOMI__COVERAGE__STATE__STATE_VERIFIED ||
	       state == HINOMI__COVERAGE__STATE__STATE_LOWER_TIER;
}

static void say(const struct coverage_change *changes, size_t n)
{
	for (size_t i = 0; i < n && i < SAID_MAX; i++)
		log_warning("%s was %s and is %s now%s%s", changes[i].now->name,
			    state_word(changes[i].old), state_word(changes[i].now->state),
			    is_working(changes[i].now->state) ? "" : ": ",
			    is_working(changes[i].now->state) ? "" : changes[i].reason);
	if (n > SAID_MAX)
		log_warning("so it is with %zu more classes; the event `coverage` has them all",
			    n - SAID_MAX);
}

static void remember(struct prover *prover, const struct coverage *c)
{
	prover->told[c->kind] = c->state;
	snprintf(prover->reasons[c->kind], sizeof(prover->reasons[0]), "%s", c->reason);
}

/* What has changed since it was last told, as one event; or, when it is time, that nothing has. */
static void report(struct prover *prover, uint64_t now_ns)
{
	struct coverage_change changes[KINDS_MAX];
	size_t n, changed = 0;
	const struct coverage *list = attach_coverage(prover->attach, &n);

	for (size_t i = 0; i < n; i++) {
		const struct coverage *c = &list[i];
		Hinomi__Coverage__State old = prover->told[c->kind];

		if (c->state == old)
			continue;
		changes[changed++] = (struct coverage_change){
			c, old, is_working(c->state) ? prover->reasons[c->kind] : c->reason};
	}
	if (!changed && now_ns < prover->report_ns)
		return;
	announce_coverage(prover->pipeline, changes, changed);
	say(changes, changed);
	for (size_t i = 0; i < changed; i++)
		remember(prover, changes[i].now);
	if (now_ns >= prover->report_ns)
		prover->report_ns = now_ns + prover->report_every_ns;
}

/* The start tells by itself how every class stands. */
static void settle(struct prover *prover, uint64_t now_ns)
{
	size_t n;
	const struct coverage *list = attach_coverage(prover->attach, &n);

	for (size_t i = 0; i < n; i++)
		remember(prover, &list[i]);
	prover->settled = true;
	prover->report_ns = now_ns + prover->report_every_ns;
}

/* Has everything been read that came before the round was over? */
static bool is_read(const struct prover *prover, uint64_t now_ns)
{
	const struct pipeline *p = prover->pipeline;

	return !pipeline_waiting(p) || p->last_ns > prover->answered_ns ||
	       now_ns > prover->answered_ns + LATE_NS;
}

/* There is nobody to ask any more: told once, unless it was so from the start. */
static int broken(struct prover *prover, uint64_t now_ns)
{
	prover->until_ns = 0;
	prover->next_ns = UINT64_MAX;
	attach_canary_judge(prover->attach, false);
	if (prover->settled) {
		report(prover, now_ns);
		return -EPIPE;
	}
	settle(prover, now_ns);
	return 1;
}

static int judge(struct prover *prover, uint64_t now_ns, bool answered)
{
	bool done = attach_canary_judge(prover->attach, answered);

	prover->answered_ns = 0;
	if (answered) /* else it still goes on, and no other one begins */
		prover->until_ns = 0;
	prover->next_ns = now_ns + (done ? prover->every_ns : prover->settled ? AGAIN_NS : 0);
	if (prover->settled || !done)
		return 0;
	settle(prover, now_ns);
	return 1;
}

int prover_turn(struct prover *prover, uint64_t now_ns)
{
	int r;

	if (prover->settled)
		report(prover, now_ns);
	if (prover->answered_ns)
		return is_read(prover, now_ns) ? judge(prover, now_ns, true) : 0;
	if (!prover->until_ns) {
		if (now_ns < prover->next_ns)
			return 0;
		r = attach_canary_start(prover->attach);
		prover->until_ns = now_ns + ROUND_NS;
		return r ? broken(prover, now_ns) : 0;
	}
	r = attach_canary_over(prover->attach);
	if (r < 0)
		return broken(prover, now_ns);
	if (r)
		prover->answered_ns = now_ns;
	else if (now_ns >= prover->until_ns && prover->until_ns != UINT64_MAX) {
		prover->until_ns = UINT64_MAX;
		return judge(prover, now_ns, false);
	}
	return 0;
}
