/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a writer finds when it opens: segments behind the durable bound may be
 * torn.  Older ones are left alone whatever is in them, so that the cost does not
 * depend on the backlog.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spool/io.h"
#include "spool/lane.h"
#include "spool/walk.h"

struct found {
	uint64_t frames, first, last;
	uint64_t end; /* behind the last good record, or where the foot says that records end */
	uint64_t good_end; /* behind the last good record */
	bool salt_known, damaged;
	struct segment_id id;
	bool has_foot;
};

static int look(const struct lane_writer *lane, uint64_t number, struct found *ret)
{
	struct walk walk = WALK_NONE;
	int r = walk_open(&walk, lane->dir, lane->lane, number);

	*ret = (struct found){0};
	if (r && r != -EBADMSG)
		return r;
	walk_settle(&walk, lane->dir);
	*ret = (struct found){.end = walk.next,
			      .id = walk.id,
			      .damaged = r == -EBADMSG,
			      .salt_known = walk.salt_known,
			      .has_foot = walk.has_foot};
	while ((r = walk_next(&walk)) == 1 || r == -EBADMSG) {
		if (r != 1) {
			ret->damaged = true;
			continue;
		}
		if (!ret->frames++)
			ret->first = walk.record.number;
		ret->last = walk.record.number;
		ret->end = walk.next;
	}
	ret->good_end = ret->end;
	if (walk.has_foot)
		ret->end = walk.foot.offset;
	walk_done(&walk);
	return r;
}

/* The process before may have died between a failed fdatasync and what it does about it; the kernel
 * tells nobody else, and would call pages clean that the disk does not have.  So they are made
 * dirty again. */
static int write_again(int fd, uint64_t from, uint64_t end)
{
	uint8_t chunk[65536];

	while (from < end) {
		size_t part = end - from < sizeof(chunk) ? (size_t)(end - from) : sizeof(chunk);
		ssize_t n = io_read(fd, chunk, part, from);
		int err;

		if (n <= 0)
			return (int)n;
		err = io_write(fd, chunk, (size_t)n, from);
		if (err)
			return err;
		from += (uint64_t)n;
	}
	return 0;
}

static int finish_and_sync(const struct lane_writer *lane, const struct segment_entry *entry,
			   const struct found *found, uint64_t durable_offset, uint64_t *ret_size)
{
	char name[SEGMENT_NAME_BYTES];
	CLEANUP(close_fd) int fd = -1;
	struct segment segment = {
		.id = found->id,
		.offset = found->end,
		.size = entry->bytes,
		.frames = found->frames,
		.first = found->first,
		.last = found->last,
	};
	int err;

	segment_name(entry->number, name);
	fd = spool_io.openat(lane->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return -errno;
	err = write_again(fd, durable_offset,
			  found->has_foot ? found->end + SEGMENT_FOOT_BYTES : found->end);
	if (err)
		return err;
	segment.fd = fd;
	if (!found->has_foot)
		segment_finish(&segment);
	*ret_size = segment.size;
	return spool_io.fdatasync(fd) ? -errno : 0;
}

/* 1: nothing was in the newest and it is gone; 0: it stays and ends at *end. */
static int recover_segment(struct lane_writer *lane, struct segment_entry *entry, bool newest,
			   const struct spool_position *durable, uint64_t *end)
{
	uint64_t bound = durable->segment == entry->number ? durable->offset : 0;
	char name[SEGMENT_NAME_BYTES];
	struct found found;
	int err = look(lane, entry->number, &found);

	*end = entry->bytes;
	if (err == -EPROTONOSUPPORT)
		return 0; /* of a later version: not ours to change */
	if (err)
		return err;
	if (newest && !bound && !found.frames &&
	    (!found.damaged || (durable->segment && !found.salt_known))) {
		segment_name(entry->number, name);
		return spool_io.unlinkat(lane->dir, name, 0) ? -errno : 1;
	}
	lane->lost_end = found.good_end < bound;
	if (!found.salt_known)
		return 0;
	if (found.end < bound)
		found.end = bound < entry->bytes ? bound : entry->bytes;
	/* a foot may stand behind what never got to the disk: that was not promised, nor is it now
	 */
	*end = lane->lost_end ? found.end : found.good_end;
	return finish_and_sync(lane, entry, &found, bound, &entry->bytes);
}

static bool has_foot(const struct lane_writer *lane, uint64_t number)
{
	struct walk walk = WALK_NONE;
	bool ret;

	walk_open(&walk, lane->dir, lane->lane, number);
	ret = walk.has_foot;
	walk_done(&walk);
	return ret;
}

/* Without a bound: the newest, and what is before it as far as it was not finished. */
static size_t first_doubtful(const struct lane_writer *lane, const struct segment_entry *entries,
			     size_t count, const struct spool_position *durable)
{
	size_t i = count;

	if (durable->segment) {
		while (i && entries[i - 1].number >= durable->segment)
			i--;
		return i;
	}
	if (i)
		i--;
	while (i && !has_foot(lane, entries[i - 1].number))
		i--;
	return i;
}

static int recover_segments(struct spool_writer *writer, struct lane_writer *lane,
			    struct segment_entry *entries, size_t count,
			    const struct spool_position *durable)
{
	size_t doubtful = first_doubtful(lane, entries, count, durable);

	lane->durable = *durable;
	for (size_t i = 0; i < count; i++) {
		char name[SEGMENT_NAME_BYTES];
		uint64_t end = entries[i].bytes;
		int r = 0;

		if (entries[i].number >= lane->next)
			lane->next = entries[i].number + 1;
		if (entries[i].number <= lane->evicted.segment) {
			segment_name(entries[i].number, name);
			if (!spool_io.unlinkat(lane->dir, name, 0))
				continue;
		}
		if (i >= doubtful)
			r = recover_segment(lane, &entries[i], i == count - 1, durable, &end);
		if (r < 0)
			return r;
		if (r == 1) {
			lane->next = entries[i].number; /* no hole where there was nothing */
			continue;
		}
		if (i >= doubtful)
			lane->durable = (struct spool_position){entries[i].number, end};
		r = lane_add_entry(writer, lane, entries[i].number, entries[i].bytes);
		if (r)
			return r;
		lane->entries[lane->count - 1].written_ns = entries[i].written_ns;
	}
	return 0;
}

int lane_recover(struct spool_writer *writer, struct lane_writer *lane)
{
	CLEANUP(free) struct segment_entry *entries = NULL;
	struct spool_position durable = {0};
	bool unknown;
	size_t count = 0;
	int err = evicted_read(lane->evicted_fd, lane->lane, &lane->evicted);

	if (!err)
		err = durable_read(lane->durable_fd, &durable);
	unknown = err == -EBADMSG;
	if (unknown)
		err = 0;
	if (!err)
		err = directory_segments(lane->dir, &entries, &count);
	if (err)
		return err;
	lane->next = (durable.segment > lane->evicted.segment ? durable.segment
							      : lane->evicted.segment) +
		     1;
	/* what we read may be in memory only: its sync may have failed under the process before */
	if (count && entries[0].number <= lane->evicted.segment)
		err = evicted_write(lane->evicted_fd, &lane->evicted);
	if (!err)
		err = recover_segments(writer, lane, entries, count, &durable);
	if (!lane->count)
		lane->lost_end = unknown || durable.segment || lane->evicted.segment;
	else if (lane->entries[lane->count - 1].number < durable.segment)
		lane->lost_end = true;
	if (!err && spool_io.fsync(lane->dir))
		err = -errno;
	if (!err)
		err = durable_write(lane->durable_fd, &lane->durable);
	lane->published = lane->durable;
	return err;
}
