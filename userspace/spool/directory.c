/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "spool/io.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

const char *lane_name(enum lane lane)
{
	return lane == LANE_KEEP ? "keep" : "bulk";
}

void segment_name(uint64_t number, char out[SEGMENT_NAME_BYTES])
{
	snprintf(out, SEGMENT_NAME_BYTES, "%016" PRIx64 ".seg", number);
}

/* Only the spelling that segment_name gives. */
static bool segment_number(const char *name, uint64_t *ret)
{
	uint64_t number = 0;
	int i;

	for (i = 0; i < 16; i++) {
		char c = name[i];

		if (c >= '0' && c <= '9')
			number = number << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = number;
	return number && !strcmp(name + i, ".seg");
}

int directory_open(const char *path)
{
	int fd = open(path, DIRECTORY_FLAGS);

	return fd < 0 ? -errno : fd;
}

int directory_open_lane(int spool, enum lane lane)
{
	int fd = openat(spool, lane_name(lane), DIRECTORY_FLAGS | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* Adds the group's right to enter and list; shared directories such as /tmp are left as they are.
 */
static int admit_group(int fd, int gid)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (gid < 0 || st.st_uid != geteuid() || st.st_mode & (S_ISVTX | S_IWOTH))
		return 0;
	if (st.st_gid != (gid_t)gid && fchown(fd, (uid_t)-1, (gid_t)gid))
		return -errno;
	if ((st.st_mode & 0050) != 0050 && fchmod(fd, (st.st_mode & 07777) | 0050))
		return -errno;
	return 0;
}

int directory_make(int parent, const char *path, int reader_gid)
{
	bool made = !mkdirat(parent, path, 0700);
	CLEANUP(close_fd) int fd = -1;
	int err;

	if (!made && errno != EEXIST)
		return -errno;
	fd = openat(parent, path, DIRECTORY_FLAGS);
	if (fd < 0)
		return -errno;
	if (made && fchmod(fd, 0750))
		return -errno;
	err = admit_group(fd, reader_gid);
	if (err)
		return err;
	return TAKE_FD(fd);
}

int directory_admit_file(int fd, int reader_gid)
{
	if (reader_gid < 0)
		return 0;
	return fchown(fd, (uid_t)-1, (gid_t)reader_gid) || fchmod(fd, 0640) ? -errno : 0;
}

int directory_make_file(int dir, const char *name, size_t size, int reader_gid)
{
	CLEANUP(close_fd)
	int fd = spool_io.openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	uint8_t zeros[4096] = {0};
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	err = directory_admit_file(fd, reader_gid);
	if (err)
		return err;
	if ((size_t)st.st_size < size) {
		/* written, not only allocated: later writes in place need no new block on a full
		 * disk */
		for (size_t at = (size_t)st.st_size; at < size && !err; at += sizeof(zeros))
			err = io_write(fd, zeros,
				       size - at < sizeof(zeros) ? size - at : sizeof(zeros), at);
		if (err)
			return err;
		if (spool_io.fsync(fd) || spool_io.fsync(dir))
			return -errno;
	}
	return TAKE_FD(fd);
}

typedef int segment_visit(uint64_t number, const char *name, void *context);

static int for_each_segment(int dir, segment_visit *visit, void *context)
{
	int fd = openat(dir, ".", DIRECTORY_FLAGS), err = 0;
	CLEANUP(closedir) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t number;

	if (!stream) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err) {
		errno = 0;
		entry = readdir(stream);
		if (!entry)
			return -errno;
		if (segment_number(entry->d_name, &number))
			err = visit(number, entry->d_name, context);
	}
	return err;
}

struct segment_array {
	int dir;
	struct segment_entry *entries;
	size_t count, capacity;
};

/* What the wall clock is taken to be now decides, not what it is set to later. */
static int64_t written_ns(const struct stat *st)
{
	int64_t now = (int64_t)clock_boot_ns(), age;

	age = (int64_t)clock_real_ns() -
	      ((int64_t)st->st_mtim.tv_sec * (int64_t)NS_PER_SEC + st->st_mtim.tv_nsec);
	return age > 0 ? now - age : now;
}

static int add_to_array(uint64_t number, const char *name, void *context)
{
	struct segment_array *array = context;
	struct stat st;

	if (fstatat(array->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (array->count == array->capacity) {
		size_t capacity = array->capacity ? array->capacity * 2 : 64;
		void *grown = reallocarray(array->entries, capacity, sizeof(*array->entries));

		if (!grown)
			return -ENOMEM;
		array->entries = grown;
		array->capacity = capacity;
	}
	array->entries[array->count++] = (struct segment_entry){
		.number = number,
		.bytes = (uint64_t)st.st_size,
		.written_ns = written_ns(&st),
	};
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct segment_entry *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

int directory_segments(int dir, struct segment_entry **ret, size_t *count)
{
	struct segment_array array = {.dir = dir};
	int err = for_each_segment(dir, add_to_array, &array);

	if (err) {
		free(array.entries);
		return err;
	}
	if (array.count)
		qsort(array.entries, array.count, sizeof(*array.entries), by_number);
	*ret = array.entries;
	*count = array.count;
	return 0;
}

struct nearest {
	uint64_t limit, best;
};

static int nearest_above(uint64_t number, const char *name, void *context)
{
	struct nearest *nearest = context;

	(void)name;
	if (number >= nearest->limit && (!nearest->best || number < nearest->best))
		nearest->best = number;
	return 0;
}

static int nearest_below(uint64_t number, const char *name, void *context)
{
	struct nearest *nearest = context;

	(void)name;
	if (number < nearest->limit && number > nearest->best)
		nearest->best = number;
	return 0;
}

static int find_nearest(int dir, segment_visit *visit, uint64_t limit, uint64_t *ret)
{
	struct nearest nearest = {.limit = limit};
	int err = for_each_segment(dir, visit, &nearest);

	if (err)
		return err;
	*ret = nearest.best;
	return !!nearest.best;
}

int directory_next_segment(int dir, uint64_t from, uint64_t *ret)
{
	return find_nearest(dir, nearest_above, from, ret);
}

int directory_last_segment(int dir, uint64_t before, uint64_t *ret)
{
	return find_nearest(dir, nearest_below, before, ret);
}

/* Of the open file, not of the process: readers can ask for it without ever taking it. */
int directory_lock(int spool, int reader_gid)
{
	CLEANUP(close_fd) int fd = directory_make_file(spool, "lock", 0, reader_gid);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &lock))
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	return TAKE_FD(fd);
}

bool directory_is_locked(int spool)
{
	CLEANUP(close_fd) int fd = openat(spool, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	if (fd < 0)
		return errno != ENOENT;
	return fcntl(fd, F_OFD_GETLK, &lock) || lock.l_type != F_UNLCK;
}
