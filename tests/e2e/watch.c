// SPDX-License-Identifier: Apache-2.0
/* Watched files opened for reading, by whatever name. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <libgen.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "e2e.h"

#define CROWD 6200

static void make(const char *root, const char *name, bool directory)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (directory) {
		mkdir(path, 0755);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)!write(fd, "content", 7);
	close(fd);
}

/* Somebody has more files in a watched place of his own than the sensor can know one by one. */
static void make_crowd(const char *root)
{
	char path[PATH_MAX], name[32];

	make(root, "crowd", true);
	snprintf(path, sizeof(path), "%s/crowd", root);
	(void)!chown(path, NOBODY, NOBODY);
	for (int i = 0; i < CROWD; i++) {
		snprintf(name, sizeof(name), "crowd/%d", i);
		make(root, name, false);
		snprintf(path, sizeof(path), "%s/%s", root, name);
		(void)!chown(path, NOBODY, NOBODY);
	}
}

/* What is there before the sensor is, and its configuration. */
void watch_places(const char *root, char *config, size_t size)
{
	make(root, "watched", true);
	make(root, "watched/file", false);
	make(root, "watched/leaving", false);
	make(root, "watched/inner", true);
	make(root, "watched/inner/deep", false);
	make(root, "named", true);
	make(root, "named/secret", false);
	make_crowd(root);
	make(root, "late", true);
	make(root, "late/inner", true);
	make(root, "late/inner/deep", false);
	make(root, "homes", true);
	make(root, "homes/a", true);
	make(root, "homes/a/.keys", true);
	make(root, "homes/a/.keys/private", false);
	snprintf(config, size,
		 "[sensor]\nclasses_on = file_close\nheartbeat = 300ms\ncanary = 1s\ncoverage = "
		 "1s\nwatch =\nwatch = "
		 "%s/crowd\nwatch = %s/late\nwatch = %s/watched/\nwatch = "
		 "%s/named/secret\n"
		 "watch = %s/named/later\nwatch = %s/homes/*/.keys\nwatch = /dev/full\n",
		 root, root, root, root, root, root);
}

/* path[n]: of a file in one of these places */
static const char *place(struct facts *facts, int n, const char *name)
{
	char *copy = strdup(facts->dir);

	snprintf(facts->path[n], sizeof(facts->path[n]), "%.4000s/%s", dirname(copy), name);
	free(copy);
	return facts->path[n];
}

static void read_it(struct facts *facts, int n, const char *path)
{
	int fd = must(open(path, O_RDONLY | O_CLOEXEC));

	must(fstat(fd, &facts->stat[n]));
	close(fd);
}

/* The line of the list: its place, behind the suite's own directory. */
static void want_line(struct check *check, const char *line, const Hinomi__FileOpen *open)
{
	const struct facts *facts = check->facts;
	char *copy = strdup(facts->dir), whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s%s", *line == '/' ? "" : dirname(copy),
		 *line == '/' ? line : "");
	if (*line != '/')
		snprintf(whole + strlen(whole), sizeof(whole) - strlen(whole), "/%s", line);
	want_text(check, "watched", whole, &open->watched);
	free(copy);
}

static const Hinomi__FileOpen *want_read(struct check *check, int n, const char *line)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = take(check, KIND_file_read);

	if (!seen)
		return NULL;
	want_file(check, facts->path[n], &facts->stat[n], seen->event->file_read->file);
	want_line(check, line, seen->event->file_read);
	want_result(check, 0, seen);
	return seen->event->file_read;
}

static void act_directory(struct facts *facts)
{
	read_it(facts, 0, place(facts, 0, "watched/file"));
	read_it(facts, 1, place(facts, 1, "watched/inner/deep"));
	read_it(facts, 2, place(facts, 2, "watched"));
	read_it(facts, 3, place(facts, 3, "homes/a/.keys/private"));
}

static void check_directory(struct check *check)
{
	want_read(check, 0, "watched");
	want_read(check, 1, "watched");
	want_read(check, 2, "watched");
	want_read(check, 3, "homes/*/.keys");
}

static void act_crowded(struct facts *facts)
{
	read_it(facts, 0, place(facts, 0, "late/inner/deep"));
	read_it(facts, 1, place(facts, 1, "crowd/0"));
}

static void check_crowded(struct check *check)
{
	want_read(check, 0, "late");
	want_read(check, 1, "crowd");
}

static void prepare_names(struct facts *facts)
{
	must(link(place(facts, 1, "watched/file"), act_path(facts, 0, "hard")));
	must(symlink("../watched/file", "symbolic"));
}

static void act_names(struct facts *facts)
{
	read_it(facts, 0, "hard");
	read_it(facts, 1, "symbolic");
}

static void check_names(struct check *check)
{
	want_read(check, 0, "watched");
	want_read(check, 1, "watched");
}

static void prepare_mounted(struct facts *facts)
{
	must(mkdir("mounted", 0755));
	act_path(facts, 0, "mounted/file");
}

static void act_mounted(struct facts *facts)
{
	own_mounts(facts);
	must(mount(place(facts, 1, "watched"), "mounted", NULL, MS_BIND, NULL));
	read_it(facts, 0, "mounted/file");
}

static void check_mounted(struct check *check)
{
	want_read(check, 0, "watched");
}

