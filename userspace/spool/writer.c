/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/io.h"
#include "spool/lane.h"

static int open_lane(struct spool_writer *writer, struct lane_writer *lane)
{
	int gid = writer->options.reader_gid;
	int err = window_init(&lane->window, WINDOW_BYTES);

	if (err)
		return err;
	lane->dir = directory_make(writer->dir, lane_name(lane->lane), gid);
	if (lane->dir < 0)
		return lane->dir;
	lane->durable_fd = directory_make_file(lane->dir, "durable", DURABLE_BYTES, gid);
	if (lane->durable_fd < 0)
		return lane->durable_fd;
	lane->evicted_fd = directory_make_file(lane->dir, "evicted", EVICTED_BYTES, gid);
	if (lane->evicted_fd < 0)
		return lane->evicted_fd;
	return lane_recover(writer, lane);
}

static int writer_open(struct spool_writer *writer, const char *dir)
{
	int gid = writer->options.reader_gid, err;

	writer->dir = directory_make(AT_FDCWD, dir, gid);
	if (writer->dir < 0)
		return writer->dir;
	writer->lock_fd = directory_lock(writer->dir, gid);
	if (writer->lock_fd < 0)
		return writer->lock_fd;
	for (int i = 0; i < LANES; i++) {
		err = open_lane(writer, &writer->lanes[i]);
		if (err)
			return err;
	}
	if (spool_io.fsync(writer->dir))
		return -errno;
	writer->opened = true;
	return reserve_open(writer);
}

static void set_options(struct spool_writer *writer, const struct spool_options *options)
{
	struct spool_options *own = &writer->options;

	*own = *options;
	if (!own->segment_bytes)
		own->segment_bytes = SEGMENT_BYTES_DEFAULT;
	if (own->limit_bytes && own->segment_bytes > own->limit_bytes / 8)
		own->segment_bytes = own->limit_bytes / 8;
	if (own->segment_bytes < SEGMENT_BYTES_MIN)
		own->segment_bytes = SEGMENT_BYTES_MIN;
	if (own->segment_bytes > SEGMENT_BYTES_MAX)
		own->segment_bytes = SEGMENT_BYTES_MAX;
}

int spool_writer_open(const char *dir, const struct spool_options *options,
		      struct spool_writer **ret)
{
	struct spool_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	set_options(writer, options);
	writer->path = strdup(dir);
	if (!writer->path) {
		free(writer);
		return -ENOMEM;
	}
	writer->dir = writer->lock_fd = -1;
	for (int i = 0; i < LANES; i++) {
		struct lane_writer *lane = &writer->lanes[i];

		lane->lane = (enum lane)i;
		lane->dir = lane->durable_fd = lane->evicted_fd = -1;
		lane->active = SEGMENT_NONE;
		lane->next = 1;
	}
	pthread_mutex_init(&writer->sync_lock, NULL);
	pthread_mutex_init(&writer->evict_lock, NULL);
	pthread_mutex_init(&writer->lock, NULL);
	err = writer_open(writer, dir);
	if (err) {
		spool_writer_free(writer);
		return err;
	}
	*ret = writer;
	return 0;
}

