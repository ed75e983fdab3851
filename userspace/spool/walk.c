/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "spool/directory.h"
#include "spool/io.h"

#define CHUNK_BYTES (256u << 10)
#define BLOCK_BYTES 4096u

void walk_close(struct walk *walk)
{
	uint8_t *buffer = walk->buffer;
	size_t capacity = walk->capacity;

	if (walk->fd >= 0)
		close(walk->fd);
	*walk = (struct walk){.fd = -1, .buffer = buffer, .capacity = capacity};
}

void walk_done(struct walk *walk)
{
	walk_close(walk);
	free(walk->buffer);
	*walk = (struct walk)WALK_NONE;
}

/* A foot counts at the very end of the file only, and for this segment only. */
static int read_foot(struct walk *walk, enum lane lane, uint64_t number)
{
	uint8_t bytes[SEGMENT_FOOT_BYTES];
	ssize_t n;

	if (walk->size < SEGMENT_HEAD_BYTES + SEGMENT_FOOT_BYTES)
		return 0;
	n = io_read(walk->fd, bytes, sizeof(bytes), walk->size - sizeof(bytes));
	if (n < 0)
		return (int)n;
	walk->has_foot = n == sizeof(bytes) && segment_foot_decode(bytes, &walk->foot) &&
			 walk->foot.id.number == number && walk->foot.id.lane == lane &&
			 walk->foot.offset == walk->size - sizeof(bytes);
	return 0;
}

/* How many copies of the head are good; walk->id has the salt if any or the foot is. */
static int read_head(struct walk *walk, enum lane lane, uint64_t number)
{
	uint8_t bytes[SEGMENT_HEAD_BYTES] = {0};
	ssize_t n = io_read(walk->fd, bytes, sizeof(bytes), 0);
	int copies, err;

	if (n < 0)
		return (int)n;
	copies = segment_head_decode(bytes, &walk->id);
	if (copies < 0)
		return copies;
	if (copies && (walk->id.number != number || walk->id.lane != lane))
		copies = 0;
	err = read_foot(walk, lane, number);
	if (err)
		return err;
	if (walk->has_foot && copies && walk->foot.id.salt != walk->id.salt)
		walk->has_foot = false; /* bytes of a frame that look like one */
	if (walk->has_foot && !copies)
		walk->id = walk->foot.id;
	return copies;
}

