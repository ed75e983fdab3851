/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "forward/retry.h"

#define ONCE_ATTEMPTS 5
#define IDLE_NS	      (1 * NS_PER_SEC)	/* looks again even if nothing was heard */
#define GATHER_NS     (50 * NS_PER_MS)	/* between hearing of a frame and reading it */
#define LINGER_NS     (250 * NS_PER_MS) /* the same for bulk: fewer, larger requests */

static const struct carrier *const carriers[] = {&carrier_otlp, &carrier_collector};

const char *worker_lane(const struct worker *worker)
{
	return worker->lane == LANE_KEEP ? "keep" : "bulk";
}

static int load_cursor(struct worker *worker)
{
	const char *sink = worker->sink->config->name;
	int err;

	snprintf(worker->cursor_name, sizeof(worker->cursor_name), "%s.%s.cursor", sink,
		 worker_lane(worker));
	err = cursor_open(worker->forward->state_dir, worker->cursor_name, &worker->cursor_file,
			  &worker->cursor);
	if (!err)
		return 0;
	worker->cursor = (struct cursor){0};
	if (err == -ENOENT)
		log_info("sink %s: no cursor for lane %s yet, beginning with the oldest frame in "
			 "the spool",
			 sink, worker_lane(worker));
	else if (err == -EBADMSG)
		log_warning("sink %s: the cursor of lane %s is damaged, beginning again with the "
			    "oldest frame in the spool: the far end sees some events twice",
			    sink, worker_lane(worker));
	else
		return err;
	return 0;
}

int worker_open(struct worker *worker)
{
	struct http_options options = {.sink = worker->sink->config,
				       .stop = &worker->forward->stop,
				       .pulse_ns = &worker->pulse_ns};
	int err = -EINVAL;

	worker->cursor_file.fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++)
		if (!strcmp(carriers[i]->type, worker->sink->config->type))
			worker->carrier = carriers[i];
	if (!worker->carrier)
		return err;
	options.tls13 = worker->carrier == &carrier_collector;
	atomic_store(&worker->pulse_ns, clock_boot_ns());
	err = load_cursor(worker);
	if (!err)
		err = source_new(worker->forward->spool, worker->lane, &worker->cursor,
				 &worker->source);
	if (!err)
		err = http_new(&options, &worker->http);
	return err ? err : worker->carrier->open(worker);
}

void worker_close(struct worker *worker)
{
	cursor_close(&worker->cursor_file);
	if (worker->carrier && worker->carried)
		worker->carrier->close(worker);
	worker->carried = NULL;
	http_free(worker->http);
	worker->http = NULL;
	source_free(worker->source);
	worker->source = NULL;
}

static void say_notice(struct worker *worker)
{
	struct health *health = &worker->sink->health;

	if (source_notice(worker->source) == SOURCE_DAMAGED)
		health_loss(health, COUNT_DAMAGED, 1,
			    "stretches of the spool are damaged and were passed over; `hinomi "
			    "verify --spool` says which");
	else {
		worker->other_spool = true;
		log_warning("sink %s: lane %s: the spool is not the one the cursor is of, "
			    "beginning with its oldest frame",
			    worker->sink->config->name, worker_lane(worker));
	}
}

int worker_next(struct worker *worker, struct source_frame *ret)
{
	int n;

	do {
		atomic_store(&worker->pulse_ns, clock_boot_ns());
		n = source_next(worker->source, ret);
		if (n == -EAGAIN)
			say_notice(worker);
	} while (n == -EAGAIN && !stop_asked(&worker->forward->stop));
	if (n == 1 && ret->missing_from)
		health_loss(&worker->sink->health, COUNT_MISSING,
			    ret->frame->header->number - ret->missing_from,
			    "frames were gone from the spool before they could be sent; its "
			    "limit is spool_limit");
	return n == -EAGAIN ? 0 : n;
}

