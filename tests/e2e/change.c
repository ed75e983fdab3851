// SPDX-License-Identifier: Apache-2.0
/* What changes a file besides its name, mode and owner; files made without being opened. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "e2e.h"

static void prepare_file(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
}

/* A path is resolved on tier 1 only; a descriptor on both. */
static void want_named(struct check *check, const struct seen *seen, int n,
		       const Hinomi__File *file, bool by_fd)
{
	if (!file || (seen->event->tier > 1 && !by_fd)) {
		want_asked(check, check->facts->path[n], file);
		return;
	}
	want_text(check, "file.path", check->facts->path[n], &file->path);
	want_number(check, "file.path_as_asked", 0, file->path_as_asked);
	want_number(check, "file.path_truncated", 0, file->path_truncated);
	want_number(check, "file.inode", check->facts->stat[n].st_ino, file->inode);
}

/* ---- mkdir, mknod */

static void act_make(struct facts *facts)
{
	umask(0);
	act_path(facts, 0, "directory");
	must(mkdir(facts->path[0], 0751));
	must(stat("directory", &facts->stat[0]));
	act_path(facts, 1, "pipe");
	must(mknodat(AT_FDCWD, "pipe", S_IFIFO | 0640, 0));
	must(stat("pipe", &facts->stat[1]));
	act_path(facts, 2, "regular");
	must(mknod("regular", S_IFREG | 0604, 0));
	must(stat("regular", &facts->stat[2]));
	act_path(facts, 3, "device");
	act_tried(facts, 0, mknod("device", S_IFCHR | 0600, makedev(7, 300)));
	stat("device", &facts->stat[3]);
}

static void want_made(struct check *check, int n, uint32_t mode, int error)
{
	const struct seen *seen = take(check, KIND_file_make);

	if (!seen)
		return;
	if (error)
		want_result(check, error, seen);
	else
		want_named(check, seen, n, seen->event->file_make->file, false);
	want_number(check, "file_make.mode", mode, seen->event->file_make->mode);
	if (!S_ISCHR(mode))
		return;
	want_number(check, "file_make.special_major", 7, seen->event->file_make->special_major);
	want_number(check, "file_make.special_minor", 300, seen->event->file_make->special_minor);
}

static void check_make(struct check *check)
{
	want_made(check, 0, S_IFDIR | 0751, 0);
	want_made(check, 1, S_IFIFO | 0640, 0);
	want_made(check, 2, S_IFREG | 0604, 0);
	want_made(check, 3, S_IFCHR | 0600, check->facts->error[0]);
}

static void act_make_denied(struct facts *facts)
{
	umask(0);
	act_path(facts, 0, "directory");
	if (act_tried(facts, 0, mkdir("directory", 0700)) != EACCES)
		act_fail(facts, "mkdir");
}

static void check_make_denied(struct check *check)
{
	want_made(check, 0, S_IFDIR | 0700, EACCES);
}

/* ---- extended attributes */

static const struct vfs_cap_data net_raw = {
	.magic_etc = VFS_CAP_REVISION_2,
	.data = {{.permitted = 1 << CAP_NET_RAW}},
};

static const struct {
	uint32_t version;
	struct {
		uint16_t tag, permissions;
		uint32_t id;
	} entries[5];
} acl = {2,
	 {{1, 6, UINT32_MAX},
	  {2, 4, NOBODY},
	  {4, 4, UINT32_MAX},
	  {16, 4, UINT32_MAX},
	  {32, 4, UINT32_MAX}}};

static void act_xattr(struct facts *facts)
{
	int fd = must(open("marker", O_RDONLY | O_CLOEXEC));

	act_tried(facts, 0, setxattr(facts->path[0], "user.marker", "value", 5, 0));
	act_tried(facts, 1, fsetxattr(fd, "security.capability", &net_raw, XATTR_CAPS_SZ_2, 0));
	act_tried(facts, 2, lsetxattr("marker", "system.posix_acl_access", &acl, sizeof(acl), 0));
	act_tried(facts, 3, fremovexattr(fd, "security.capability"));
	close(fd);
}

static const Hinomi__FileXattr *want_xattr(struct check *check, bool by_fd, const char *name,
					   uint64_t size, int error)
{
	const struct seen *seen = take(check, KIND_file_xattr);
	const Hinomi__FileXattr *body;

	if (!seen)
		return NULL;
	body = seen->event->file_xattr;
	want_named(check, seen, 0, body->file, by_fd);
	want_text(check, "file_xattr.name", name, &body->name);
	want_number(check, "file_xattr.size", size, body->size);
	want_result(check, error, seen);
	return body;
}

