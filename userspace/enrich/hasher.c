/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs are numbered: those below `taken` are over, those below `finished` have
 * a result, those below `asked` wait.  Each lives in the slot of its number.
 */
#include "enrich/hasher.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "enrich/digest_cache.h"

#define STOP_SECONDS 2 /* a read that hangs longer is left behind */

struct job {
	struct digest_request request;
	struct digest digest;
	Hinomi__File file; /* without its path, which is the request's */
	size_t path_len;
};

struct hasher {
	struct job jobs[HASHER_QUEUE_MAX];
	uint64_t asked, finished; /* under lock */
	uint64_t taken;
	uint64_t file_max_bytes;
	struct digest_cache *cache;
	struct hasher_stats stats;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool has_thread;
	atomic_bool stop;
	int event_fd;
};

DEFINE_CLEANUP(struct hasher *, hasher_free);

static void lower_priority(void)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	/* best effort: hashing works without, it only disturbs more */
	setpriority(PRIO_PROCESS, (id_t)tid, 19);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
	pthread_setname_np(pthread_self(), "hinomi-hash");
}

static void job_publish(struct hasher *hasher)
{
	uint64_t one = 1;

	hasher->finished++;
	if (write(hasher->event_fd, &one, sizeof(one)) < 0)
		return; /* cannot be: it counts to 2^64, and at most HASHER_QUEUE_MAX wait */
}

static void *worker(void *ctx)
{
	struct hasher *hasher = ctx;

	lower_priority();
	pthread_mutex_lock(&hasher->lock);
	while (!hasher->stop) {
		struct job *job = &hasher->jobs[hasher->finished % HASHER_QUEUE_MAX];

		if (hasher->finished == hasher->asked) {
			pthread_cond_wait(&hasher->wake, &hasher->lock);
			continue;
		}
		pthread_mutex_unlock(&hasher->lock);
		digest_file(&job->request, &hasher->stop, &job->digest);
		pthread_mutex_lock(&hasher->lock);
		job_publish(hasher);
	}
	pthread_mutex_unlock(&hasher->lock);
	return NULL;
}

static int thread_start(struct hasher *hasher)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&hasher->thread, NULL, worker, hasher);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	hasher->has_thread = !r;
	return -r;
}

int hasher_new(uint64_t file_max_bytes, struct hasher **ret)
{
	CLEANUP(hasher_free) struct hasher *hasher = calloc(1, sizeof(*hasher));
	int r;

	if (!hasher)
		return -ENOMEM;
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->wake, NULL);
	hasher->file_max_bytes = file_max_bytes;
	hasher->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	if (hasher->event_fd < 0)
		return -errno;
	r = digest_cache_new(&hasher->cache);
	if (!r)
		r = thread_start(hasher);
	if (r < 0)
		return r;
	*ret = TAKE(hasher);
	return 0;
}

static bool thread_stop(struct hasher *hasher)
{
	struct timespec until;

	pthread_mutex_lock(&hasher->lock);
	hasher->stop = true;
	pthread_cond_signal(&hasher->wake);
	pthread_mutex_unlock(&hasher->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	return !pthread_timedjoin_np(hasher->thread, NULL, &until);
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	if (hasher->has_thread && !thread_stop(hasher)) {
		pthread_detach(hasher->thread);
		return; /* its memory stays with it */
	}
	for (uint64_t i = hasher->taken; i < hasher->asked; i++)
		free(hasher->jobs[i % HASHER_QUEUE_MAX].request.path);
	if (hasher->event_fd >= 0)
		close(hasher->event_fd);
	digest_cache_free(hasher->cache);
	pthread_cond_destroy(&hasher->wake);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher);
}

/* asked is only changed by this thread, so that it may be read without the lock. */
static int job_add(struct hasher *hasher, const Hinomi__File *file,
		   const struct digest_request *request)
{
	struct job *job = &hasher->jobs[hasher->asked % HASHER_QUEUE_MAX];
	char *path;

	if (hasher->asked - hasher->taken >= HASHER_QUEUE_MAX)
		return -ENOSPC;
	path = calloc(1, file->path.len + 1);
	if (!path)
		return -ENOMEM;
	if (file->path.len)
		memcpy(path, file->path.data, file->path.len);
	if (digest_cache_begin(hasher->cache, &request->identity) < 0) {
		free(path);
		return -ENOSPC;
	}
	*job = (struct job){.request = *request, .file = *file, .path_len = file->path.len};
	job->request.path = path;
	pthread_mutex_lock(&hasher->lock);
	hasher->asked++;
	pthread_cond_signal(&hasher->wake);
	pthread_mutex_unlock(&hasher->lock);
	return 0;
}