void worker_acknowledge(struct worker *worker, const struct cursor *cursor, uint64_t events,
			uint64_t frames)
{
	int err;

	worker->cursor = *cursor;
	health_count(&worker->sink->health, COUNT_EVENTS, events);
	health_count(&worker->sink->health, COUNT_FRAMES, frames);
	err = cursor_save(&worker->cursor_file, cursor);
	if (err && !worker->cursor_failed)
		log_warning("sink %s: cannot save %s: %s; delivery goes on, after a restart the "
			    "far end may see some events twice",
			    worker->sink->config->name, worker->cursor_name, strerror(-err));
	worker->cursor_failed = err;
}

void worker_succeeded(struct worker *worker)
{
	worker->attempt = 0;
	health_count(&worker->sink->health, COUNT_REQUESTS, 1);
	health_set(&worker->sink->health, worker->lane, HEALTH_OK, "");
}

int worker_failed(struct worker *worker, enum health_state state, const char *text,
		  uint64_t retry_after_ns)
{
	struct forward *forward = worker->forward;
	uint64_t random = 0, wait_ns, until_ns;
	uint64_t answered = health_counted(&worker->sink->health, COUNT_REQUESTS);

	if (stop_asked(&forward->stop))
		return -ECANCELED;
	health_count(&worker->sink->health, COUNT_RETRIES, 1);
	health_set(&worker->sink->health, worker->lane, state, text);
	if (forward->once && worker->attempt + 1 >= ONCE_ATTEMPTS)
		return -ECANCELED;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = clock_real_ns();
	wait_ns = retry_delay_ns(worker->attempt++, random);
	if (retry_after_ns)
		wait_ns = retry_after_ns + random % NS_PER_SEC; /* not all sensors at once */
	for (until_ns = clock_boot_ns() + wait_ns; !stop_asked(&forward->stop);) {
		uint64_t now_ns = clock_boot_ns();

		atomic_store(&worker->pulse_ns, now_ns);
		if (now_ns >= until_ns)
			return 0;
		/* the other lane has found the far end again */
		if (state == HEALTH_UNREACHABLE && !retry_after_ns &&
		    health_counted(&worker->sink->health, COUNT_REQUESTS) != answered)
			return 0;
		stop_wait(&forward->stop, -1,
			  until_ns - now_ns < IDLE_NS ? until_ns - now_ns : IDLE_NS);
	}
	return -ECANCELED;
}

/* watch: -1 while there is none. */
static void wait_for_more(struct worker *worker, int *watch)
{
	const struct stop *stop = &worker->forward->stop;

	if (*watch < 0) {
		*watch = spool_watch_open(worker->forward->spool);
		if (*watch >= 0)
			return; /* look once more: what came before the watch is not told */
	}
	stop_wait(stop, *watch, IDLE_NS);
	if (!stop_asked(stop))
		stop_wait(stop, -1, worker->lane == LANE_KEEP ? GATHER_NS : LINGER_NS);
	if (*watch >= 0)
		spool_watch_clear(*watch);
}

/* -errno of the spool: said once per kind of trouble. */
static void say_spool(const struct worker *worker, int err, int *said)
{
	if (err == *said)
		return;
	*said = err;
	if (err == -ENOENT)
		log_info("sink %s: no spool at %s yet, waiting for it", worker->sink->config->name,
			 worker->forward->spool);
	else if (err)
		log_warning("sink %s: lane %s of %s cannot be read: %s; trying again every second",
			    worker->sink->config->name, worker_lane(worker), worker->forward->spool,
			    strerror(-err));
}

void worker_run(struct worker *worker)
{
	const struct forward *forward = worker->forward;
	CLEANUP(close_fd) int watch = -1;
	int said = 0;

	while (!stop_asked(&forward->stop)) {
		int n = worker->carrier->fill(worker);

		atomic_store(&worker->pulse_ns, clock_boot_ns());
		say_spool(worker, n < 0 ? n : 0, &said);
		if (n > 0) {
			if (worker->carrier->deliver(worker))
				return;
			continue;
		}
		if (forward->once) {
			worker->at_end = n == 0;
			return;
		}
		if (n == 0 && !worker->other_spool) {
			wait_for_more(worker, &watch);
			continue;
		}
		/* what is watched may be gone */
		worker->other_spool = false;
		if (watch >= 0)
			close(TAKE_FD(watch));
		stop_wait(&forward->stop, -1, n ? IDLE_NS : 0);
	}
}
