/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk with a volatile cache: records what the spool does to it, and makes the
 * directory as it could be found after the power failed at any call.
 */
#pragma once

#include "spool/bytes.h"
#include "spool/directory.h"
#include "spool/format.h"
#include "spool/io.h"
#include "spool/lane.h"
#include "spool_tools.h"

#define OPS_MAX	  8192
#define FILES_MAX 1024
#define SECTOR	  512
#define NAME_SIZE 24

enum op_kind { OP_WRITE, OP_SIZE, OP_SYNC, OP_CREATE, OP_UNLINK, OP_RENAME, OP_DIRECTORY_SYNC };

/* What is left of the call that was cut, when it was a write: its first bytes. What was not synced
 * before it is all there; but with TEAR_ANY any part of it is, down to sectors. */
enum tear { TEAR_NONE, TEAR_1, TEAR_HALF, TEAR_ALL_BUT_1, TEAR_512, TEAR_4096, TEAR_ANY, TEARS };

struct op {
	enum op_kind kind;
	unsigned file; /* lane of the directory for OP_DIRECTORY_SYNC */
	uint64_t offset, size;
	uint8_t *bytes;
	char name[NAME_SIZE]; /* OP_RENAME: the new one */
	bool lost;	      /* a sync failed on it: the cache called it clean */
	uint64_t promised[LANES], evicted[LANES];
};

struct file {
	unsigned lane; /* LANES: the spool's directory */
	char name[NAME_SIZE], first_name[NAME_SIZE];
};

static struct spool_io real;
static struct op *ops;
static unsigned nops, nfiles;
static struct file files[FILES_MAX];
static int file_of[1024]; /* by descriptor */
static uint64_t promised[LANES], evicted[LANES];
static uint64_t seed;
static unsigned long fail_every; /* one of so many syncs fails; 0: none */
static unsigned long full_every; /* one of so many must-keep segments finds no room; 0: none */
static const char *fail_name;	 /* syncs of files of that name fail */
static ino_t directory_of[LANES];

static uint64_t dice(void)
{
	return mix(seed++);
}

static struct op *record(enum op_kind kind, unsigned file)
{
	struct op *op = &ops[nops++];

	assert_true(nops < OPS_MAX);
	*op = (struct op){.kind = kind, .file = file};
	memcpy(op->promised, promised, sizeof(promised));
	memcpy(op->evicted, evicted, sizeof(evicted));
	return op;
}

static unsigned lane_of_directory(int dir)
{
	struct stat st;

	assert_int_equal(fstat(dir, &st), 0);
	for (unsigned lane = 0; lane < LANES; lane++) {
		if (!directory_of[lane]) {
			char link[32], path[256] = "";

			snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
			if (readlink(link, path, sizeof(path) - 1) > 0 &&
			    strstr(path, lane == LANE_KEEP ? "/keep" : "/bulk"))
				directory_of[lane] = st.st_ino;
		}
		if (directory_of[lane] == st.st_ino)
			return lane;
	}
	return LANES;
}

static unsigned find_file(unsigned lane, const char *name)
{
	for (unsigned i = nfiles; i--;)
		if (files[i].lane == lane && !strcmp(files[i].name, name))
			return i;
	return FILES_MAX;
}

static int record_openat(int dir, const char *name, int flags, mode_t mode)
{
	unsigned lane = lane_of_directory(dir), file = find_file(lane, name);
	int existed = !faccessat(dir, name, F_OK, 0), fd;

	if (full_every && lane == LANE_KEEP && flags & O_EXCL && dice() % full_every == 0) {
		errno = ENOSPC;
		return -1;
	}
	fd = real.openat(dir, name, flags, mode);
	if (fd < 0)
		return fd;
	assert_true(fd < 1024);
	if (!existed || file == FILES_MAX) {
		file = nfiles++;
		assert_true(nfiles < FILES_MAX);
		files[file] = (struct file){.lane = lane};
		snprintf(files[file].name, NAME_SIZE, "%s", name);
		snprintf(files[file].first_name, NAME_SIZE, "%s", name);
		if (!existed)
			record(OP_CREATE, file);
	}
	file_of[fd] = (int)file;
	return fd;
}

