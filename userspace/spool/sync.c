/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: takes what is there, syncs it without the lock, publishes it. */
#include <errno.h>
#include <unistd.h>

#include "spool/io.h"
#include "spool/lane.h"

struct batch {
	int fds[PENDING_MAX + 1];
	unsigned count, npending;
	bool directory;
	struct spool_position target;
	uint64_t number; /* of the last frame in it */
	size_t mark;	 /* of the window */
};

/* false: nothing waits. */
static bool take_batch(struct lane_writer *lane, struct batch *ret)
{
	const struct segment *newest = NULL;

	*ret = (struct batch){.npending = lane->npending, .target = lane->durable};
	for (unsigned i = 0; i < lane->npending; i++) {
		newest = &lane->pending[i];
		ret->fds[ret->count++] = newest->fd;
	}
	if (lane->active.fd >= 0 && lane->active.frames &&
	    (lane->active.id.number != lane->durable.segment ||
	     lane->active.offset != lane->durable.offset)) {
		newest = &lane->active;
		ret->fds[ret->count++] = newest->fd;
	}
	if (!newest)
		return false;
	ret->target = (struct spool_position){newest->id.number, newest->offset};
	ret->directory = lane->directory_changed;
	lane->directory_changed = false;
	ret->mark = lane->window.written;
	ret->number =
		lane->window.written == lane->window.used ? lane->appended : lane->durable_number;
	lane->syncing = lane->unguarded;
	lane->unguarded = (struct unguarded){0};
	return true;
}

static int sync_descriptor(int fd, int (*sync)(int fd))
{
	int r;

	do
		r = sync(fd);
	while (r && errno == EINTR);
	return r ? -errno : 0;
}

static int sync_batch(const struct lane_writer *lane, const struct batch *batch)
{
	int err = 0;

	for (unsigned i = 0; i < batch->count && !err; i++)
		err = sync_descriptor(batch->fds[i], spool_io.fdatasync);
	if (!err && batch->directory)
		err = sync_descriptor(lane->dir, spool_io.fsync);
	return err;
}

static void commit_batch(struct lane_writer *lane, const struct batch *batch)
{
	for (unsigned i = 0; i < batch->npending; i++)
		close(lane->pending[i].fd);
	lane->npending -= batch->npending;
	for (unsigned i = 0; i < lane->npending; i++)
		lane->pending[i] = lane->pending[i + batch->npending];
	lane->durable = batch->target;
	lane->durable_number = batch->number;
	lane->syncing = (struct unguarded){0};
	window_drop(&lane->window, batch->mark);
	lane->error = 0;
}

static int publish(struct spool_writer *writer, struct lane_writer *lane)
{
	struct spool_position durable;
	int err;

	pthread_mutex_lock(&writer->lock);
	durable = lane->durable;
	pthread_mutex_unlock(&writer->lock);
	if (durable.segment == lane->published.segment && durable.offset == lane->published.offset)
		return 0;
	err = durable_write(lane->durable_fd, &durable);
	if (!err)
		lane->published = durable;
	return err;
}

/* Writes what an earlier failure left waiting, then takes a batch: its error, and whether there is
 * one. */
static int prepare_batch(struct spool_writer *writer, struct lane_writer *lane, struct batch *batch,
			 bool *taken)
{
	int err = 0;

	for (int attempt = 0; attempt < 2; attempt++) {
		pthread_mutex_lock(&writer->lock);
		err = lane_replay(writer, lane, attempt > 0);
		if (!is_full(err) || attempt)
			*taken = take_batch(lane, batch);
		pthread_mutex_unlock(&writer->lock);
		if (!is_full(err) || attempt)
			break;
		evict_room(writer, lane->lane, writer->options.segment_bytes);
	}
	return err;
}

static void fail_batch(struct spool_writer *writer, struct lane_writer *lane, int err)
{
	pthread_mutex_lock(&writer->lock);
	lane->error = err;
	writer->health.failed_syncs++;
	lane_abandon(writer, lane);
	pthread_mutex_unlock(&writer->lock);
}

static void finish_batch(struct spool_writer *writer, struct lane_writer *lane,
			 const struct batch *batch)
{
	pthread_mutex_lock(&writer->lock);
	commit_batch(lane, batch);
	pthread_mutex_unlock(&writer->lock);
}

/* One more try after a failure: on a new segment.  -EAGAIN of a replay means that this much must be
 * synced before the rest fits. */
static int sync_lane(struct spool_writer *writer, struct lane_writer *lane)
{
	int failures = 0, err;

	for (;;) {
		struct batch batch;
		bool taken = false;
		int replay = prepare_batch(writer, lane, &batch, &taken);

		if (!taken) {
			err = publish(writer, lane);
			return replay ? replay : err;
		}
		err = sync_batch(lane, &batch);
		if (err) {
			fail_batch(writer, lane, err);
			if (++failures == 2)
				return err;
			continue;
		}
		finish_batch(writer, lane, &batch);
		err = publish(writer, lane);
		if (err || replay != -EAGAIN)
			return err ? err : replay;
	}
}

int spool_sync(struct spool_writer *writer)
{
	int err = 0;

	pthread_mutex_lock(&writer->sync_lock);
	for (int i = 0; i < LANES; i++) {
		int r = sync_lane(writer, &writer->lanes[i]);

		if (r && !err)
			err = r;
	}
	evict_ahead(writer);
	evict_aged(writer);
	reserve_fill(writer);
	evict_confirm(writer);
	pthread_mutex_unlock(&writer->sync_lock);
	return err;
}
