/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spool/directory.h"
#include "spool/state.h"
#include "spool/walk.h"

struct spool_reader {
	enum lane lane;
	int spool, dir, durable_fd;
	bool all;
	struct walk walk;
	bool whole; /* the open segment: it grows no more */

	struct spool_position at, next;
	uint64_t number;
	struct spool_damage damage;

	bool bounded; /* bound says what is durable; else all that is there is */
	struct spool_position bound;
};

void spool_reader_free(struct spool_reader *reader)
{
	if (!reader)
		return;
	walk_done(&reader->walk);
	if (reader->durable_fd >= 0)
		close(reader->durable_fd);
	if (reader->dir >= 0)
		close(reader->dir);
	if (reader->spool >= 0)
		close(reader->spool);
	free(reader);
}

static int read_evicted(const struct spool_reader *reader, uint64_t *ret)
{
	CLEANUP(close_fd)
	int fd = openat(reader->dir, "evicted", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct evicted evicted = {0};
	int err = fd < 0 ? -errno : evicted_read(fd, reader->lane, &evicted);

	*ret = evicted.segment;
	return err == -ENOENT ? 0 : err;
}

/* The position cannot be one of this spool when all that ever was in it is older. */
static int check_position(const struct spool_reader *reader)
{
	uint64_t evicted, number;
	int r;

	if (!reader->next.segment)
		return 0;
	r = directory_next_segment(reader->dir, reader->next.segment, &number);
	if (r)
		return r < 0 ? r : 0;
	r = read_evicted(reader, &evicted);
	if (r)
		return r;
	return evicted < reader->next.segment ? -ESTALE : 0;
}

static int reader_open(struct spool_reader *reader, const char *dir)
{
	reader->spool = directory_open(dir);
	if (reader->spool < 0)
		return reader->spool;
	reader->dir = directory_open_lane(reader->spool, reader->lane);
	if (reader->dir < 0)
		return reader->dir;
	return check_position(reader);
}

int spool_reader_open(const char *dir, enum lane lane, struct spool_position from,
		      struct spool_reader **ret)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	reader->lane = lane;
	reader->spool = reader->dir = reader->durable_fd = -1;
	reader->walk = (struct walk)WALK_NONE;
	reader->bounded = true;
	reader->next = from;
	err = reader_open(reader, dir);
	if (err)
		return err;
	*ret = TAKE(reader);
	return 0;
}

void spool_reader_all(struct spool_reader *reader)
{
	reader->all = true;
}