/* The highest number in the lane that this bound covers. */
static void note_promise(unsigned lane, const uint8_t *durable)
{
	uint64_t segment = get64(durable + 8), end = get64(durable + 16);
	char name[SEGMENT_NAME_BYTES];
	unsigned file;

	/* the last one of that name: after a failed sync a number is used again */
	segment_name(segment, name);
	file = find_file(lane, name);
	for (unsigned i = 0; i < nops; i++) {
		const struct op *op = &ops[i];

		if (op->kind == OP_WRITE && op->file == file && op->offset >= SEGMENT_HEAD_BYTES &&
		    op->offset + op->size <= end && get64(op->bytes + 8) > promised[lane])
			promised[lane] = get64(op->bytes + 8);
	}
}

static ssize_t record_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	const struct file *file = &files[file_of[fd]];
	struct op *op = record(OP_WRITE, (unsigned)file_of[fd]);

	for (int i = 0; i < count; i++)
		op->size += parts[i].iov_len;
	op->bytes = malloc(op->size);
	op->offset = (uint64_t)offset;
	for (size_t i = 0, at = 0; i < (size_t)count; at += parts[i++].iov_len)
		memcpy(op->bytes + at, parts[i].iov_base, parts[i].iov_len);
	/* a reader may deliver up to it as soon as it is there */
	if (file->lane < LANES && !strcmp(file->name, "durable")) {
		note_promise(file->lane, op->bytes);
		memcpy(op->promised, promised, sizeof(promised));
	}
	return real.pwritev(fd, parts, count, offset);
}

static int record_fdatasync(int fd)
{
	unsigned file = (unsigned)file_of[fd];

	if ((fail_every && dice() % fail_every == 0) ||
	    (fail_name && !strcmp(files[file].name, fail_name))) {
		for (unsigned i = nops; i--;) {
			if (ops[i].file != file)
				continue;
			if (ops[i].kind == OP_SYNC)
				break;
			if (ops[i].kind == OP_WRITE && dice() % 2)
				ops[i].lost = true;
		}
		errno = EIO;
		return -1;
	}
	record(OP_SYNC, file);
	return 0;
}

static int record_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		record(OP_DIRECTORY_SYNC, lane_of_directory(fd));
	else
		record(OP_SYNC, (unsigned)file_of[fd]);
	return 0;
}

static int record_fallocate(int fd, int mode, off_t offset, off_t size)
{
	record(OP_SIZE, (unsigned)file_of[fd])->size = (uint64_t)size;
	return real.fallocate(fd, mode, offset, size);
}

static int record_ftruncate(int fd, off_t size)
{
	record(OP_SIZE, (unsigned)file_of[fd])->size = (uint64_t)size;
	return real.ftruncate(fd, size);
}

static int record_unlinkat(int dir, const char *name, int flags)
{
	unsigned file = find_file(lane_of_directory(dir), name);

	if (file < FILES_MAX)
		record(OP_UNLINK, file);
	return real.unlinkat(dir, name, flags);
}

static int record_renameat(int old_dir, const char *old_name, int dir, const char *name)
{
	unsigned file = find_file(lane_of_directory(dir), old_name);

	assert_int_equal(old_dir, dir);
	assert_true(file < FILES_MAX && faccessat(dir, name, F_OK, 0));
	snprintf(record(OP_RENAME, file)->name, NAME_SIZE, "%s", name);
	snprintf(files[file].name, NAME_SIZE, "%s", name);
	return real.renameat(old_dir, old_name, dir, name);
}

static void forget_run(void)
{
	for (unsigned i = 0; i < nops; i++)
		free(ops[i].bytes);
	nops = nfiles = 0;
	memset(promised, 0, sizeof(promised));
	memset(evicted, 0, sizeof(evicted));
	memset(directory_of, 0, sizeof(directory_of));
}

static void start_recording(void)
{
	real = spool_io;
	spool_io = (struct spool_io){record_openat,   record_pwritev,	record_fdatasync,
				     record_fsync,    record_fallocate, record_ftruncate,
				     record_unlinkat, record_renameat};
}

