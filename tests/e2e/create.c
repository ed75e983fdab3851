// SPDX-License-Identifier: Apache-2.0
/* Files made. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

#define O_FILE_MASK (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND)

/* Which file n it was, and whether the file system numbers its generations. */
static void note(struct facts *facts, int n, int fd)
{
	unsigned generation = 0;

	must(fstat(fd, &facts->stat[n]));
	if (!ioctl(fd, FS_IOC_GETVERSION, &generation))
		facts->number[n] = generation;
	close(fd);
}

static void want_created(struct check *check, int n, uint32_t flags)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = take(check, KIND_file_create);
	const Hinomi__FileOpen *body;

	if (!seen)
		return;
	body = seen->event->file_create;
	want_file(check, facts->path[n], &facts->stat[n], body->file);
	if (facts->number[n])
		want_number(check, "file.generation", facts->number[n], body->file->generation);
	want_number(check, "file_create.flags", flags, body->flags & O_FILE_MASK);
	want_result(check, 0, seen);
}

static void act_plain(struct facts *facts)
{
	const char *path = act_path(facts, 0, "marker");

	note(facts, 0, must(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640)));
}

static void check_plain(struct check *check)
{
	want_created(check, 0, O_WRONLY | O_CREAT | O_EXCL);
}

static void act_relative(struct facts *facts)
{
	int dir;

	act_path(facts, 0, "inner/marker");
	must(mkdir("inner", 0755));
	must(symlink("inner", "link")); /* an event of its own */
	dir = must(open("link", O_PATH | O_DIRECTORY | O_CLOEXEC));
	note(facts, 0, must(openat(dir, "../inner/./marker", O_RDWR | O_CREAT | O_CLOEXEC, 0600)));
	close(dir);
}

static void check_relative(struct check *check)
{
	take(check, KIND_file_link);
	want_created(check, 0, O_RDWR | O_CREAT);
}

static void act_creat(struct facts *facts)
{
	act_path(facts, 0, "marker");
#ifdef SYS_creat
	note(facts, 0, must((int)syscall(SYS_creat, "marker", 0600)));
#else
	note(facts, 0, must(creat("marker", 0600)));
#endif
}

static void check_creat(struct check *check)
{
	want_created(check, 0, O_WRONLY | O_CREAT | O_TRUNC);
}

static void act_openat2(struct facts *facts)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			       .mode = 0600,
			       .resolve = RESOLVE_BENEATH};

	act_path(facts, 0, "marker");
	note(facts, 0, must((int)syscall(SYS_openat2, AT_FDCWD, "marker", &how, sizeof(how))));
}

/* Every byte but NUL and '/' may stand in a name. */
#define HOSTILE "\x1b]0;owned\a \n\t\\ \"'\xff\xfe\xc3 \xe2\x80\xae"

static void act_hostile(struct facts *facts)
{
	const char *path = act_path(facts, 0, HOSTILE);

	note(facts, 0, must(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
}

/* 255 bytes of name at a time, relative: no limit of the system call applies. */
static void deep(struct facts *facts, size_t bytes)
{
	char name[256], *at = facts->path[0];
	size_t used = (size_t)snprintf(at, LONG_PATH, "%s", facts->dir);

	memset(name, 'd', 250);
	name[250] = 0;
	while (used < bytes) {
		must(mkdir(name, 0755));
		must(chdir(name));
		used += (size_t)snprintf(at + used, LONG_PATH - used, "/%s", name);
	}
	snprintf(at + used, LONG_PATH - used, "/marker");
	note(facts, 0, must(open("marker", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
}

static void act_deep(struct facts *facts)
{
	deep(facts, 3000);
}

static void act_too_deep(struct facts *facts)
{
	deep(facts, 6000);
}

/* More than a record holds: the end of the path is there, and it says that the beginning is not. */
static void check_too_deep(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_create);
	const Hinomi__File *file = seen ? seen->event->file_create->file : NULL;
	const char *path = check->facts->path[0];
	size_t len = strlen(path);

	if (!file)
		return;
	want_number(check, "file.path_truncated", 1, file->path_truncated);
	want_true(check, "3,000 bytes of file.path", file->path.len >= 3000);
	if (file->path.len <= len)
		want_bytes(check, "file.path", path + len - file->path.len, file->path.len,
			   &file->path);
	want_number(check, "file.inode", check->facts->stat[0].st_ino, file->inode);
}

static void act_many_levels(struct facts *facts)
{
	char *at = facts->path[0];
	size_t used = (size_t)snprintf(at, LONG_PATH, "%s", facts->dir);

	for (int i = 0; i < 120; i++) {
		must(mkdir("n", 0755));
		must(chdir("n"));
		used += (size_t)snprintf(at + used, LONG_PATH - used, "/n");
	}
	snprintf(at + used, LONG_PATH - used, "/marker");
	note(facts, 0, must(open("marker", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
}

static void act_unnamed(struct facts *facts)
{
	int fd = open(facts->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		act_skip(facts, "O_TMPFILE: %s", strerror(errno));
	note(facts, 0, fd);
}

/* A file that has no name: made or opened, it is one event with its inode. */
static void check_unnamed(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *seen =
		take(check, there_is(check, KIND_file_create) ? KIND_file_create : KIND_file_open);
	const Hinomi__FileOpen *body;

	if (!seen)
		return;
	body = seen->kind == KIND_file_create ? seen->event->file_create : seen->event->file_open;
	want_number(check, "file.inode", facts->stat[0].st_ino, body->file->inode);
	want_number(check, "file.links", 0, body->file->links);
	want_number(check, "file.deleted", 1, body->file->deleted);
	want_number(check, "file.memory", 0, body->file->memory);
	want_true(check, "file.path below the directory",
		  body->file->path.len > strlen(facts->dir) &&
			  !memcmp(body->file->path.data, facts->dir, strlen(facts->dir)));
}

const struct test create_tests[] = {
	{"file_create/plain", NULL, act_plain, check_plain},
	{"file_create/relative", NULL, act_relative, check_relative},
	{"file_create/creat", NULL, act_creat, check_creat},
	{"file_create/openat2", NULL, act_openat2, check_plain},
	{"file_create/hostile-name", NULL, act_hostile, check_plain},
	{"file_create/3000-bytes-deep", NULL, act_deep, check_plain},
	{"file_create/6000-bytes-deep", NULL, act_too_deep, check_too_deep},
	{"file_create/120-levels-deep", NULL, act_many_levels, check_plain},
	{"file_create/unnamed", NULL, act_unnamed, check_unnamed},
	{},
};