/* Directories and files that come to be below a watched one, and a name elsewhere afterwards. */
static void act_new(struct facts *facts)
{
	int fd;

	must(mkdir(place(facts, 0, "watched/new"), 0755));
	must(mkdir(place(facts, 0, "watched/new/newer"), 0755));
	fd = must(open(place(facts, 0, "watched/new/newer/file"), O_WRONLY | O_CREAT | O_CLOEXEC,
		       0600));
	must(fstat(fd, &facts->stat[0]));
	close(fd);
	must(link(facts->path[0], act_path(facts, 1, "elsewhere")));
	read_it(facts, 1, "elsewhere");
}

static void check_new(struct check *check)
{
	const struct seen *created = take(check, KIND_file_create);

	if (created)
		want_line(check, "watched", created->event->file_create);
	take(check, KIND_file_link);
	want_read(check, 1, "watched");
}

/* As useradd does it: another file takes the watched one's name. */
static void act_replaced(struct facts *facts)
{
	int fd = must(open("fresh", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	close(fd);
	must(rename("fresh", place(facts, 0, "named/secret")));
	read_it(facts, 0, facts->path[0]);
	must(link(facts->path[0], act_path(facts, 1, "fresh.again")));
	read_it(facts, 1, facts->path[1]);
	close(must(open(place(facts, 2, "named/later"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
	read_it(facts, 2, facts->path[2]);
}

static void check_replaced(struct check *check)
{
	const struct seen *created;

	take(check, KIND_file_create);
	take(check, KIND_file_rename);
	check->facts->stat[0].st_nlink = 1;
	want_read(check, 0, "named/secret");
	take(check, KIND_file_link);
	want_read(check, 1, "named/secret");
	created = take(check, KIND_file_create);
	if (created)
		want_line(check, "named/later", created->event->file_create);
	want_read(check, 2, "named/later");
}

static void act_moved(struct facts *facts)
{
	must(rename(place(facts, 1, "watched/leaving"), act_path(facts, 0, "left")));
	read_it(facts, 0, "left");
}

static void check_moved(struct check *check)
{
	take(check, KIND_file_rename);
	want_read(check, 0, "watched");
}

/* Denied: of a watched file, and of another, which is told as well. */
static void act_denied(struct facts *facts)
{
	if (act_tried(facts, 0, open(place(facts, 0, "watched/file"), O_RDONLY | O_CLOEXEC)) !=
		    EACCES ||
	    act_tried(facts, 1, open("marker", O_RDONLY | O_CLOEXEC)) != EACCES)
		act_fail(facts, "open");
}

static void prepare_denied(struct facts *facts)
{
	file_make(facts, 1, "marker", "content", 0600);
}

static void check_denied(struct check *check)
{
	for (int n = 0; n < 2; n++) {
		const struct seen *seen = take(check, KIND_file_read);

		if (!seen)
			return;
		want_asked(check, check->facts->path[n], seen->event->file_read->file);
		want_result(check, EACCES, seen);
		if (!n)
			want_line(check, "watched", seen->event->file_read);
		else
			want_number(check, "watched", 0, seen->event->file_read->watched.len);
	}
}

static void act_handle(struct facts *facts)
{
	struct file_handle *handle = calloc(1, sizeof(*handle) + MAX_HANDLE_SZ);
	int mount_id, dir = must(open(facts->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), fd;

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, place(facts, 0, "watched/inner/deep"), handle, &mount_id,
			      0))
		act_skip(facts, "name_to_handle_at: %s", strerror(errno));
	fd = open_by_handle_at(dir, handle, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		act_skip(facts, "open_by_handle_at: %s", strerror(errno));
	must(fstat(fd, &facts->stat[0]));
	close(fd);
	close(dir);
}

static void check_handle(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_read);

	if (!seen)
		return;
	want_number(check, "file.inode", check->facts->stat[0].st_ino,
		    seen->event->file_read->file->inode);
	want_number(check, "by_handle", 1, seen->event->file_read->by_handle);
	want_line(check, "watched", seen->event->file_read);
}

/* A device by another node. */
static void prepare_device(struct facts *facts)
{
	act_path(facts, 0, "device");
	if (mknod("device", S_IFCHR | 0600, makedev(1, 7)))
		facts->number[0] = (uint64_t)errno;
}

static void act_device(struct facts *facts)
{
	int fd = facts->number[0] ? -1 : open("device", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		act_skip(facts, "no device nodes here");
	must(fstat(fd, &facts->stat[0]));
	close(fd);
}

static void check_device(struct check *check)
{
	want_read(check, 0, "/dev/full");
}

const struct test watch_tests[] = {
	{"file_read/directory", NULL, act_directory, check_directory},
	{"file_read/crowded-out", NULL, act_crowded, check_crowded},
	{"file_read/other-names", prepare_names, act_names, check_names},
	{"file_read/bind-mount", prepare_mounted, act_mounted, check_mounted},
	{"file_read/new", NULL, act_new, check_new},
	{"file_read/replaced", NULL, act_replaced, check_replaced},
	{"file_read/moved", NULL, act_moved, check_moved},
	{"file_read/denied", prepare_denied, act_denied, check_denied, .nobody = true},
	{"file_read/by-handle", NULL, act_handle, check_handle},
	{"file_read/device", prepare_device, act_device, check_device},
	{},
};
