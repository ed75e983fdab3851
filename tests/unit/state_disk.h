/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of a disk for files of state in one directory: calls are recorded on their way to the C
 * library; an image has what was synced, and of the rest all but for the first bytes of the call
 * that was cut, or any part.
 */
#pragma once

#include <dirent.h>
#include <dlfcn.h>

#include "spool_tools.h"

#define OPS_MAX	  4096
#define FILES_MAX 64
#define BLOCK	  4096
#define NAME_SIZE 64

enum op_kind {
	OP_WRITE,
	OP_SIZE,
	OP_SYNC,
	OP_CREATE,
	OP_LINK,
	OP_RENAME,
	OP_UNLINK,
	OP_DIRECTORY_SYNC
};
/* TEAR_SPOILED: the blocks that the write touched hold something else */
enum tear { TEAR_NONE, TEAR_1, TEAR_HALF, TEAR_ALL_BUT_1, TEAR_512, TEAR_SPOILED, TEAR_ANY, TEARS };

struct op {
	enum op_kind kind;
	unsigned file, begun, acked;
	uint64_t offset, size;
	uint8_t *bytes;
	char name[NAME_SIZE]; /* of the four that change the directory */
	char old[NAME_SIZE];  /* of OP_RENAME */
};

static struct op ops[OPS_MAX];
static unsigned nops, nfiles, begun, acked;
static ino_t files[FILES_MAX];
static char recorded[128]; /* the directory; empty: nothing is recorded */
static uint64_t seed;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static struct op *record(enum op_kind kind, unsigned file)
{
	struct op *op = &ops[nops++];

	assert_true(nops < OPS_MAX);
	*op = (struct op){.kind = kind, .file = file, .begun = begun, .acked = acked};
	return op;
}

/* FILES_MAX: not in the directory, or it itself. */
static unsigned file_of(int fd, bool *is_directory)
{
	char link[32], path[256] = "";
	struct stat st;
	const char *name;

	*is_directory = false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (!recorded[0] || readlink(link, path, sizeof(path) - 1) < 0 ||
	    strncmp(path, recorded, strlen(recorded)) || fstat(fd, &st))
		return FILES_MAX;
	name = path + strlen(recorded);
	*is_directory = !*name;
	if (*name != '/')
		return FILES_MAX;
	for (unsigned i = 0; i < nfiles; i++)
		if (files[i] == st.st_ino)
			return i;
	files[nfiles] = st.st_ino;
	snprintf(record(OP_CREATE, nfiles)->name, NAME_SIZE, "%s", name + 1);
	return nfiles++;
}