/* Sets size, id, foot and end from the file as it is now: how many copies of the head are good. */
static int look(struct walk *walk)
{
	struct stat st;
	int copies;

	if (fstat(walk->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EIO;
	walk->size = (uint64_t)st.st_size;
	if (walk->size > SEGMENT_BYTES_MAX)
		walk->size = SEGMENT_BYTES_MAX;
	copies = read_head(walk, walk->lane, walk->number);
	if (copies < 0)
		return copies;
	walk->salt_known = copies || walk->has_foot;
	walk->soft_end = !walk->has_foot;
	walk->cut = false;
	walk->end = walk->has_foot ? walk->foot.offset : walk->size;
	return copies;
}

int walk_open(struct walk *walk, int dir, enum lane lane, uint64_t number)
{
	char name[SEGMENT_NAME_BYTES];
	int copies;

	walk_close(walk);
	segment_name(number, name);
	walk->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (walk->fd < 0)
		return -errno;
	walk->lane = lane;
	walk->number = number;
	copies = look(walk);
	if (copies < 0) {
		walk_close(walk);
		return copies;
	}
	walk->next = walk->salt_known ? SEGMENT_HEAD_BYTES : walk->end;
	walk->damaged =
		walk->salt_known ? (2 - (uint64_t)copies) * SEGMENT_HEAD_BYTES / 2 : walk->size;
	return walk->damaged ? -EBADMSG : 0;
}

int walk_again(struct walk *walk)
{
	int copies = look(walk);

	walk->buffered = 0;
	return copies < 0 ? copies : 0;
}

void walk_bound(struct walk *walk, uint64_t end)
{
	if (end > walk->size) {
		struct stat st;

		/* a segment without preallocation grows */
		if (!fstat(walk->fd, &st))
			walk->size = (uint64_t)st.st_size;
		if (walk->size > SEGMENT_BYTES_MAX)
			walk->size = SEGMENT_BYTES_MAX;
	}
	walk->end = end < walk->size ? end : walk->size;
	walk->soft_end = false;
}

void walk_settle(struct walk *walk, int dir)
{
	uint8_t head[SEGMENT_HEAD_BYTES] = {0};
	char name[SEGMENT_NAME_BYTES];
	struct segment_id next;
	int fd;

	segment_name(walk->number + 1, name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	if (io_read(fd, head, sizeof(head), 0) == sizeof(head) &&
	    segment_head_decode(head, &next) > 0 && next.number == walk->number + 1 &&
	    next.lane == walk->lane && next.previous_end &&
	    !(walk->has_foot && walk->foot.offset == next.previous_end)) {
		walk->has_foot = false;
		walk_bound(walk, next.previous_end);
	}
	close(fd);
}

static int grow(struct walk *walk, size_t need)
{
	size_t capacity = need > CHUNK_BYTES ? need : CHUNK_BYTES;
	uint8_t *grown;

	if (capacity <= walk->capacity)
		return 0;
	grown = realloc(walk->buffer, capacity);
	if (!grown)
		return -ENOMEM;
	walk->buffer = grown;
	walk->capacity = capacity;
	return 0;
}

/* A block that the disk cannot read is zeros to us: damage, not the end of all reading. */
static ssize_t read_around(int fd, uint8_t *to, size_t size, uint64_t offset)
{
	ssize_t n = io_read(fd, to, size, offset);
	size_t done = 0;

	if (n != -EIO)
		return n;
	while (done < size) {
		size_t part = BLOCK_BYTES - (offset + done) % BLOCK_BYTES;

		if (part > size - done)
			part = size - done;
		n = io_read(fd, to + done, part, offset + done);
		if (n == -EIO) {
			memset(to + done, 0, part);
			n = (ssize_t)part;
		}
		if (n < 0)
			return n;
		done += (size_t)n;
		if ((size_t)n < part)
			break;
	}
	return (ssize_t)done;
}

/* Has `need` bytes from `at` in the buffer, *ret is where.  The caller stays below walk->end. */
static int fill(struct walk *walk, uint64_t at, size_t need, const uint8_t **ret)
{
	uint64_t buffer_end = walk->buffer_at + walk->buffered, want;
	ssize_t n;
	int err;

	if (at >= walk->buffer_at && at + need <= buffer_end) {
		*ret = walk->buffer + (at - walk->buffer_at);
		return 0;
	}
	err = grow(walk, need);
	if (err)
		return err;
	if (at >= walk->buffer_at && at < buffer_end) {
		walk->buffered = (size_t)(buffer_end - at);
		memmove(walk->buffer, walk->buffer + (at - walk->buffer_at), walk->buffered);
	} else {
		walk->buffered = 0;
	}
	walk->buffer_at = at;
	want = walk->end - at - walk->buffered;
	if (want > walk->capacity - walk->buffered)
		want = walk->capacity - walk->buffered;
	n = read_around(walk->fd, walk->buffer + walk->buffered, (size_t)want, at + walk->buffered);
	if (n < 0)
		return (int)n;
	walk->buffered += (size_t)n;
	if (walk->buffered < need)
		return -ENODATA; /* cut while we read */
	*ret = walk->buffer;
	return 0;
}

/* 1: a good head at `at` whose body lies before the end. */
static int head_at(struct walk *walk, uint64_t at, struct record *ret)
{
	const uint8_t *bytes;
	int err;

	if (walk->end - at < RECORD_HEAD_BYTES)
		return 0;
	err = fill(walk, at, RECORD_HEAD_BYTES, &bytes);
	if (err)
		return err;
	return record_decode(bytes, walk->id.salt, at, ret) &&
	       record_bytes(ret->length) <= walk->end - at;
}

static int is_zero_until(struct walk *walk, uint64_t at, uint64_t end)
{
	const uint8_t *bytes;

	while (at < end) {
		size_t part = end - at < 4096 ? (size_t)(end - at) : 4096;
		int err = fill(walk, at, part, &bytes);

		if (err)
			return err;
		if (bytes[0] || memcmp(bytes, bytes + 1, part - 1))
			return 0;
		at += part;
	}
	return 1;
}

/* What was to be a head is none: on to the next good one. */
static int resynchronise(struct walk *walk)
{
	struct record record;
	uint64_t from = walk->next, at = from;
	int found = 0;

	if (walk->soft_end) {
		int zero = is_zero_until(walk, from, walk->end);

		if (zero < 0)
			return zero;
		if (zero) {
			walk->buffered = 0; /* the writer may fill them before we look again */
			return 0;
		}
	}
	while (!found && walk->end - at > RECORD_ALIGN) {
		at += RECORD_ALIGN;
		found = head_at(walk, at, &record);
		if (found < 0)
			return found;
	}
	walk->at = from;
	walk->next = found ? at : walk->end;
	walk->damaged = walk->next - from;
	return -EBADMSG;
}

static int next_record(struct walk *walk)
{
	const uint8_t *bytes;
	uint64_t size;
	int good = head_at(walk, walk->next, &walk->record), err;

	if (good < 0)
		return good;
	if (!good)
		return resynchronise(walk);
	size = record_bytes(walk->record.length);
	err = fill(walk, walk->next, size, &bytes);
	if (err)
		return err;
	walk->at = walk->next;
	walk->next += size;
	walk->frame = bytes + RECORD_HEAD_BYTES;
	if (walk->record.body_crc !=
	    crc32c(0, walk->frame, (size_t)body_bytes(walk->record.length))) {
		walk->damaged = size;
		return -EBADMSG;
	}
	return 1;
}

int walk_next(struct walk *walk)
{
	uint64_t from;
	int r;

	walk->frame = NULL;
	walk->damaged = 0;
	walk->next = (walk->next + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
	if (walk->fd < 0 || walk->next >= walk->end)
		return 0;
	from = walk->next;
	r = next_record(walk);
	if (r == -ENODATA && walk->soft_end) {
		/* a writer that started meanwhile finished it: it has to be opened anew */
		walk->cut = true;
		return 0;
	}
	if (r == -ENODATA) {
		/* what is missing was there a moment ago, or the bound promised it */
		walk->at = from;
		walk->next = walk->end;
		walk->damaged = walk->end - from;
		r = -EBADMSG;
	}
	return r;
}
