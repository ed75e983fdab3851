// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a segment: every byte is given as a frame, or said to be damaged,
 * once.  The first byte of the input chooses: bit 0, the rest is a recipe for
 * records with good checksums rather than the file itself; bit 1, not only the walk
 * but, for one input in 16, reader, check and recovery of a spool that has it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "spool/spool.h"
#include "spool/state.h"
#include "spool/walk.h"

#define FILE_MAX (1u << 20)

struct image {
	uint8_t bytes[FILE_MAX];
	size_t size;
	uint64_t frames, number;
};

static struct image image;
static const struct segment_id id = {.number = 1, .salt = 42, .lane = LANE_KEEP};

static void add(const void *bytes, size_t size)
{
	if (size > FILE_MAX - image.size)
		size = FILE_MAX - image.size;
	memcpy(image.bytes + image.size, bytes, size);
	image.size += size;
}

static void add_record(const uint8_t *body, uint32_t length, bool good)
{
	static const uint8_t zeros[RECORD_ALIGN];
	struct record record = {.length = length, .number = ++image.number};
	uint8_t head[RECORD_HEAD_BYTES];

	record.body_crc = record_body_crc(body, length) ^ !good;
	image.frames += good;
	record_encode(&record, id.salt, image.size, head);
	add(head, sizeof(head));
	add(body, length);
	add(zeros, (size_t)body_bytes(length) - length);
}

static void add_foot(void)
{
	uint8_t bytes[SEGMENT_FOOT_BYTES];
	const struct segment_foot foot = {
		.id = id, .frames = image.frames, .last = image.number, .offset = image.size};

	segment_foot_encode(&foot, bytes);
	add(bytes, sizeof(bytes));
}

/* kind 1, length 1, bytes: a record, a damaged one, anything, zeros, a foot. */
static void cook(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[4096];
	uint8_t head[SEGMENT_HEAD_BYTES];

	segment_head_encode(&id, head);
	add(head, sizeof(head));
	while (size >= 2) {
		size_t length = data[1] < size - 2 ? data[1] : size - 2;

		switch (data[0] % 5) {
		case 0:
		case 1:
			if (length)
				add_record(data + 2, (uint32_t)length, data[0] % 5 == 0);
			break;
		case 2:
			add(data + 2, length);
			break;
		case 3:
			add(zeros, length * 16);
			length = 0;
			break;
		default:
			add_foot();
			length = 0;
		}
		data += 2 + length;
		size -= 2 + length;
	}
}

static void walk_it(void)
{
	static int fd = -1;
	static struct walk walk = WALK_NONE;
	uint64_t at, frames = 0;
	int r;

	if (fd < 0)
		fd = memfd_create("segment", 0);
	assert(!ftruncate(fd, 0) && pwrite(fd, image.bytes, image.size, 0) == (ssize_t)image.size);
	walk.fd = fd;
	walk.lane = LANE_KEEP;
	walk.number = 1;
	if (walk_again(&walk))
		return;
	at = walk.next = SEGMENT_HEAD_BYTES;
	while ((r = walk_next(&walk))) {
		assert(r == 1 || r == -EBADMSG);
		assert(walk.at == at && walk.next > at && walk.next <= walk.end);
		assert(r == 1 ? walk.next - at == record_bytes(walk.record.length)
			      : walk.next - at == walk.damaged);
		frames += r == 1;
		at = walk.next;
	}
	for (; walk.soft_end && at < walk.end; at++)
		assert(!image.bytes[at]);
	assert(at >= walk.end && frames <= image.size / 32);
}

static void spill(const char *dir, const char *name, const void *bytes, size_t size)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/keep/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static uint64_t read_all(const char *dir)
{
	struct spool_position start = {0};
	struct spool_reader *reader;
	uint64_t frames = 0, steps = 0;
	const void *frame;
	size_t size;
	int r;

	if (spool_reader_open(dir, LANE_KEEP, start, &reader))
		return 0;
	while ((r = spool_read(reader, &frame, &size)) == 1 || r == -EBADMSG) {
		frames += r == 1;
		assert(++steps < 2 * FILE_MAX / RECORD_ALIGN);
	}
	spool_reader_free(reader);
	return frames;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* The input also is what `durable` and `evicted` say. */
static void use_it(const uint8_t *data, size_t size)
{
	const struct spool_options options = {.segment_bytes = 4096, .reader_gid = -1};
	CLEANUP(fclose) FILE *null = fopen("/dev/null", "w");
	char dir[] = "/dev/shm/hinomi-fuzz-XXXXXX", lane[64];
	struct spool_writer *writer;
	uint64_t before;

	assert(null && mkdtemp(dir));
	snprintf(lane, sizeof(lane), "%s/keep", dir);
	assert(!mkdir(lane, 0700));
	snprintf(lane, sizeof(lane), "%s/bulk", dir);
	assert(!mkdir(lane, 0700));
	spill(dir, "0000000000000001.seg", image.bytes, image.size);
	if (size && data[0] & 4) {
		spill(dir, "durable", data, size < DURABLE_BYTES ? size : DURABLE_BYTES);
		spill(dir, "evicted", data, size < EVICTED_BYTES ? size : EVICTED_BYTES);
	}
	spool_check(dir, null);
	before = read_all(dir);
	if (!spool_writer_open(dir, &options, &writer)) {
		assert(!spool_append(writer, LANE_KEEP, 99999, "after", 5));
		spool_writer_free(writer);
		/* a start loses nothing that could be read */
		assert(read_all(dir) == before + 1);
		spool_check(dir, null);
	}
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (!size)
		return 0;
	image.size = image.frames = image.number = 0;
	if (data[0] & 1)
		cook(data + 1, size - 1);
	else
		add(data + 1, size - 1);
	walk_it();
	/* seldom: it takes a hundred times as long */
	if (data[0] & 2 && crc32c(0, data, size) % 16 == 0)
		use_it(data, size);
	return 0;
}
