/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/io.h"

bool is_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT;
}

int lane_add_entry(struct spool_writer *writer, struct lane_writer *lane, uint64_t number,
		   uint64_t bytes)
{
	if (lane->count == lane->capacity) {
		size_t capacity = lane->capacity ? lane->capacity * 2 : 64;
		void *grown = reallocarray(lane->entries, capacity, sizeof(*lane->entries));

		if (!grown)
			return -ENOMEM;
		lane->entries = grown;
		lane->capacity = capacity;
	}
	lane->entries[lane->count++] = (struct segment_entry){
		.number = number, .bytes = bytes, .written_ns = (int64_t)clock_boot_ns()};
	lane->bytes += bytes;
	atomic_fetch_add(&writer->bytes, bytes);
	return 0;
}

void lane_remove_entry(struct spool_writer *writer, struct lane_writer *lane, size_t index)
{
	uint64_t bytes = lane->entries[index].bytes;

	lane->bytes -= bytes;
	atomic_fetch_sub(&writer->bytes, bytes);
	memmove(lane->entries + index, lane->entries + index + 1,
		(lane->count - index - 1) * sizeof(*lane->entries));
	lane->count--;
}

/* The file of the newest entry has another size now. */
static void resize_newest(struct spool_writer *writer, struct lane_writer *lane, uint64_t bytes)
{
	struct segment_entry *entry = &lane->entries[lane->count - 1];

	lane->bytes += bytes - entry->bytes;
	atomic_fetch_add(&writer->bytes, bytes - entry->bytes);
	entry->bytes = bytes;
}

uint64_t segment_size_for(const struct spool_writer *writer, const struct record *record)
{
	uint64_t need = SEGMENT_HEAD_BYTES + record_bytes(record->length) + SEGMENT_FOOT_BYTES;

	return need > writer->options.segment_bytes ? need : writer->options.segment_bytes;
}

/* Must-keep leaves bulk room for two segments, else bulk could never rotate again. */
bool quota_allows(const struct spool_writer *writer, enum lane lane, uint64_t size)
{
	uint64_t keep = writer->lanes[LANE_KEEP].bytes, bulk = writer->lanes[LANE_BULK].bytes;
	uint64_t limit = writer->options.limit_bytes;

	if (lane == LANE_KEEP && bulk < 2 * writer->options.segment_bytes)
		bulk = 2 * writer->options.segment_bytes;
	return !limit || keep + bulk + writer->reserve.held_bytes + size <= limit;
}

/* Nothing was ever durable in it: its number is free again. */
static void discard_newest(struct spool_writer *writer, struct lane_writer *lane,
			   struct segment *segment)
{
	char name[SEGMENT_NAME_BYTES];

	segment_name(segment->id.number, name);
	close(segment->fd);
	if (!spool_io.unlinkat(lane->dir, name, 0) || errno == ENOENT)
		lane->next = segment->id.number;
	lane_remove_entry(writer, lane, lane->count - 1);
	lane->directory_changed = true;
	*segment = SEGMENT_NONE;
}

/* lane_put saw to it that there is room among the pending. */
void lane_finish(struct spool_writer *writer, struct lane_writer *lane)
{
	if (lane->active.fd < 0)
		return;
	if (!lane->active.frames) {
		discard_newest(writer, lane, &lane->active);
		return;
	}
	segment_finish(&lane->active);
	resize_newest(writer, lane, lane->active.size);
	lane->entries[lane->count - 1].written_ns = (int64_t)clock_boot_ns();
	lane->pending[lane->npending++] = lane->active;
	lane->active = SEGMENT_NONE;
}

void lane_finish_aged(struct spool_writer *writer, struct lane_writer *lane, uint64_t age_ns)
{
	int64_t now = (int64_t)clock_boot_ns();

	if (lane->active.fd >= 0 && lane->active.frames && lane->npending < PENDING_MAX &&
	    now - lane->entries[lane->count - 1].written_ns > (int64_t)age_ns)
		lane_finish(writer, lane);
}

/* A segment that is neither pending nor durable was abandoned, and could not be unlinked. */
static uint64_t end_of(const struct lane_writer *lane, uint64_t number)
{
	if (lane->npending && lane->pending[lane->npending - 1].id.number == number)
		return lane->pending[lane->npending - 1].offset;
	if (lane->durable.segment == number)
		return lane->durable.offset;
	return number > lane->durable.segment ? SEGMENT_HEAD_BYTES : 0;
}

/* size 0: out of the reserve */
static int create(struct spool_writer *writer, struct lane_writer *lane, uint64_t size)
{
	int err = -EEXIST;

	/* what is in the way could not be unlinked when it was abandoned */
	for (int i = 0; i < 16 && err == -EEXIST; i++) {
		const struct segment_id id = {.number = lane->next,
					      .lane = lane->lane,
					      .previous_end = end_of(lane, lane->next - 1)};

		err = size ? segment_create(lane->dir, id, size, writer->options.reader_gid,
					    &lane->active)
			   : reserve_take(writer, id, &lane->active);
		lane->next++;
	}
	if (err) {
		lane->next--;
		return err;
	}
	lane->directory_changed = true;
	return 0;
}

