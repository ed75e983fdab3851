/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Space that is really set aside: files keep/reserve.N, which become segments by
 * a rename when the disk has no room for a new one, in blocks or in inodes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "spool/io.h"
#include "spool/lane.h"

#define AGAIN_NS NS_PER_SEC /* between two tries on a full disk */

static void reserve_name(unsigned i, char ret[16])
{
	snprintf(ret, 16, "reserve.%u", i);
}

static int fill_with_zeros(int fd, uint64_t size)
{
	static const uint8_t zeros[65536];
	int err = 0;

	for (uint64_t at = 0; at < size && !err; at += sizeof(zeros))
		err = io_write(fd, zeros,
			       size - at < sizeof(zeros) ? (size_t)(size - at) : sizeof(zeros), at);
	return err;
}

static int make(const struct spool_writer *writer, unsigned i)
{
	const struct lane_writer *keep = &writer->lanes[LANE_KEEP];
	uint64_t size = writer->reserve.file_bytes, aside = 0;
	CLEANUP(close_fd) int fd = -1;
	char name[16];
	int err;

	reserve_name(i, name);
	fd = spool_io.openat(keep->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			     0640);
	if (fd < 0)
		return -errno;
	err = directory_admit_file(fd, writer->options.reader_gid);
	err = err ? err : segment_set_aside(fd, size, &aside);
	if (!err && !aside)
		err = fill_with_zeros(fd, size);
	if (err)
		spool_io.unlinkat(keep->dir, name, 0);
	return err;
}

int reserve_take(struct spool_writer *writer, struct segment_id id, struct segment *ret)
{
	struct reserve *reserve = &writer->reserve;

	for (unsigned i = 0; i < RESERVE_FILES_MAX; i++) {
		char name[16];
		int err;

		if (!reserve->there[i])
			continue;
		reserve_name(i, name);
		err = segment_adopt(writer->lanes[LANE_KEEP].dir, name, id, reserve->file_bytes,
				    ret);
		if (err && err != -ENOENT)
			return err;
		reserve->there[i] = false;
		reserve->held_bytes -= reserve->file_bytes;
		atomic_fetch_sub(&writer->bytes, reserve->file_bytes);
		if (!err)
			return 0;
	}
	return -ENOSPC;
}

/* Within the limit, or not at all. */
static bool count(struct spool_writer *writer)
{
	uint64_t size = writer->reserve.file_bytes;
	bool ret;

	pthread_mutex_lock(&writer->lock);
	ret = quota_allows(writer, LANE_BULK, size);
	if (ret) {
		writer->reserve.held_bytes += size;
		atomic_fetch_add(&writer->bytes, size);
	}
	pthread_mutex_unlock(&writer->lock);
	return ret;
}

static int make_counted(struct spool_writer *writer, unsigned i)
{
	struct reserve *reserve = &writer->reserve;
	int err;

	if (!count(writer))
		return -ENOSPC;
	err = make(writer, i);
	pthread_mutex_lock(&writer->lock);
	reserve->there[i] = !err;
	if (err) {
		reserve->held_bytes -= reserve->file_bytes;
		atomic_fetch_sub(&writer->bytes, reserve->file_bytes);
	}
	pthread_mutex_unlock(&writer->lock);
	return err;
}

void reserve_fill(struct spool_writer *writer)
{
	struct reserve *reserve = &writer->reserve;
	int err = 0;

	if (clock_boot_ns() < reserve->again_ns)
		return;
	for (unsigned i = 0; i < reserve->wanted && !err; i++) {
		bool there;

		pthread_mutex_lock(&writer->lock);
		there = reserve->there[i];
		pthread_mutex_unlock(&writer->lock);
		if (there)
			continue;
		err = make_counted(writer, i);
		if (is_full(err) && evict_room(writer, LANE_BULK, reserve->file_bytes))
			err = make_counted(writer, i);
	}
	reserve->again_ns = err ? clock_boot_ns() + AGAIN_NS : 0;
}

/* What is there may hold what a power cut left of a segment: it is not used again. */
int reserve_open(struct spool_writer *writer)
{
	uint64_t bytes = writer->options.reserve_bytes, one = writer->options.segment_bytes;
	struct reserve *reserve = &writer->reserve;
	int err = 0;

	for (unsigned i = 0; i < RESERVE_FILES_MAX; i++) {
		char name[16];

		reserve_name(i, name);
		if (spool_io.unlinkat(writer->lanes[LANE_KEEP].dir, name, 0) && errno != ENOENT)
			return -errno;
	}
	reserve->file_bytes = one < bytes ? one : bytes;
	if (reserve->file_bytes < SEGMENT_BYTES_MIN)
		return 0;
	reserve->wanted = (unsigned)(bytes / reserve->file_bytes);
	if (reserve->wanted > RESERVE_FILES_MAX)
		reserve->wanted = RESERVE_FILES_MAX;
	for (unsigned i = 0; i < reserve->wanted && !err; i++)
		err = make_counted(writer, i);
	return 0; /* what is missing is made when there is room */
}