static void record_write(int fd, const void *bytes, size_t size, off_t offset)
{
	bool is_directory;
	unsigned file = file_of(fd, &is_directory);
	struct op *op;

	if (file == FILES_MAX)
		return;
	op = record(OP_WRITE, file);
	op->offset = (uint64_t)offset;
	op->size = size;
	op->bytes = malloc(size);
	memcpy(op->bytes, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	record_write(fd, bytes, size, offset);
	return REAL(pwrite)(fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	off_t at = recorded[0] ? lseek(fd, 0, SEEK_CUR) : -1;

	if (at >= 0 && fcntl(fd, F_GETFL) & O_APPEND)
		at = lseek(fd, 0, SEEK_END);
	if (at >= 0)
		record_write(fd, bytes, size, at);
	return REAL(write)(fd, bytes, size);
}

/* Files that were only made so far are part of it. */
static void record_directory(int fd)
{
	CLEANUP(closedir) DIR *stream = opendir(recorded);
	struct dirent *entry;
	bool is_directory;

	while ((entry = readdir(stream))) {
		int file = openat(fd, entry->d_name, O_RDONLY);

		file_of(file, &is_directory);
		close(file);
	}
	record(OP_DIRECTORY_SYNC, FILES_MAX);
}

static void record_sync(int fd)
{
	bool is_directory;
	unsigned file = file_of(fd, &is_directory);

	if (is_directory)
		record_directory(fd);
	else if (file < FILES_MAX)
		record(OP_SYNC, file);
}

int fsync(int fd)
{
	record_sync(fd);
	return 0;
}

int fdatasync(int fd)
{
	record_sync(fd);
	return 0;
}

/* The file that has this name in the directory. */
static unsigned file_named(int dir, const char *name)
{
	int fd = recorded[0] ? openat(dir, name, O_RDONLY) : -1;
	bool is_directory;
	unsigned file = fd < 0 ? FILES_MAX : file_of(fd, &is_directory);

	if (fd >= 0)
		close(fd);
	return file;
}

static void record_name(enum op_kind kind, unsigned file, const char *old, const char *name)
{
	struct op *op;

	if (file == FILES_MAX)
		return;
	op = record(kind, file);
	snprintf(op->old, NAME_SIZE, "%s", old);
	snprintf(op->name, NAME_SIZE, "%s", name);
}

int renameat(int old_dir, const char *old_name, int dir, const char *name)
{
	record_name(OP_RENAME, file_named(old_dir, old_name), old_name, name);
	return REAL(renameat)(old_dir, old_name, dir, name);
}

int linkat(int old_dir, const char *old_name, int dir, const char *name, int flags)
{
	record_name(OP_LINK, file_named(old_dir, old_name), "", name);
	return REAL(linkat)(old_dir, old_name, dir, name, flags);
}

int unlinkat(int dir, const char *name, int flags)
{
	record_name(OP_UNLINK, file_named(dir, name), "", name);
	return REAL(unlinkat)(dir, name, flags);
}

int ftruncate(int fd, off_t size)
{
	bool is_directory;
	unsigned file = file_of(fd, &is_directory);

	if (file < FILES_MAX)
		record(OP_SIZE, file)->size = (uint64_t)size;
	return REAL(ftruncate)(fd, size);
}

static uint64_t dice(void)
{
	return mix(seed++);
}

static void spoil(int fd, const struct op *op)
{
	uint64_t from = op->offset / BLOCK * BLOCK, end = op->offset + op->size;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	for (; from < end && from < (uint64_t)st.st_size; from += BLOCK) {
		uint8_t bytes[BLOCK];
		uint64_t part = (uint64_t)st.st_size - from;

		memset(bytes, 0xa5, sizeof(bytes));
		part = part < BLOCK ? part : BLOCK;
		assert_int_equal(REAL(pwrite)(fd, bytes, part, (off_t)from), part);
	}
}

static void apply(int fd, const struct op *op, uint64_t size)
{
	if (op->kind == OP_SIZE)
		assert_int_equal(REAL(ftruncate)(fd, (off_t)op->size), 0);
	else
		assert_int_equal(REAL(pwrite)(fd, op->bytes, size, (off_t)op->offset), size);
}

static uint64_t torn_size(uint64_t size, enum tear tear)
{
	uint64_t part = tear == TEAR_1		 ? 1
			: tear == TEAR_HALF	 ? size / 2
			: tear == TEAR_ALL_BUT_1 ? size - 1
			: tear == TEAR_512	 ? 512
						 : 0;

	return part < size ? part : size;
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

		if (op->file != file || (op->kind != OP_WRITE && op->kind != OP_SIZE))
			continue;
		if (i < synced || (tear != TEAR_ANY && i < cut - 1) || op->kind == OP_SIZE)
			apply(fd, op, op->size);
		else if (tear == TEAR_SPOILED)
			spoil(fd, op);
		else if (tear == TEAR_ANY)
			apply(fd, op, dice() % 2 ? op->size : dice() % (op->size + 1));
		else
			apply(fd, op, torn_size(op->size, tear));
	}
}

struct entry {
	char name[NAME_SIZE];
	unsigned file;
};

static void apply_name(struct entry entries[FILES_MAX], const struct op *op)
{
	const char *gone = op->kind == OP_RENAME ? op->old : op->name;
	struct entry *empty = NULL;

	for (unsigned i = 0; i < FILES_MAX; i++)
		if (!strcmp(entries[i].name, gone) || !strcmp(entries[i].name, op->name))
			entries[i].name[0] = 0;
	for (unsigned i = 0; i < FILES_MAX && !empty; i++)
		empty = entries[i].name[0] ? NULL : &entries[i];
	assert_non_null(empty);
	if (op->kind == OP_UNLINK)
		return;
	memcpy(empty->name, op->name, NAME_SIZE);
	empty->file = op->file;
}

static bool is_name(enum op_kind kind)
{
	return kind == OP_CREATE || kind == OP_LINK || kind == OP_RENAME || kind == OP_UNLINK;
}

static void make_image(const char *dir, unsigned cut, enum tear tear)
{
	struct entry entries[FILES_MAX] = {0};
	unsigned synced = 0, until = cut;
	char path[512];

	remove_tree(dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	for (unsigned i = 0; i < cut; i++)
		if (ops[i].kind == OP_DIRECTORY_SYNC)
			synced = i;
	if (tear == TEAR_ANY)
		until = synced + (unsigned)(dice() % (cut - synced + 1));
	for (unsigned i = 0; i < until; i++)
		if (is_name(ops[i].kind))
			apply_name(entries, &ops[i]);
	for (unsigned i = 0; i < FILES_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%.63s", dir, entries[i].name);
		if (entries[i].name[0])
			make_file(path, entries[i].file, cut, tear);
	}
}

typedef void work_fn(const char *dir);
typedef void judge_fn(const char *dir, unsigned from, unsigned to);

/* judge: whatever was acknowledged is there, and work goes on.  spoil: also when the disk spoils
 * the blocks that it was writing. */
static void cut_everywhere(void **state, work_fn *work, judge_fn *judge, bool spoil_too)
{
	const struct test_spool *test = *state;
	unsigned cuts = 0, runs = getenv("HINOMI_FAULTS_FULL") ? 50 : 3;
	char image[128];

	snprintf(image, sizeof(image), "%s/image", test->top);
	assert_int_equal(mkdir(test->dir, 0755), 0);
	nops = nfiles = begun = acked = 0;
	snprintf(recorded, sizeof(recorded), "%s", test->dir);
	work(test->dir);
	recorded[0] = 0;
	assert_true(acked == begun && acked > 0);
	for (unsigned cut = 1; cut <= nops; cut++)
		for (enum tear tear = TEAR_NONE; tear < TEARS; tear++)
			for (unsigned again = 0; again < (tear == TEAR_ANY ? runs : 1); again++) {
				if (tear != TEAR_ANY && tear != TEAR_NONE &&
				    ops[cut - 1].kind != OP_WRITE)
					continue;
				if (tear == TEAR_SPOILED && !spoil_too)
					continue;
				seed = cut * 1000003ull + again;
				make_image(image, cut, tear);
				judge(image, ops[cut - 1].acked, ops[cut - 1].begun);
				cuts++;
			}
	print_message("%u power cuts at %u calls\n", cuts, nops);
	for (unsigned i = 0; i < nops; i++)
		free(ops[i].bytes);
}
