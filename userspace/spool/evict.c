/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for what is new: the marker `evicted` is durable before a segment is
 * unlinked, so that nobody takes the hole for damage.
 */
#include <errno.h>

#include "base/clock.h"
#include "spool/io.h"
#include "spool/lane.h"
#include "spool/walk.h"

/* The newest durable segment stays: it holds the end of the chain. */
static bool has_evictable(const struct lane_writer *lane)
{
	return lane->count && lane->entries[0].number < lane->durable.segment;
}

static uint64_t protected_bytes(const struct spool_writer *writer)
{
	uint64_t quarter = writer->options.limit_bytes / 4;

	return quarter && quarter < PROTECTED_BYTES ? quarter : PROTECTED_BYTES;
}

/* Whose oldest segment goes: what was released, bulk, and must-keep for must-keep only and down to
 * what is protected. */
static struct lane_writer *choose(struct spool_writer *writer, enum lane lane, bool disk_full)
{
	static const enum lane order[] = {LANE_BULK, LANE_KEEP};
	struct lane_writer *keep = &writer->lanes[LANE_KEEP], *bulk = &writer->lanes[LANE_BULK];

	for (int i = 0; i < LANES; i++) {
		struct lane_writer *candidate = &writer->lanes[order[i]];

		if (has_evictable(candidate) && candidate->entries[0].number < candidate->released)
			return candidate;
	}
	if (has_evictable(bulk) &&
	    (lane == LANE_BULK || disk_full || bulk->bytes > 2 * writer->options.segment_bytes))
		return bulk;
	if (lane == LANE_KEEP && has_evictable(keep) && keep->bytes > protected_bytes(writer))
		return keep;
	return NULL;
}

/* From the foot, else by counting. */
static struct spool_eviction summary(const struct lane_writer *lane, uint64_t number)
{
	struct spool_eviction ret = {.lane = lane->lane, .segment = number};
	struct walk walk = WALK_NONE;
	int r = walk_open(&walk, lane->dir, lane->lane, number);

	if (walk.fd >= 0)
		walk_settle(&walk, lane->dir);
	if (walk.has_foot) {
		ret.frames = walk.foot.frames;
		ret.first_frame = walk.foot.first;
		ret.last_frame = walk.foot.last;
	} else if (!r || r == -EBADMSG) {
		while ((r = walk_next(&walk)) == 1 || r == -EBADMSG) {
			if (r != 1)
				continue;
			if (!ret.frames++)
				ret.first_frame = walk.record.number;
			ret.last_frame = walk.record.number;
		}
	}
	walk_done(&walk);
	return ret;
}

static int unlink_segment(const struct lane_writer *lane, uint64_t number)
{
	char name[SEGMENT_NAME_BYTES];

	segment_name(number, name);
	if (spool_io.unlinkat(lane->dir, name, 0) && errno != ENOENT)
		return -errno;
	/* should that be undone by a power cut, the marker makes the next start unlink it again */
	spool_io.fsync(lane->dir);
	return 0;
}

static int evict(struct spool_writer *writer, struct lane_writer *lane, uint64_t number,
		 bool released, bool aged)
{
	struct spool_eviction eviction = summary(lane, number);
	struct evicted marker;
	int err;

	pthread_mutex_lock(&writer->lock);
	marker = lane->evicted;
	pthread_mutex_unlock(&writer->lock);
	marker.segment = number;
	eviction.released = released;
	eviction.aged = aged;
	evicted_add(&marker, &eviction);
	err = evicted_write(lane->evicted_fd, &marker);
	if (err)
		return err;
	err = unlink_segment(lane, number);
	pthread_mutex_lock(&writer->lock);
	lane->evicted.generation = marker.generation;
	lane->evicted.segment = number;
	lane_report(lane, &eviction);
	lane_remove_entry(writer, lane, 0);
	pthread_mutex_unlock(&writer->lock);
	return err;
}

bool evict_room(struct spool_writer *writer, enum lane lane, uint64_t size)
{
	bool disk_full, enough;
	uint64_t freed = 0;

	if (writer->options.never_evict)
		return false;
	pthread_mutex_lock(&writer->evict_lock);
	pthread_mutex_lock(&writer->lock);
	disk_full = quota_allows(writer, lane, size);
	pthread_mutex_unlock(&writer->lock);
	for (;;) {
		struct lane_writer *from = NULL;
		struct segment_entry oldest = {0};
		bool released = false;

		pthread_mutex_lock(&writer->lock);
		enough = disk_full ? freed >= size : quota_allows(writer, lane, size);
		if (!enough)
			from = choose(writer, lane, disk_full);
		if (from) {
			oldest = from->entries[0];
			released = oldest.number < from->released;
		}
		pthread_mutex_unlock(&writer->lock);
		if (!from || evict(writer, from, oldest.number, released, false))
			break;
		freed += oldest.bytes;
	}
	pthread_mutex_unlock(&writer->evict_lock);
	return enough;
}

