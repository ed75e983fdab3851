/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spool/directory.h"
#include "spool/io.h"

int segment_set_aside(int fd, uint64_t size, uint64_t *ret)
{
	int r;

	do
		r = spool_io.fallocate(fd, 0, 0, (off_t)size);
	while (r && errno == EINTR);
	if (r && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	*ret = r ? 0 : size;
	return 0;
}

static int prepare(int fd, const struct segment_id *id, uint64_t size, int reader_gid,
		   uint64_t *ret_size)
{
	uint8_t head[SEGMENT_HEAD_BYTES];
	int err = directory_admit_file(fd, reader_gid);

	if (!err)
		err = segment_set_aside(fd, size, ret_size);
	if (err)
		return err;
	segment_head_encode(id, head);
	if (*ret_size < sizeof(head))
		*ret_size = sizeof(head);
	return io_write(fd, head, sizeof(head), 0);
}

int segment_create(int dir, struct segment_id id, uint64_t size, int reader_gid,
		   struct segment *ret)
{
	CLEANUP(close_fd) int fd = -1;
	char name[SEGMENT_NAME_BYTES];
	uint64_t aside = 0;
	int err;

	if (getrandom(&id.salt, sizeof(id.salt), 0) != sizeof(id.salt))
		return -EIO;
	segment_name(id.number, name);
	fd = spool_io.openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	err = prepare(fd, &id, size, reader_gid, &aside);
	if (err) {
		spool_io.unlinkat(dir, name, 0);
		return err;
	}
	*ret = (struct segment){
		.fd = TAKE_FD(fd), .id = id, .offset = SEGMENT_HEAD_BYTES, .size = aside};
	return 0;
}

int segment_adopt(int dir, const char *name, struct segment_id id, uint64_t size,
		  struct segment *ret)
{
	CLEANUP(close_fd) int fd = spool_io.openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
	char final[SEGMENT_NAME_BYTES];
	uint8_t head[SEGMENT_HEAD_BYTES];
	int err;

	if (fd < 0)
		return -errno;
	if (getrandom(&id.salt, sizeof(id.salt), 0) != sizeof(id.salt))
		return -EIO;
	segment_head_encode(&id, head);
	err = io_write(fd, head, sizeof(head), 0);
	if (err)
		return err;
	segment_name(id.number, final);
	if (spool_io.renameat(dir, name, dir, final))
		return -errno;
	*ret = (struct segment){
		.fd = TAKE_FD(fd), .id = id, .offset = SEGMENT_HEAD_BYTES, .size = size};
	return 0;
}

int segment_append(struct segment *segment, const struct record *record, const void *frame)
{
	uint8_t head[RECORD_HEAD_BYTES], zeros[RECORD_ALIGN] = {0};
	const struct iovec parts[] = {
		{head, sizeof(head)},
		{(void *)frame, record->length},
		{zeros, (size_t)(body_bytes(record->length) - record->length)},
	};
	int err;

	record_encode(record, segment->id.salt, segment->offset, head);
	err = io_writev(segment->fd, parts, ARRAY_SIZE(parts), segment->offset);
	if (err)
		return err;
	segment->offset += record_bytes(record->length);
	if (segment->size < segment->offset)
		segment->size = segment->offset;
	if (!segment->frames++)
		segment->first = record->number;
	segment->last = record->number;
	return 0;
}

void segment_finish(struct segment *segment)
{
	const struct segment_foot foot = {
		.id = segment->id,
		.frames = segment->frames,
		.first = segment->first,
		.last = segment->last,
		.offset = segment->offset,
	};
	uint8_t bytes[SEGMENT_FOOT_BYTES];
	uint64_t size = segment->offset;

	segment_foot_encode(&foot, bytes);
	if (!io_write(segment->fd, bytes, sizeof(bytes), size))
		size += sizeof(bytes);
	if (!spool_io.ftruncate(segment->fd, (off_t)size))
		segment->size = size;
	else if (segment->size < size)
		segment->size = size;
}