static int read_durable(struct spool_reader *reader, struct spool_position *ret)
{
	if (reader->durable_fd < 0)
		reader->durable_fd =
			openat(reader->dir, "durable", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (reader->durable_fd < 0)
		return errno == ENOENT ? -EBADMSG : -errno;
	return durable_read(reader->durable_fd, ret);
}

/* With a damaged bound and a live writer nothing new is durable, as far as we know; without a
 * writer all that the disk kept is.  A read that met a write of the bound is tried again. */
static int refresh_bound(struct spool_reader *reader)
{
	struct spool_position bound = {0};
	int err = -EBADMSG;

	if (reader->all) {
		reader->bounded = false;
		return 0;
	}
	for (int i = 0; i < 3 && err == -EBADMSG; i++)
		err = read_durable(reader, &bound);
	if (err && err != -EBADMSG)
		return err;
	reader->bounded = !err || directory_is_locked(reader->spool);
	if (!err)
		reader->bound = bound;
	return 0;
}

/* Deleted under us? */
static int check_directory(const struct spool_reader *reader)
{
	struct stat st;

	if (fstat(reader->dir, &st))
		return -errno;
	return st.st_nlink ? 0 : -ESTALE;
}

static int say_missing(struct spool_reader *reader, uint64_t first, uint64_t next)
{
	uint64_t evicted;
	int err = read_evicted(reader, &evicted);

	if (err)
		return err;
	reader->damage = (struct spool_damage){
		.at = {.segment = first},
		.segments = next - first,
		.evicted = evicted >= next - 1,
	};
	return -EBADMSG;
}

/* Sets how far the open segment may be read. */
static void limit_segment(struct spool_reader *reader)
{
	uint64_t number = reader->next.segment;

	reader->whole = reader->bounded && number < reader->bound.segment;
	if (reader->whole || !reader->bounded)
		walk_settle(&reader->walk, reader->dir);
	else
		walk_bound(&reader->walk,
			   number == reader->bound.segment ? reader->bound.offset : 0);
}

/* 1: open, 0: it is gone, -EBADMSG: open, with a damaged head. */
static int open_segment(struct spool_reader *reader, uint64_t number, uint64_t offset)
{
	int r = walk_open(&reader->walk, reader->dir, reader->lane, number);
	uint64_t damaged = reader->walk.damaged;

	if (r == -ENOENT)
		return 0;
	if (r && r != -EBADMSG)
		return r;
	reader->next = (struct spool_position){number, reader->walk.next};
	limit_segment(reader);
	if (offset > reader->walk.next) {
		reader->walk.next = reader->next.offset = offset;
		return 1; /* what is wrong with the head was said when we began there */
	}
	if (r) {
		reader->damage = (struct spool_damage){.at = {.segment = number}, .bytes = damaged};
		return r;
	}
	return 1;
}

/* Opens the segment of `next`, or the one after when that is gone: 1, 0 when there is none,
 * -EBADMSG. */
static int open_at(struct spool_reader *reader, uint64_t wanted, uint64_t offset)
{
	uint64_t found = wanted;
	int r = 0;

	if (reader->bounded && wanted > reader->bound.segment)
		return 0;
	if (wanted)
		r = open_segment(reader, wanted, offset);
	if (r)
		return r;
	r = directory_next_segment(reader->dir, wanted, &found);
	if (r <= 0 || (reader->bounded && found > reader->bound.segment))
		return r < 0 ? r : 0;
	if (wanted && found > wanted) {
		reader->next = (struct spool_position){.segment = found};
		return say_missing(reader, wanted, found);
	}
	return open_segment(reader, found, 0);
}

static int look_again(struct spool_reader *reader)
{
	int err = walk_again(&reader->walk);

	if (err)
		return err;
	limit_segment(reader);
	return 1;
}

/* The end of what the open segment had: 1: there is more now, here or in the next one; 0: wait. */
static int go_on(struct spool_reader *reader)
{
	struct walk *walk = &reader->walk;
	uint64_t number = reader->next.segment, found;
	int r;

	if (walk->cut)
		return look_again(reader);
	if (!reader->bounded) {
		r = directory_next_segment(reader->dir, number + 1, &found);
		if (r <= 0)
			return r;
		reader->whole = true;
	}
	if (!reader->whole) {
		uint64_t end = walk->end;

		if (number == reader->bound.segment) {
			walk_bound(walk, reader->bound.offset);
			return walk->end > end;
		}
		if (number > reader->bound.segment)
			return 0;
		/* it was finished meanwhile: where it ends is in the file now, even if that was
		 * evicted */
		return look_again(reader);
	}
	return open_at(reader, number + 1, 0);
}

/* 1: the segment to read is open and may hold more. */
static int find_more(struct spool_reader *reader)
{
	int r = refresh_bound(reader);

	if (r)
		return r;
	if (reader->walk.fd < 0)
		r = open_at(reader, reader->next.segment, reader->next.offset);
	else
		r = go_on(reader);
	if (!r)
		r = check_directory(reader);
	return r;
}

int spool_read(struct spool_reader *reader, const void **frame, size_t *size)
{
	struct walk *walk = &reader->walk;
	int r;

	for (;;) {
		r = walk_next(walk);
		if (r) {
			reader->at = (struct spool_position){reader->next.segment, walk->at};
			reader->next.offset = walk->next;
			break;
		}
		r = find_more(reader);
		if (r <= 0)
			return r;
	}
	if (r == -EBADMSG)
		reader->damage = (struct spool_damage){.at = reader->at, .bytes = walk->damaged};
	if (r < 0)
		return r;
	reader->number = walk->record.number;
	*frame = walk->frame;
	*size = walk->record.length;
	return 1;
}

struct spool_position spool_reader_at(const struct spool_reader *reader)
{
	return reader->at;
}

struct spool_position spool_reader_next(const struct spool_reader *reader)
{
	return reader->next;
}

uint64_t spool_reader_number(const struct spool_reader *reader)
{
	return reader->number;
}

struct spool_damage spool_reader_damage(const struct spool_reader *reader)
{
	return reader->damage;
}

/* 1: the segment has a frame that can be read. */
static int has_frame(int dir, enum lane lane, uint64_t number)
{
	struct walk walk = WALK_NONE;
	int r = walk_open(&walk, dir, lane, number);

	while (!r || r == -EBADMSG) {
		r = walk_next(&walk);
		if (!r)
			break;
	}
	walk_done(&walk);
	return r == -ENOENT ? 0 : r;
}

int spool_last_segment(const char *dir, enum lane lane, struct spool_position *ret)
{
	CLEANUP(close_fd) int spool = directory_open(dir);
	CLEANUP(close_fd) int fd = spool < 0 ? spool : directory_open_lane(spool, lane);
	uint64_t number = UINT64_MAX;
	int r;

	if (fd < 0)
		return fd;
	while ((r = directory_last_segment(fd, number, &number)) == 1) {
		r = has_frame(fd, lane, number);
		if (r)
			break;
	}
	if (r < 0)
		return r;
	*ret = r ? (struct spool_position){number, SEGMENT_HEAD_BYTES} : (struct spool_position){0};
	return 0;
}
