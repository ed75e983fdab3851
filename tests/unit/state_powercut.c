/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of state when the power fails at any of the calls that change them: cursors, the sensor's
 * identity, dead letters.  Calls are recorded on their way to the C library; an image has what was
 * synced, and of the rest all but for the first bytes of the call that was cut, or any part.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <openssl/evp.h>

#include "forward/cursor.h"
#include "forward/dead.h"
#include "frame/public_key.h"
#include "pipeline.h"
#include "spool_tools.h"

#define OPS_MAX	  4096
#define FILES_MAX 64
#define BLOCK	  4096
#define NAME_SIZE 64

enum op_kind { OP_WRITE, OP_SIZE, OP_SYNC, OP_CREATE, OP_RENAME, OP_DIRECTORY_SYNC };
/* TEAR_SPOILED: the blocks that the write touched hold something else */
enum tear { TEAR_NONE, TEAR_1, TEAR_HALF, TEAR_ALL_BUT_1, TEAR_512, TEAR_SPOILED, TEAR_ANY, TEARS };

struct op {
	enum op_kind kind;
	unsigned file, begun, acked;
	uint64_t offset, size;
	uint8_t *bytes;
	char name[NAME_SIZE]; /* of OP_CREATE and OP_RENAME */
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

int renameat(int old_dir, const char *old_name, int dir, const char *name)
{
	int fd = recorded[0] ? openat(old_dir, old_name, O_RDONLY) : -1;
	bool is_directory;
	unsigned file = fd < 0 ? FILES_MAX : file_of(fd, &is_directory);

	if (fd >= 0)
		close(fd);
	if (file < FILES_MAX)
		snprintf(record(OP_RENAME, file)->name, NAME_SIZE, "%s", name);
	return REAL(renameat)(old_dir, old_name, dir, name);
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

static void make_image(const char *dir, unsigned cut, enum tear tear)
{
	unsigned synced = 0, until = cut;
	char names[FILES_MAX][NAME_SIZE] = {0}, path[512];

	remove_tree(dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	for (unsigned i = 0; i < cut; i++)
		if (ops[i].kind == OP_DIRECTORY_SYNC)
			synced = i;
	if (tear == TEAR_ANY)
		until = synced + (unsigned)(dice() % (cut - synced + 1));
	for (unsigned i = 0; i < until; i++) {
		if (ops[i].kind != OP_CREATE && ops[i].kind != OP_RENAME)
			continue;
		for (unsigned file = 0; file < nfiles; file++)
			if (!strcmp(names[file], ops[i].name))
				names[file][0] = 0;
		memcpy(names[ops[i].file], ops[i].name, NAME_SIZE);
	}
	for (unsigned file = 0; file < nfiles; file++) {
		snprintf(path, sizeof(path), "%s/%.63s", dir, names[file]);
		if (names[file][0])
			make_file(path, file, cut, tear);
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

/* ---- cursors */

static void move_cursor(const char *dir)
{
	for (unsigned start = 0; start < 4; start++) {
		CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
		struct cursor_file file;
		struct cursor cursor = {0};
		int err = cursor_open(at, "soc.keep.cursor", &file, &cursor);

		assert_int_equal(err, start ? 0 : -ENOENT);
		for (int i = 0; i < 10; i++) {
			cursor.frame = ++begun;
			cursor.at.segment = 1 + cursor.frame / 7;
			cursor.at.offset = 128 * cursor.frame;
			assert_int_equal(cursor_save(&file, &cursor), 0);
			acked = begun;
		}
		cursor_close(&file);
	}
}

static void judge_cursor(const char *dir, unsigned from, unsigned to)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct cursor cursor = {0};
	struct cursor_file file;
	int err = cursor_open(at, "soc.keep.cursor", &file, &cursor);

	if (err) {
		assert_true(!from && (err == -ENOENT || err == -EBADMSG));
	} else {
		assert_in_range(cursor.frame, from, to);
		assert_int_equal(cursor.at.offset, 128 * cursor.frame);
	}
	cursor.frame = 1000;
	assert_int_equal(cursor_save(&file, &cursor), 0);
	cursor_close(&file);
	assert_int_equal(cursor_open(at, "soc.keep.cursor", &file, &cursor), 0);
	assert_int_equal(cursor.frame, 1000);
	cursor_close(&file);
}

static void cursors(void **state)
{
	cut_everywhere(state, move_cursor, judge_cursor, true);
}

/* ---- who the sensor is */

static struct seal_identity own;
static uint8_t own_key[PUBLIC_KEY_BYTES];

static void load(const char *dir, struct seal_identity *identity, uint8_t key[PUBLIC_KEY_BYTES])
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	EVP_PKEY *pair = NULL;

	assert_int_equal(identity_load(dir, identity), 0);
	assert_int_equal(identity_key(dir, &pair), 0);
	EVP_PKEY_free(pair);
	assert_int_equal(public_key_read(at, "identity.pub", key), 0);
}

static void become(const char *dir)
{
	begun = 1;
	load(dir, &own, own_key);
	acked = 1;
	load(dir, &own, own_key);
}

static void judge_identity(const char *dir, unsigned from, unsigned to)
{
	struct seal_identity identity, again;
	uint8_t key[PUBLIC_KEY_BYTES], key_again[PUBLIC_KEY_BYTES];

	(void)to;
	load(dir, &identity, key);
	load(dir, &again, key_again);
	assert_memory_equal(identity.sensor_id, again.sensor_id, 16);
	assert_memory_equal(key, key_again, sizeof(key));
	if (from) {
		assert_memory_equal(identity.sensor_id, own.sensor_id, 16);
		assert_memory_equal(key, own_key, sizeof(key));
	}
}

static void identities(void **state)
{
	cut_everywhere(state, become, judge_identity, true);
}

/* ---- dead letters */

static void add_letter(struct dead *dead, unsigned number)
{
	char reason[32];

	snprintf(reason, sizeof(reason), "letter %u.", number);
	assert_int_equal(dead_add(dead, (const uint8_t *)"", 0, 400, reason), 0);
}

static void write_letters(const char *dir)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	struct dead dead;

	dead_init(&dead, at, "soc");
	for (int i = 0; i < 20; i++) {
		begun++;
		add_letter(&dead, begun);
		assert_int_equal(dead_sync(&dead), 0);
		acked = begun;
	}
	dead_done(&dead);
}

/* Each acknowledged one on a line of its own, and one more behind whatever was torn. */
static void judge_letters(const char *dir, unsigned from, unsigned to)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY);
	char path[256], line[512];
	unsigned whole = 0;
	struct dead dead;
	bool last = false;
	FILE *file;

	(void)to;
	dead_init(&dead, at, "soc");
	add_letter(&dead, 1000);
	dead_done(&dead);
	snprintf(path, sizeof(path), "%s/soc.dead.jsonl", dir);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "letter %u.", whole + 1);
		if (line[0] == '{' && strstr(line, wanted) && strstr(line, "}\n"))
			whole++;
		last = line[0] == '{' && strstr(line, "letter 1000.") && strstr(line, "}\n");
	}
	fclose(file);
	assert_true(whole >= from);
	assert_true(last);
}

static void dead_letters(void **state)
{
	cut_everywhere(state, write_letters, judge_letters, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(cursors),
		SPOOL_TEST(identities),
		SPOOL_TEST(dead_letters),
	};

	setenv("TMPDIR", "/dev/shm", 0); /* the cache is ours */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
