// SPDX-License-Identifier: Apache-2.0
/*
 * Group commit: frames are in the page cache when the pipeline goes on, and here
 * they are made durable: must-keep ones at once, others 5 ms later, with what comes
 * meanwhile, or when 256 KiB of them wait.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "pipeline.h"
#include "base/log.h"
#include "spool/spool.h"

#define COMMIT_NS    (5 * NS_PER_MS)
#define COMMIT_BYTES (256u << 10)

struct syncer {
	struct spool_writer *spool;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool dirty, at_once, over;
	size_t bytes; /* appended since the last commit began */
	uint64_t last_ns;
};

static void wait_for_work(struct syncer *s)
{
	struct timespec until;

	while (!s->dirty && !s->over)
		pthread_cond_wait(&s->wake, &s->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += COMMIT_NS;
	if (until.tv_nsec >= (long)NS_PER_SEC) {
		until.tv_sec++;
		until.tv_nsec -= NS_PER_SEC;
	}
	while (!s->at_once && !s->over)
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
			break;
}

static void *run(void *arg)
{
	struct syncer *s = arg;
	bool failing = false, over = false;

	while (!over) {
		int err;

		pthread_mutex_lock(&s->lock);
		wait_for_work(s);
		s->dirty = s->at_once = false;
		s->bytes = 0;
		over = s->over;
		pthread_mutex_unlock(&s->lock);
		err = spool_sync(s->spool);
		if (err && !failing)
			log_error("spool: cannot make events durable: %s; they are kept in memory "
				  "and tried again",
				  strerror(-err));
		failing = err != 0;
		if (!err)
			__atomic_store_n(&s->last_ns, clock_boot_ns(), __ATOMIC_RELAXED);
	}
	return NULL;
}

int syncer_new(struct spool_writer *spool, struct syncer **ret)
{
	struct syncer *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int err;

	if (!s)
		return -ENOMEM;
	s->spool = spool;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	err = pthread_create(&s->thread, NULL, run, s);
	if (err) {
		free(s);
		return -err;
	}
	*ret = s;
	return 0;
}

void syncer_kick(struct syncer *s, size_t bytes, bool at_once)
{
	pthread_mutex_lock(&s->lock);
	s->dirty = true;
	s->bytes += bytes;
	s->at_once |= at_once || s->bytes >= COMMIT_BYTES;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

uint64_t syncer_last_ns(const struct syncer *s)
{
	return __atomic_load_n(&s->last_ns, __ATOMIC_RELAXED);
}

void syncer_free(struct syncer *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->over = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
