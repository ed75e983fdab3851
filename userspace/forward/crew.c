/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "forward/worker.h"

struct member {
	struct worker worker;
	struct crew *crew;
	pthread_t thread;
	bool started;
	_Atomic bool ended;
};

struct crew {
	struct forward *forward;
	struct sink *sinks;
	size_t nsinks;
	struct member *members; /* LANES for each sink */
	size_t nmembers;
	_Atomic size_t running;
	int done_fd;
};

static void *member_main(void *ctx)
{
	struct member *member = ctx;

	worker_run(&member->worker);
	atomic_store(&member->ended, true);
	if (atomic_fetch_sub(&member->crew->running, 1) == 1)
		eventfd_write(member->crew->done_fd, 1);
	return NULL;
}

static int sink_init(struct sink *sink, struct forward *forward, const struct config_sink *config)
{
	sink->config = config;
	sink->forward = forward;
	health_init(&sink->health, config->name, config->url);
	pthread_mutex_init(&sink->dead_lock, NULL);
	dead_init(&sink->dead, forward->state_dir, config->name);
	return pin_init(&sink->pin, forward->state_dir, config);
}

static void sink_done(struct sink *sink)
{
	pin_done(&sink->pin);
	dead_done(&sink->dead);
	pthread_mutex_destroy(&sink->dead_lock);
	health_done(&sink->health);
}

static int start(struct member *member)
{
	int err = pthread_create(&member->thread, NULL, member_main, member);

	member->started = !err;
	return -err;
}

/* All are opened before the first runs, so that a failure ends quietly. */
static int crew_start(struct crew *crew)
{
	int err = 0;

	for (size_t i = 0; !err && i < crew->nmembers; i++) {
		struct member *member = &crew->members[i];

		member->crew = crew;
		member->worker.sink = &crew->sinks[i / LANES];
		member->worker.forward = crew->forward;
		member->worker.lane = (enum lane)(i % LANES);
		err = worker_open(&member->worker);
		if (err)
			log_error("sink %s cannot be set up: %s", member->worker.sink->config->name,
				  strerror(-err));
	}
	atomic_store(&crew->running, crew->nmembers); /* the first may end before the last begins */
	for (size_t i = 0; !err && i < crew->nmembers; i++)
		err = start(&crew->members[i]);
	return err;
}

int crew_new(struct forward *forward, struct crew **ret)
{
	CLEANUP(crew_free) struct crew *crew = calloc(1, sizeof(*crew));
	int err = 0;

	if (!crew)
		return -ENOMEM;
	crew->forward = forward;
	crew->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	crew->sinks = calloc(forward->config->nsinks, sizeof(*crew->sinks));
	crew->members = calloc(forward->config->nsinks * LANES, sizeof(*crew->members));
	if (crew->done_fd < 0 || !crew->sinks || !crew->members)
		return -ENOMEM;
	for (int i = 0; !err && crew->nsinks < forward->config->nsinks; crew->nsinks++, i++) {
		err = sink_init(&crew->sinks[i], forward, &forward->config->sinks[i]);
		if (err)
			log_error("sink %s: %s.receipt.pub in the state directory cannot be used: "
				  "%s; remove it to believe the collector's next key",
				  crew->sinks[i].config->name, crew->sinks[i].config->name,
				  strerror(-err));
	}
	if (err)
		return err;
	crew->nmembers = crew->nsinks * LANES;
	err = crew_start(crew);
	if (err)
		return err;
	*ret = TAKE(crew);
	return 0;
}

void crew_stop(struct crew *crew)
{
	stop_ask(&crew->forward->stop);
	for (size_t i = 0; i < crew->nmembers; i++) {
		if (crew->members[i].started)
			pthread_join(crew->members[i].thread, NULL);
		crew->members[i].started = false;
	}
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	crew_stop(crew);
	for (size_t i = 0; i < crew->nmembers; i++)
		if (crew->members[i].worker.carrier) /* else it was never opened */
			worker_close(&crew->members[i].worker);
	for (size_t i = 0; i < crew->nsinks; i++)
		sink_done(&crew->sinks[i]);
	if (crew->done_fd >= 0)
		close(crew->done_fd);
	free(crew->members);
	free(crew->sinks);
	free(crew);
}

int crew_done_fd(const struct crew *crew)
{
	return crew->done_fd;
}

bool crew_is_alive(const struct crew *crew, uint64_t since_ns)
{
	for (size_t i = 0; i < crew->nmembers; i++)
		if (!atomic_load(&crew->members[i].ended) &&
		    atomic_load(&crew->members[i].worker.pulse_ns) < since_ns)
			return false;
	return true;
}

char *crew_status(struct crew *crew)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("STATUS=", out);
	for (size_t i = 0; i < crew->nsinks; i++) {
		if (i)
			fputs("; ", out);
		health_print(&crew->sinks[i].health, out);
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

void crew_log(struct crew *crew)
{
	for (size_t i = 0; i < crew->nsinks; i++) {
		struct health *health = &crew->sinks[i].health;

		log_info("sink %s: %" PRIu64 " events in %" PRIu64
			 " requests acknowledged, %" PRIu64 " tries in vain, %" PRIu64
			 " events refused, %" PRIu64 " dropped by the back end, %" PRIu64
			 " frames missing, %" PRIu64 " damaged",
			 health->sink, health_counted(health, COUNT_EVENTS),
			 health_counted(health, COUNT_REQUESTS),
			 health_counted(health, COUNT_RETRIES), health_counted(health, COUNT_DEAD),
			 health_counted(health, COUNT_REJECTED),
			 health_counted(health, COUNT_MISSING),
			 health_counted(health, COUNT_DAMAGED));
	}
}

bool crew_delivered_all(const struct crew *crew)
{
	for (size_t i = 0; i < crew->nmembers; i++)
		if (!crew->members[i].worker.at_end || crew->members[i].worker.short_of)
			return false;
	return true;
}