void evict_ahead(struct spool_writer *writer)
{
	uint64_t size = writer->options.segment_bytes;

	for (int i = 0; i < LANES; i++) {
		struct lane_writer *lane = &writer->lanes[i];
		bool wanted;

		pthread_mutex_lock(&writer->lock);
		wanted = lane->active.fd >= 0 && lane->active.offset > size / 2 &&
			 !quota_allows(writer, lane->lane, size);
		pthread_mutex_unlock(&writer->lock);
		if (wanted)
			evict_room(writer, lane->lane, size);
	}
}

/* The number of the oldest segment that is too old, 0: none is. */
static uint64_t find_aged(struct lane_writer *lane, uint64_t age_ns, bool *released)
{
	int64_t now = (int64_t)clock_boot_ns(), age = (int64_t)age_ns;

	if (!has_evictable(lane) || now - lane->entries[0].written_ns <= age)
		return 0;
	*released = lane->entries[0].number < lane->released;
	return lane->entries[0].number;
}

void evict_aged(struct spool_writer *writer)
{
	uint64_t age = writer->options.age_ns;

	for (int i = 0; i < LANES && age; i++) {
		struct lane_writer *lane = &writer->lanes[i];
		bool released = false;
		uint64_t number;

		pthread_mutex_lock(&writer->evict_lock);
		do {
			pthread_mutex_lock(&writer->lock);
			lane_finish_aged(writer, lane, age / 8);
			number = find_aged(lane, age, &released);
			pthread_mutex_unlock(&writer->lock);
		} while (number && !evict(writer, lane, number, released, true));
		pthread_mutex_unlock(&writer->evict_lock);
	}
}

int evict_store(struct spool_writer *writer, struct lane_writer *lane)
{
	struct evicted marker;
	int err;

	pthread_mutex_lock(&writer->evict_lock);
	pthread_mutex_lock(&writer->lock);
	marker = lane->evicted;
	pthread_mutex_unlock(&writer->lock);
	err = evicted_write(lane->evicted_fd, &marker);
	pthread_mutex_lock(&writer->lock);
	lane->evicted.generation = marker.generation;
	pthread_mutex_unlock(&writer->lock);
	pthread_mutex_unlock(&writer->evict_lock);
	return err;
}

/* Drops entry i and moves its companion along. */
static void forget(struct lane_writer *lane, unsigned i)
{
	evicted_remove(&lane->evicted, i);
	for (; i < EVICTIONS_PENDING - 1; i++)
		lane->confirm_at[i] = lane->confirm_at[i + 1];
	lane->confirm_at[i] = 0;
}

void evict_confirm(struct spool_writer *writer)
{
	for (int i = 0; i < LANES; i++) {
		struct lane_writer *lane = &writer->lanes[i];
		bool changed = false;

		pthread_mutex_lock(&writer->lock);
		for (unsigned k = 0; k < lane->evicted.count;) {
			uint64_t at = lane->confirm_at[k];

			if (at && at <= writer->lanes[LANE_KEEP].durable_number) {
				forget(lane, k);
				changed = true;
			} else {
				k++;
			}
		}
		pthread_mutex_unlock(&writer->lock);
		if (changed)
			evict_store(writer, lane); /* should that fail, they are declared twice */
	}
}

int spool_take_eviction(struct spool_writer *writer, struct spool_eviction *ret)
{
	int found = 0;

	pthread_mutex_lock(&writer->lock);
	for (int i = 0; i < LANES && !found; i++) {
		struct lane_writer *lane = &writer->lanes[i];

		for (unsigned k = 0; k < lane->evicted.count && !found; k++) {
			if (lane->confirm_at[k])
				continue;
			*ret = lane->evicted.pending[k];
			lane->confirm_at[k] = DECLARED_NOWHERE;
			found = 1;
		}
	}
	pthread_mutex_unlock(&writer->lock);
	return found;
}

void spool_declare(struct spool_writer *writer, uint64_t number)
{
	pthread_mutex_lock(&writer->lock);
	for (int i = 0; i < LANES; i++)
		for (unsigned k = 0; k < EVICTIONS_PENDING; k++)
			if (writer->lanes[i].confirm_at[k] == DECLARED_NOWHERE)
				writer->lanes[i].confirm_at[k] = number;
	pthread_mutex_unlock(&writer->lock);
}

/* The first finished segment that is not released, or 0. */
static uint64_t first_held(const struct lane_writer *lane)
{
	for (size_t i = 0; i < lane->count; i++)
		if (lane->entries[i].number >= lane->released)
			return lane->entries[i].number < lane->durable.segment
				       ? lane->entries[i].number
				       : 0;
	return 0;
}

void spool_release(struct spool_writer *writer, enum lane which, uint64_t number)
{
	struct lane_writer *lane = &writer->lanes[which];
	uint64_t segment;

	pthread_mutex_lock(&writer->evict_lock); /* nothing goes while we read */
	do {
		struct spool_eviction frames;

		pthread_mutex_lock(&writer->lock);
		segment = first_held(lane);
		pthread_mutex_unlock(&writer->lock);
		if (segment)
			frames = summary(lane, segment);
		if (!segment || !frames.frames || frames.last_frame > number)
			break;
		pthread_mutex_lock(&writer->lock);
		lane->released = segment + 1;
		pthread_mutex_unlock(&writer->lock);
	} while (true);
	pthread_mutex_unlock(&writer->evict_lock);
}