static void close_descriptor(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void lane_done(struct lane_writer *lane)
{
	for (unsigned i = 0; i < lane->npending; i++)
		close(lane->pending[i].fd);
	close_descriptor(lane->active.fd);
	close_descriptor(lane->durable_fd);
	close_descriptor(lane->evicted_fd);
	close_descriptor(lane->dir);
	window_done(&lane->window);
	free(lane->entries);
}

void spool_writer_free(struct spool_writer *writer)
{
	if (!writer)
		return;
	for (int i = 0; i < LANES; i++)
		lane_finish(writer, &writer->lanes[i]);
	if (writer->opened)
		spool_sync(writer);
	for (int i = 0; i < LANES; i++)
		lane_done(&writer->lanes[i]);
	close_descriptor(writer->lock_fd);
	close_descriptor(writer->dir);
	free(writer->path);
	pthread_mutex_destroy(&writer->sync_lock);
	pthread_mutex_destroy(&writer->evict_lock);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

static int append_locked(struct spool_writer *writer, struct lane_writer *lane,
			 const struct record *record, const void *frame, bool last_resort)
{
	int err = lane_replay(writer, lane, last_resort);

	if (!err)
		err = lane_put(writer, lane, record, frame, last_resort);
	if (err)
		return err;
	lane->appended = record->number;
	/* from the first one that did not fit on, so that what can be lost is one range */
	if (lane->unguarded.frames || !window_add(&lane->window, record, frame)) {
		if (!lane->unguarded.frames++)
			lane->unguarded.first = record->number;
		lane->unguarded.last = record->number;
	}
	return 0;
}

static int append(struct spool_writer *writer, struct lane_writer *lane,
		  const struct record *record, const void *frame, bool last_resort)
{
	int err;

	pthread_mutex_lock(&writer->lock);
	err = append_locked(writer, lane, record, frame, last_resort);
	pthread_mutex_unlock(&writer->lock);
	return err;
}

int spool_append(struct spool_writer *writer, enum lane lane, uint64_t number, const void *frame,
		 size_t size)
{
	struct lane_writer *to = &writer->lanes[lane];
	struct record record = {.length = (uint32_t)size, .number = number};
	int err;

	if (!size || size > SPOOL_FRAME_BYTES_MAX)
		return -EINVAL;
	record.body_crc = record_body_crc(frame, record.length);
	err = append(writer, to, &record, frame, false);
	if (err == -EAGAIN) {
		/* more segments wait for a sync than we keep open */
		err = spool_sync(writer);
		if (!err)
			err = append(writer, to, &record, frame, false);
	}
	if (is_full(err)) {
		uint64_t room = segment_size_for(writer, &record);

		/* what is not yet durable cannot go */
		if (!evict_room(writer, lane, room) && !spool_sync(writer))
			evict_room(writer, lane, room);
		err = append(writer, to, &record, frame, lane == LANE_KEEP);
	}
	return err;
}

static bool is_same(int fd, int dir, const char *name)
{
	struct stat open, named;

	return !fstat(fd, &open) && !fstatat(dir, name, &named, 0) && open.st_dev == named.st_dev &&
	       open.st_ino == named.st_ino;
}

static bool lane_in_place(const struct spool_writer *writer, const struct lane_writer *lane)
{
	char name[SEGMENT_NAME_BYTES];

	segment_name(lane->active.id.number, name);
	return is_same(lane->dir, writer->dir, lane_name(lane->lane)) &&
	       is_same(lane->durable_fd, lane->dir, "durable") &&
	       is_same(lane->evicted_fd, lane->dir, "evicted") &&
	       (lane->active.fd < 0 || is_same(lane->active.fd, lane->dir, name));
}

int spool_in_place(struct spool_writer *writer)
{
	bool same = is_same(writer->dir, AT_FDCWD, writer->path) &&
		    is_same(writer->lock_fd, writer->dir, "lock");

	pthread_mutex_lock(&writer->lock);
	for (int i = 0; i < LANES && same; i++)
		same = lane_in_place(writer, &writer->lanes[i]);
	pthread_mutex_unlock(&writer->lock);
	return same ? 0 : -ESTALE;
}

int spool_repair(const char *dir)
{
	const struct spool_options options = {.reader_gid = -1};
	struct spool_writer *writer = NULL;
	int err = access(dir, F_OK) ? -errno : spool_writer_open(dir, &options, &writer);

	if (!err)
		spool_writer_free(writer);
	return err;
}

bool spool_lost_end(const struct spool_writer *writer, enum lane lane)
{
	return writer->lanes[lane].lost_end;
}

uint64_t spool_bytes(const struct spool_writer *writer)
{
	return atomic_load(&writer->bytes);
}

void spool_health(struct spool_writer *writer, struct spool_health *ret)
{
	pthread_mutex_lock(&writer->lock);
	*ret = writer->health;
	ret->error = 0;
	for (int i = 0; i < LANES; i++)
		if (writer->lanes[i].error)
			ret->error = writer->lanes[i].error;
	pthread_mutex_unlock(&writer->lock);
}
