// SPDX-License-Identifier: Apache-2.0
/* Permission bits and owners changed. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

#define UNCHANGED UINT32_MAX

static void prepare_file(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
	act_path(facts, 1, "symbolic");
	must(symlink("marker", "symbolic"));
	must(lstat("symbolic", &facts->stat[1]));
}

/* A path is resolved on tier 1 only; a descriptor on both. */
static void want_named(struct check *check, const struct seen *seen, int n,
		       const Hinomi__File *file, bool by_fd)
{
	if (seen->event->tier > 1 && !by_fd) {
		want_asked(check, check->facts->path[n], file);
		return;
	}
	want_text(check, "file.path", check->facts->path[n], &file->path);
	want_number(check, "file.path_as_asked", 0, file->path_as_asked);
	want_number(check, "file.inode", check->facts->stat[n].st_ino, file->inode);
}

static void want_mode(struct check *check, bool by_fd, uint32_t old, uint32_t mode, int error)
{
	const struct seen *seen = take(check, KIND_file_mode);
	const Hinomi__FileMode *body;

	if (!seen)
		return;
	body = seen->event->file_mode;
	want_named(check, seen, 0, body->file, by_fd);
	want_number(check, "file_mode.mode", mode, body->mode);
	want_result(check, error, seen);
	want_number(check, "file_mode.old_known", seen->event->tier == 1, body->old_known);
	if (body->old_known)
		want_number(check, "file_mode.old_mode", old, body->old_mode);
	if (seen->event->tier == 1 || by_fd)
		want_number(check, "file.mode as it is afterwards", S_IFREG | (error ? old : mode),
			    body->file->mode);
}

static void act_mode(struct facts *facts)
{
	int fd = must(open("marker", O_RDONLY | O_CLOEXEC));

	must(chmod(facts->path[0], 0600));
	must(fchmodat(AT_FDCWD, "marker", 04711, 0));
	must(fchmod(fd, 01640));
	close(fd);
}

static void check_mode(struct check *check)
{
	want_mode(check, false, 0644, 0600, 0);
	want_mode(check, false, 0600, 04711, 0);
	want_mode(check, true, 04711, 01640, 0);
}

static void act_mode_denied(struct facts *facts)
{
	if (act_tried(facts, 0, chmod("marker", 0777)) != EPERM)
		act_fail(facts, "chmod");
}

static void check_mode_denied(struct check *check)
{
	want_mode(check, false, 0644, 0777, EPERM);
}

static void want_owner(struct check *check, int n, bool by_fd, const uint32_t old[2],
		       const uint32_t asked[2], int error)
{
	const struct seen *seen = take(check, KIND_file_owner);
	const Hinomi__FileOwner *body;

	if (!seen)
		return;
	body = seen->event->file_owner;
	want_named(check, seen, n, body->file, by_fd);
	want_number(check, "file_owner.uid", asked[0], body->uid);
	want_number(check, "file_owner.gid", asked[1], body->gid);
	want_result(check, error, seen);
	want_number(check, "file_owner.old_known", seen->event->tier == 1, body->old_known);
	if (!body->old_known)
		return;
	want_number(check, "file_owner.old_uid", old[0], body->old_uid);
	want_number(check, "file_owner.old_gid", old[1], body->old_gid);
	want_number(check, "file.uid as it is afterwards",
		    error || asked[0] == UNCHANGED ? old[0] : asked[0], body->file->uid);
	want_number(check, "file.gid as it is afterwards",
		    error || asked[1] == UNCHANGED ? old[1] : asked[1], body->file->gid);
}

static void act_owner(struct facts *facts)
{
	int fd = must(open("marker", O_RDONLY | O_CLOEXEC));

	must(chown(facts->path[0], NOBODY, NOBODY));
	must(fchownat(AT_FDCWD, "marker", (uid_t)-1, 1, 0));
	must(fchown(fd, 12345, (gid_t)-1));
	must(lchown("symbolic", 2, 3));
	close(fd);
}

static void check_owner(struct check *check)
{
	static const uint32_t root[2] = {0, 0}, nobody[2] = {NOBODY, NOBODY};

	want_owner(check, 0, false, root, nobody, 0);
	want_owner(check, 0, false, nobody, (uint32_t[]){UNCHANGED, 1}, 0);
	want_owner(check, 0, true, (uint32_t[]){NOBODY, 1}, (uint32_t[]){12345, UNCHANGED}, 0);
	want_owner(check, 1, false, root, (uint32_t[]){2, 3}, 0);
}

static void act_owner_denied(struct facts *facts)
{
	if (act_tried(facts, 0, chown("marker", NOBODY, (gid_t)-1)) != EPERM)
		act_fail(facts, "chown");
}

static void check_owner_denied(struct check *check)
{
	want_owner(check, 0, false, (uint32_t[]){0, 0}, (uint32_t[]){NOBODY, UNCHANGED}, EPERM);
}

const struct test attr_tests[] = {
	{"file_mode/done", prepare_file, act_mode, check_mode},
	{"file_mode/denied", prepare_file, act_mode_denied, check_mode_denied, .nobody = true},
	{"file_owner/done", prepare_file, act_owner, check_owner},
	{"file_owner/denied", prepare_file, act_owner_denied, check_owner_denied, .nobody = true},
	{},
};