static int open_segment(struct spool_writer *writer, struct lane_writer *lane,
			const struct record *record, bool last_resort)
{
	uint64_t size = segment_size_for(writer, record);
	int err;

	if (!quota_allows(writer, lane->lane, size))
		return -ENOSPC;
	err = lane_add_entry(writer, lane, lane->next, 0);
	if (err)
		return err;
	err = create(writer, lane, size);
	if (is_full(err) && lane->lane == LANE_KEEP)
		err = create(writer, lane, 0);
	if (is_full(err) && last_resort)
		err = create(writer, lane,
			     SEGMENT_HEAD_BYTES + record_bytes(record->length) +
				     SEGMENT_FOOT_BYTES);
	if (err) {
		lane_remove_entry(writer, lane, lane->count - 1);
		return err;
	}
	lane->entries[lane->count - 1].number = lane->active.id.number;
	resize_newest(writer, lane, lane->active.size);
	return 0;
}

int lane_put(struct spool_writer *writer, struct lane_writer *lane, const struct record *record,
	     const void *frame, bool last_resort)
{
	uint64_t need = record_bytes(record->length) + SEGMENT_FOOT_BYTES;
	int err;

	if (lane->npending == PENDING_MAX)
		return -EAGAIN;
	if (lane->active.fd >= 0 && lane->active.offset + need > writer->options.segment_bytes) {
		lane_finish(writer, lane);
		if (lane->npending == PENDING_MAX)
			return -EAGAIN;
	}
	if (lane->active.fd < 0) {
		err = open_segment(writer, lane, record, last_resort);
		if (err)
			return err;
	}
	err = segment_append(&lane->active, record, frame);
	if (err) {
		lane_finish(writer, lane);
		return err;
	}
	if (lane->active.size != lane->entries[lane->count - 1].bytes)
		resize_newest(writer, lane, lane->active.size);
	return 0;
}

int lane_replay(struct spool_writer *writer, struct lane_writer *lane, bool last_resort)
{
	struct record record;
	const void *frame;

	while ((frame = window_unwritten(&lane->window, &record))) {
		int err = lane_put(writer, lane, &record, frame, last_resort);

		if (err)
			return err;
		window_advance(&lane->window);
		writer->health.rewritten_frames++;
	}
	return 0;
}

/* What was taken is on its way; it gives way to what nobody knows of yet. */
void lane_report(struct lane_writer *lane, const struct spool_eviction *eviction)
{
	struct evicted *evicted = &lane->evicted;
	unsigned last = EVICTIONS_PENDING - 1;

	if (evicted->count == EVICTIONS_PENDING && lane->confirm_at[0]) {
		evicted_remove(evicted, 0);
		memmove(lane->confirm_at, lane->confirm_at + 1, last * sizeof(*lane->confirm_at));
		lane->confirm_at[last] = 0;
	}
	evicted_add(evicted, eviction);
	lane->confirm_at[evicted->count - 1] = 0;
}

/* What the lost frames declared has to be told again. */
static void undeclare(struct spool_writer *writer, const struct unguarded *lost)
{
	for (int i = 0; i < LANES; i++)
		for (unsigned k = 0; k < EVICTIONS_PENDING; k++) {
			uint64_t *at = &writer->lanes[i].confirm_at[k];

			if (*at >= lost->first && *at <= lost->last)
				*at = 0;
		}
}

static void report_lost(struct spool_writer *writer, struct lane_writer *lane,
			struct unguarded *lost)
{
	struct spool_eviction eviction = {
		.lane = lane->lane,
		.segment = lane->durable.segment,
		.frames = lost->frames,
		.first_frame = lost->first,
		.last_frame = lost->last,
		.error = lane->error,
	};

	if (!lost->frames)
		return;
	writer->health.lost_frames += lost->frames;
	if (lane->lane == LANE_KEEP)
		undeclare(writer, lost);
	lane_report(lane, &eviction);
	*lost = (struct unguarded){0};
}

/* Newest first, so that numbers are given back in order.  The kernel dropped the error with the
 * call that returned it, and may show pages that the disk does not have: none of them counts any
 * more. */
void lane_abandon(struct spool_writer *writer, struct lane_writer *lane)
{
	if (lane->active.fd >= 0)
		lane->pending[lane->npending++] = lane->active;
	lane->active = SEGMENT_NONE;
	while (lane->npending) {
		struct segment *segment = &lane->pending[--lane->npending];

		if (segment->id.number > lane->durable.segment) {
			discard_newest(writer, lane, segment);
			continue;
		}
		if (!spool_io.ftruncate(segment->fd, (off_t)lane->durable.offset))
			segment->size = lane->durable.offset;
		resize_newest(writer, lane, segment->size);
		close(segment->fd);
	}
	lane->window.written = 0;
	report_lost(writer, lane, &lane->syncing);
	report_lost(writer, lane, &lane->unguarded);
}