static void write_part(int fd, const struct op *op, uint64_t at, uint64_t size)
{
	assert_int_equal(pwrite(fd, op->bytes + at, size, (off_t)(op->offset + at)), size);
}

static void apply(int fd, const struct op *op)
{
	if (op->kind == OP_SIZE)
		assert_int_equal(ftruncate(fd, (off_t)op->size), 0);
	else
		write_part(fd, op, 0, op->size);
}

/* Some of its sectors. */
static void apply_sectors(int fd, const struct op *op)
{
	uint64_t at = 0;

	if (op->kind == OP_SIZE) {
		apply(fd, op);
		return;
	}
	while (at < op->size) {
		uint64_t part = SECTOR - (op->offset + at) % SECTOR;

		if (part > op->size - at)
			part = op->size - at;
		if (dice() % 2)
			write_part(fd, op, at, part);
		at += part;
	}
}

/* The first bytes of a write. */
static uint64_t torn_size(uint64_t size, enum tear tear)
{
	static const uint64_t fixed[TEARS] = {[TEAR_1] = 1, [TEAR_512] = 512, [TEAR_4096] = 4096};
	uint64_t part = tear == TEAR_HALF	 ? size / 2
			: tear == TEAR_ALL_BUT_1 ? size - 1
						 : fixed[tear];

	return part < size ? part : size;
}

static void apply_unsynced(int fd, const struct op *op, bool is_last, enum tear tear)
{
	uint64_t luck;

	if (tear != TEAR_ANY) {
		if (is_last && op->kind == OP_WRITE)
			write_part(fd, op, 0, torn_size(op->size, tear));
		else
			apply(fd, op);
		return;
	}
	luck = dice() % 3; /* all, some, none of it */
	if (luck == 0)
		apply(fd, op);
	else if (luck == 1)
		apply_sectors(fd, op);
}

static void make_file(const char *path, unsigned file, unsigned cut, enum tear tear)
{
	CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0640);
	unsigned synced = 0;

	assert_true(fd >= 0);
	for (unsigned i = 0; i < cut; i++)
		if (ops[i].kind == OP_SYNC && ops[i].file == file)
			synced = i;
	for (unsigned i = 0; i < cut; i++) {
		const struct op *op = &ops[i];

		if (op->file != file || (op->kind != OP_WRITE && op->kind != OP_SIZE) || op->lost)
			continue;
		if (i < synced)
			apply(fd, op);
		else
			apply_unsynced(fd, op, i == cut - 1, tear);
	}
}

/* What the file is called after these calls; NULL: it is not there. */
static const char *name_after(unsigned file, unsigned until)
{
	const char *ret = NULL;

	for (unsigned i = 0; i < until; i++) {
		if (ops[i].file != file || ops[i].kind == OP_DIRECTORY_SYNC)
			continue;
		if (ops[i].kind == OP_CREATE)
			ret = files[file].first_name;
		else if (ops[i].kind == OP_RENAME)
			ret = ops[i].name;
		else if (ops[i].kind == OP_UNLINK)
			ret = NULL;
	}
	return ret;
}

/* Which files the directory has: synced changes, and any first part of the others. */
static void make_lane(const char *dir, unsigned lane, unsigned cut, enum tear tear)
{
	unsigned synced = 0, until = cut;
	char path[256];

	for (unsigned i = 0; i < cut; i++)
		if (ops[i].kind == OP_DIRECTORY_SYNC && ops[i].file == lane)
			synced = i;
	if (tear == TEAR_ANY)
		until = synced + (unsigned)(dice() % (cut - synced + 1));
	for (unsigned file = 0; file < nfiles; file++) {
		const char *name = files[file].lane == lane ? name_after(file, until) : NULL;

		if (!name)
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", dir, lane_name((enum lane)lane), name);
		make_file(path, file, cut, tear);
	}
}

static void make_image(const char *dir, unsigned cut, enum tear tear)
{
	char path[256];

	remove_tree(dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	for (unsigned lane = 0; lane < LANES; lane++) {
		snprintf(path, sizeof(path), "%s/%s", dir, lane_name((enum lane)lane));
		assert_int_equal(mkdir(path, 0755), 0);
		make_lane(dir, lane, cut, tear);
	}
}