Hinomi__HashState hasher_ask(struct hasher *hasher, const Hinomi__File *file, uint32_t pid,
			     uint32_t parent, uint8_t sha256[DIGEST_SIZE])
{
	struct digest_request request = {.pid = pid,
					 .parent = parent,
					 .identity = {.inode = file->inode,
						      .size = file->size,
						      .changed_ns = file->changed_ns,
						      .device_major = file->device_major,
						      .device_minor = file->device_minor,
						      .generation = file->generation,
						      .filesystem = file->filesystem}};
	Hinomi__HashState state;

	if (!file->inode)
		return HINOMI__HASH_STATE__HASH_STATE_UNSPECIFIED;
	if (file->size > hasher->file_max_bytes)
		return HINOMI__HASH_STATE__HASH_STATE_TOO_LARGE;
	if (digest_refuses(file->filesystem))
		return HINOMI__HASH_STATE__HASH_STATE_NOT_READ;
	state = digest_cache_find(hasher->cache, &request.identity, sha256);
	if (state != HINOMI__HASH_STATE__HASH_STATE_UNSPECIFIED) {
		hasher->stats.cache_hits++;
		return state;
	}
	if (job_add(hasher, file, &request) < 0) {
		hasher->stats.failures++;
		return HINOMI__HASH_STATE__HASH_STATE_NOT_READ;
	}
	return HINOMI__HASH_STATE__HASH_STATE_PENDING;
}

static bool has_result(struct hasher *hasher)
{
	bool has;

	pthread_mutex_lock(&hasher->lock);
	has = hasher->finished > hasher->taken;
	pthread_mutex_unlock(&hasher->lock);
	return has;
}

/* The descriptor counts the results that wait. */
static void result_done(struct hasher *hasher, struct job *job)
{
	uint64_t one;

	free(job->request.path);
	job->request.path = NULL;
	hasher->taken++;
	if (read(hasher->event_fd, &one, sizeof(one)) < 0)
		return; /* cannot be: each result was counted */
}

static Hinomi__FileHash *result_new(const struct job *job, struct arena *arena)
{
	size_t digest_len =
		job->digest.state == HINOMI__HASH_STATE__HASH_STATE_KNOWN ? DIGEST_SIZE : 0;
	Hinomi__FileHash *result = arena_alloc(arena, sizeof(*result));
	Hinomi__File *file = arena_copy(arena, &job->file, sizeof(*file));
	uint8_t *path = arena_copy(arena, job->request.path, job->path_len + 1);
	uint8_t *sha256 = arena_copy(arena, job->digest.sha256, DIGEST_SIZE);

	if (!result || !file || !path || !sha256)
		return NULL;
	hinomi__file_hash__init(result);
	result->file = file;
	result->hash_state = job->digest.state;
	result->file->path = (ProtobufCBinaryData){.data = path, .len = job->path_len};
	result->sha256 = (ProtobufCBinaryData){.data = sha256, .len = digest_len};
	return result;
}

int hasher_take(struct hasher *hasher, struct arena *arena, Hinomi__FileHash **ret)
{
	struct job *job = &hasher->jobs[hasher->taken % HASHER_QUEUE_MAX];
	Hinomi__FileHash *result;

	if (!has_result(hasher))
		return 0;
	result = result_new(job, arena);
	if (!result)
		return -ENOMEM;
	digest_cache_end(hasher->cache, &job->request.identity, &job->digest);
	if (job->digest.state == HINOMI__HASH_STATE__HASH_STATE_KNOWN)
		hasher->stats.hashes++;
	else
		hasher->stats.failures++;
	result_done(hasher, job);
	*ret = result;
	return 1;
}

int hasher_fd(const struct hasher *hasher)
{
	return hasher->event_fd;
}

struct hasher_stats hasher_stats(const struct hasher *hasher)
{
	return hasher->stats;
}