static void check_xattr(struct check *check)
{
	const int *error = check->facts->error;
	const Hinomi__FileXattr *body = want_xattr(check, false, "user.marker", 5, error[0]);

	if (body)
		want_number(check, "user.*: bytes of value", 0, body->value.len);
	body = want_xattr(check, true, "security.capability", XATTR_CAPS_SZ_2, error[1]);
	if (body)
		want_bytes(check, "file_xattr.value", &net_raw, XATTR_CAPS_SZ_2, &body->value);
	body = want_xattr(check, false, "system.posix_acl_access", sizeof(acl), error[2]);
	if (body)
		want_bytes(check, "ACL", &acl, sizeof(acl), &body->value);
	body = want_xattr(check, true, "security.capability", 0, error[3]);
	if (body)
		want_number(check, "file_xattr.removed", 1, body->removed);
}

static void act_xattr_denied(struct facts *facts)
{
	int error = act_tried(facts, 0, setxattr("marker", "security.marker", "value", 5, 0));

	if (error != EPERM)
		act_skip(facts, "the file system says %s first", strerror(error));
}

static void check_xattr_denied(struct check *check)
{
	want_xattr(check, false, "security.marker", 5, EPERM);
}

/* ---- flags */

static void act_flags(struct facts *facts)
{
	int fd = must(open("marker", O_RDONLY | O_CLOEXEC)), flags = 0;
	struct fsxattr extended;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		act_skip(facts, "no flags on this file system: %s", strerror(errno));
	facts->number[0] = (unsigned)flags;
	flags |= FS_APPEND_FL | FS_NODUMP_FL;
	must(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	flags = (int)facts->number[0];
	must(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	if (ioctl(fd, FS_IOC_FSGETXATTR, &extended))
		act_skip(facts, "FS_IOC_FSGETXATTR: %s", strerror(errno));
	facts->number[1] = extended.fsx_xflags | FS_XFLAG_NODUMP;
	extended.fsx_xflags |= FS_XFLAG_NODUMP;
	must(ioctl(fd, FS_IOC_FSSETXATTR, &extended));
	close(fd);
}

static const Hinomi__FileFlags *take_flags(struct check *check, bool old_append)
{
	const struct seen *seen = take(check, KIND_file_flags);
	const Hinomi__FileFlags *body;

	if (!seen)
		return NULL;
	body = seen->event->file_flags;
	want_named(check, seen, 0, body->file, true);
	want_result(check, 0, seen);
	want_number(check, "file_flags.old_known", seen->event->tier == 1, body->old_known);
	if (body->old_known)
		want_number(check, "old append", old_append, !!(body->old_flags & FS_APPEND_FL));
	return body;
}

static void check_flags(struct check *check)
{
	uint64_t before = check->facts->number[0];
	const Hinomi__FileFlags *body = take_flags(check, false);

	if (body)
		want_number(check, "file_flags.flags", before | FS_APPEND_FL | FS_NODUMP_FL,
			    body->flags);
	body = take_flags(check, true);
	if (body)
		want_number(check, "file_flags.flags", before, body->flags);
	body = take_flags(check, false);
	if (body)
		want_number(check, "file_flags.extended", check->facts->number[1], body->extended);
}

/* ---- length */

static void act_truncate(struct facts *facts)
{
	int fd = must(open("marker", O_RDWR | O_CLOEXEC));

	must(truncate(facts->path[0], 3));
	must(ftruncate(fd, 1ll << 33));
	act_path(facts, 1, "");
	if (act_tried(facts, 0, truncate(".", 0)) != EISDIR)
		act_fail(facts, "truncate");
	close(fd);
}

static const Hinomi__FileTruncate *want_length(struct check *check, uint64_t old, uint64_t length,
					       int error)
{
	const struct seen *seen = take(check, KIND_file_truncate);
	const Hinomi__FileTruncate *body;

	if (!seen)
		return NULL;
	body = seen->event->file_truncate;
	want_number(check, "file_truncate.length", length, body->length);
	want_result(check, error, seen);
	want_number(check, "file_truncate.old_known", seen->event->tier == 1, body->old_known);
	if (body->old_known && !error)
		want_number(check, "file_truncate.old_length", old, body->old_length);
	if (!error)
		want_named(check, seen, 0, body->file, old == 3);
	return body;
}

static void check_truncate(struct check *check)
{
	take(check, KIND_file_open);
	want_length(check, 7, 3, 0);
	want_length(check, 3, 1ull << 33, 0);
	want_length(check, 0, 0, EISDIR);
}

static void act_truncate_denied(struct facts *facts)
{
	if (act_tried(facts, 0, truncate("marker", 0)) != EACCES)
		act_fail(facts, "truncate");
}

static void check_truncate_denied(struct check *check)
{
	want_length(check, 7, 0, EACCES);
}

/* ---- shared memory of a file */

static void act_map(struct facts *facts)
{
	int fd = must(open("marker", O_RDWR | O_CLOEXEC)), read_only;

	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	must(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0)); /* writes nothing */
	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	close(fd);
	read_only = must(open("marker", O_RDONLY | O_CLOEXEC));
	must(mmap(NULL, 4096, PROT_READ, MAP_SHARED, read_only, 0));
	close(read_only);
}

static void check_map(struct check *check)
{
	take(check, KIND_file_open);
	for (int i = 0; i < 2; i++) {
		const struct seen *seen = take(check, KIND_file_map);
		const Hinomi__FileMap *map;

		if (!seen)
			return;
		map = seen->event->file_map;
		want_named(check, seen, 0, map->file, true);
		want_number(check, "file_map.length", i ? 8192 : 4096, map->length);
		want_number(check, "file_map.protection", i ? PROT_READ : PROT_READ | PROT_WRITE,
			    map->protection);
		want_number(check, "file_map.flags", MAP_SHARED, map->flags & MAP_TYPE);
	}
}

/* ---- times */

#define ACCESSED_NS 1234567890123456000ull
#define MODIFIED_NS 946684800000000000ull

static void act_times(struct facts *facts)
{
	struct timespec times[2] = {
		{.tv_sec = ACCESSED_NS / 1000000000, .tv_nsec = ACCESSED_NS % 1000000000},
		{.tv_sec = MODIFIED_NS / 1000000000}};
	int fd = must(open("marker", O_RDONLY | O_CLOEXEC));

	must(utimensat(AT_FDCWD, facts->path[0], times, 0));
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	must(futimens(fd, times));
	times[0].tv_nsec = UTIME_NOW;
	times[1].tv_nsec = UTIME_OMIT;
	must(utimensat(AT_FDCWD, "marker", times, 0));
	close(fd);
}

static const Hinomi__FileTimes *take_times(struct check *check, bool by_fd, int error)
{
	const struct seen *seen = take(check, KIND_file_times);

	if (!seen)
		return NULL;
	want_named(check, seen, 0, seen->event->file_times->file, by_fd);
	want_result(check, error, seen);
	want_number(check, "file_times.old_known", seen->event->tier == 1,
		    seen->event->file_times->old_known);
	return seen->event->file_times;
}

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

static void check_times(struct check *check)
{
	const struct stat *before = &check->facts->stat[0];
	const Hinomi__FileTimes *times = take_times(check, false, 0);

	if (times) {
		want_number(check, "file_times.accessed_ns", ACCESSED_NS, times->accessed_ns);
		want_number(check, "file_times.modified_ns", MODIFIED_NS, times->modified_ns);
		if (times->old_known)
			want_number(check, "file_times.old_modified_ns", ns_of(&before->st_mtim),
				    times->old_modified_ns);
	}
	times = take_times(check, true, 0);
	if (times) {
		want_number(check, "file_times.accessed_kept", 1, times->accessed_kept);
		want_number(check, "file_times.modified_now", 1, times->modified_now);
		if (times->old_known)
			want_number(check, "old_accessed_ns", ACCESSED_NS, times->old_accessed_ns);
	}
	times = take_times(check, false, 0);
	if (times) {
		want_number(check, "file_times.accessed_now", 1, times->accessed_now);
		want_number(check, "file_times.modified_kept", 1, times->modified_kept);
	}
}

static void act_times_denied(struct facts *facts)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};

	if (act_tried(facts, 0, utimensat(AT_FDCWD, "marker", times, 0)) != EPERM)
		act_fail(facts, "utimensat");
}

static void check_times_denied(struct check *check)
{
	const Hinomi__FileTimes *times = take_times(check, false, EPERM);

	if (times)
		want_number(check, "file_times.modified_ns", 2000000000, times->modified_ns);
}

const struct test change_tests[] = {
	{"file_make/done", NULL, act_make, check_make},
	{"file_make/denied", prepare_file, act_make_denied, check_make_denied, .nobody = true},
	{"file_xattr/done", prepare_file, act_xattr, check_xattr},
	{"file_xattr/denied", prepare_file, act_xattr_denied, check_xattr_denied, .nobody = true},
	{"file_flags/done", prepare_file, act_flags, check_flags},
	{"file_truncate/done", prepare_file, act_truncate, check_truncate},
	{"file_truncate/denied", prepare_file, act_truncate_denied, check_truncate_denied,
	 .nobody = true},
	{"file_map/shared", prepare_file, act_map, check_map},
	{"file_times/done", prepare_file, act_times, check_times},
	{"file_times/denied", prepare_file, act_times_denied, check_times_denied, .nobody = true},
	{},
};
