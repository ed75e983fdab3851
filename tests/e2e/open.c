// SPDX-License-Identifier: Apache-2.0
/* Files opened for writing, or not. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

#define O_FILE_MASK (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND)

static void prepare_file(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
}

static void want_opened(struct check *check, uint32_t flags)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = take(check, KIND_file_open);

	if (!seen)
		return;
	want_file(check, facts->path[0], &facts->stat[0], seen->event->file_open->file);
	want_number(check, "file_open.flags", flags, seen->event->file_open->flags & O_FILE_MASK);
	want_result(check, 0, seen);
}

static void act_write(struct facts *facts)
{
	close(must(open("marker", O_WRONLY | O_CLOEXEC)));
	close(must(open("marker", O_RDWR | O_APPEND | O_CLOEXEC)));
	close(must(open(facts->path[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static void check_write(struct check *check)
{
	want_opened(check, O_WRONLY);
	want_opened(check, O_RDWR | O_APPEND);
	want_opened(check, O_WRONLY | O_CREAT);
}

static void act_truncate(struct facts *facts)
{
	int fd = must(open("marker", O_RDONLY | O_TRUNC | O_CLOEXEC));

	must(fstat(fd, &facts->stat[0]));
	close(fd);
}

static void check_truncate(struct check *check)
{
	want_opened(check, O_RDONLY | O_TRUNC);
}

static void act_read(struct facts *facts)
{
	close(must(open("marker", O_RDONLY | O_CLOEXEC)));
	close(must(open("marker", O_PATH | O_CLOEXEC)));
	if (act_tried(facts, 0, open("missing", O_RDONLY | O_CLOEXEC)) != ENOENT)
		act_fail(facts, "open");
}

static void check_nothing(struct check *check)
{
	(void)check; /* reading is not looked at */
}

/* A failed open has no file: the name is the one that the caller gave, made absolute. */
static void want_failed(struct check *check, int error, const char *path, uint32_t flags)
{
	const struct seen *seen = take(check, KIND_file_open);

	if (!seen)
		return;
	want_asked(check, path, seen->event->file_open->file);
	want_number(check, "file_open.flags", flags, seen->event->file_open->flags & O_FILE_MASK);
	want_result(check, error, seen);
}

static void act_denied(struct facts *facts)
{
	if (act_tried(facts, 0, open("marker", O_WRONLY | O_CLOEXEC)) != EACCES)
		act_fail(facts, "open");
	if (act_tried(facts, 1, open(facts->path[0], O_RDWR | O_CLOEXEC)) != EACCES)
		act_fail(facts, "open");
}

static void check_denied(struct check *check)
{
	const char *path = check->facts->path[0];

	want_failed(check, EACCES, path, O_WRONLY);
	want_failed(check, EACCES, path, O_RDWR);
}

static void act_exists(struct facts *facts)
{
	if (act_tried(facts, 0,
		      open(facts->path[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) !=
	    EEXIST)
		act_fail(facts, "open");
	act_path(facts, 1, "missing/marker");
	if (act_tried(facts, 1, open(facts->path[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600)) != ENOENT)
		act_fail(facts, "open");
}

static void check_exists(struct check *check)
{
	const struct facts *facts = check->facts;

	want_failed(check, EEXIST, facts->path[0], O_WRONLY | O_CREAT | O_EXCL);
	want_failed(check, ENOENT, facts->path[1], O_RDWR | O_CREAT);
}

static void act_procfs(struct facts *facts)
{
	int fd = must(open("/proc/self/comm", O_WRONLY | O_CLOEXEC));

	must(fstat(fd, &facts->stat[0]));
	close(fd);
}

static void check_procfs(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_open);

	if (!seen)
		return;
	want_number(check, "file.inode", check->facts->stat[0].st_ino,
		    seen->event->file_open->file->inode);
	want_number(check, "file.filesystem", 0x9fa0, seen->event->file_open->file->filesystem);
}

/* Without a name at all: the handle of a file. */
static void act_handle(struct facts *facts)
{
	struct file_handle *handle = calloc(1, sizeof(*handle) + MAX_HANDLE_SZ);
	int mount_id, dir = must(open(facts->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), fd;

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, "marker", handle, &mount_id, 0))
		act_skip(facts, "name_to_handle_at: %s", strerror(errno));
	fd = open_by_handle_at(dir, handle, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		act_skip(facts, "open_by_handle_at: %s", strerror(errno));
	close(fd);
	close(dir);
}

static void check_handle(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_open);

	if (!seen)
		return;
	want_number(check, "file.inode", check->facts->stat[0].st_ino,
		    seen->event->file_open->file->inode);
	want_number(check, "file_open.flags", O_WRONLY,
		    seen->event->file_open->flags & O_FILE_MASK);
}

const struct test open_tests[] = {
	{"file_open/write", prepare_file, act_write, check_write},
	{"file_open/truncate", prepare_file, act_truncate, check_truncate},
	{"file_open/read", prepare_file, act_read, check_nothing},
	{"file_open/denied", prepare_file, act_denied, check_denied, .nobody = true},
	{"file_open/exists", prepare_file, act_exists, check_exists},
	{"file_open/procfs", NULL, act_procfs, check_procfs},
	{"file_open/by-handle", prepare_file, act_handle, check_handle},
	{},
};
