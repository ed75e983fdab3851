// SPDX-License-Identifier: Apache-2.0
/* Names taken away, changed, added. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"

/* On tier 2 there is the name that was asked for; on tier 1 the object it named. */
static void want_object(struct check *check, const struct seen *seen, int n,
			const Hinomi__File *file, nlink_t links_after)
{
	struct stat st = check->facts->stat[n];

	if (seen->event->tier > 1) {
		want_asked(check, check->facts->path[n], file);
		return;
	}
	if (!file) {
		check_fail(check, "expected a file, got none");
		return;
	}
	want_text(check, "file.path", check->facts->path[n], &file->path);
	want_number(check, "file.path_as_asked", 0, file->path_as_asked);
	want_number(check, "file.path_truncated", 0, file->path_truncated);
	want_number(check, "file.inode", st.st_ino, file->inode);
	want_number(check, "file.mode", st.st_mode, file->mode);
	want_number(check, "file.links", links_after, file->links);
	want_number(check, "file.size", (uint64_t)st.st_size, file->size);
}

static void prepare_two(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
	must(link("marker", "marker.second"));
	must(stat("marker", &facts->stat[0]));
	act_path(facts, 1, "directory");
	must(mkdir("directory", 0755));
	must(stat("directory", &facts->stat[1]));
}

static void act_unlink(struct facts *facts)
{
	must(unlink(facts->path[0]));
	must(unlinkat(AT_FDCWD, "directory", AT_REMOVEDIR));
}

static void check_unlink(struct check *check)
{
	const struct seen *file = take(check, KIND_file_unlink);
	const struct seen *dir = take(check, KIND_file_unlink);

	if (!file || !dir)
		return;
	want_object(check, file, 0, file->event->file_unlink->file, 2);
	want_result(check, 0, file);
	want_object(check, dir, 1, dir->event->file_unlink->file, check->facts->stat[1].st_nlink);
	want_result(check, 0, dir);
}

static void prepare_busy(struct facts *facts)
{
	prepare_two(facts);
	must(mkdir("directory/inner", 0755));
	must(stat("directory", &facts->stat[1]));
	act_path(facts, 2, "missing");
}

static void act_unlink_failed(struct facts *facts)
{
	if (act_tried(facts, 0, unlink("missing")) != ENOENT ||
	    act_tried(facts, 1, rmdir("directory")) != ENOTEMPTY)
		act_fail(facts, "unlink");
}

static void check_unlink_failed(struct check *check)
{
	const struct seen *seen;

	/* no object of that name: tier 1 begins where there is one */
	if (tier_of(check, KIND_file_unlink) > 1) {
		seen = take(check, KIND_file_unlink);
		if (seen) {
			want_asked(check, check->facts->path[2], seen->event->file_unlink->file);
			want_result(check, ENOENT, seen);
		}
	}
	seen = take(check, KIND_file_unlink);
	if (!seen)
		return;
	want_object(check, seen, 1, seen->event->file_unlink->file, check->facts->stat[1].st_nlink);
	want_result(check, ENOTEMPTY, seen);
}

static void act_unlink_denied(struct facts *facts)
{
	if (act_tried(facts, 0, unlink("marker")) != EACCES)
		act_fail(facts, "unlink");
}

static void check_unlink_denied(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_unlink);

	if (!seen)
		return;
	want_object(check, seen, 0, seen->event->file_unlink->file, 2);
	want_result(check, EACCES, seen);
	want_ids(check, "process.credentials", NOBODY, NOBODY, seen->process->credentials);
	want_text(check, "process.credentials.user", "nobody", &seen->process->credentials->user);
}

static void prepare_rename(struct facts *facts)
{
	file_make(facts, 0, "old", "content", 0644);
	file_make(facts, 1, "new", "more content", 0600);
	act_path(facts, 2, "free");
	must(mkdir("directory", 0755));
	act_path(facts, 3, "directory/moved");
}

static void want_renamed(struct check *check, int from, int to, int replaced, uint32_t flags,
			 int error)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = take(check, KIND_file_rename);
	const Hinomi__FileRename *body;

	if (!seen)
		return;
	body = seen->event->file_rename;
	want_text(check, "file_rename.old_path", facts->path[from], &body->old_path);
	want_text(check, "file.path", facts->path[to], &body->file->path);
	want_number(check, "file_rename.flags", flags, body->flags);
	want_result(check, error, seen);
	want_number(check, "file_rename.old_path_as_asked", seen->event->tier > 1,
		    body->old_path_as_asked);
	want_number(check, "file.path_as_asked", seen->event->tier > 1, body->file->path_as_asked);
	if (seen->event->tier > 1)
		return;
	want_number(check, "file.inode", facts->stat[from == 3 ? 0 : from].st_ino,
		    body->file->inode);
	want_number(check, "file_rename.replaced", replaced >= 0, body->replaced != NULL);
	if (replaced >= 0 && body->replaced)
		want_number(check, "file_rename.replaced.inode", facts->stat[replaced].st_ino,
			    body->replaced->inode);
}

static void act_rename(struct facts *facts)
{
	must(renameat2(AT_FDCWD, "old", AT_FDCWD, "new", RENAME_EXCHANGE));
	must(renameat2(AT_FDCWD, "new", AT_FDCWD, "old", RENAME_EXCHANGE));
	must(rename("old", "directory/moved"));
	must(rename(facts->path[3], facts->path[1]));
}

static void check_rename(struct check *check)
{
	struct facts *facts = check->facts;

	want_renamed(check, 0, 1, 1, RENAME_EXCHANGE, 0);
	/* the other way round: what was "old" now stands at "new" */
	facts->stat[2] = facts->stat[1];
	facts->stat[1] = facts->stat[0];
	facts->stat[0] = facts->stat[2];
	want_renamed(check, 1, 0, 0, RENAME_EXCHANGE, 0);
	facts->stat[0] = facts->stat[1];
	facts->stat[1] = facts->stat[2];
	want_renamed(check, 0, 3, -1, 0, 0);
	want_renamed(check, 3, 1, 1, 0, 0);
}

static void act_rename_failed(struct facts *facts)
{
	if (act_tried(facts, 0, rename("old", "free")) != EACCES)
		act_fail(facts, "rename");
	if (act_tried(facts, 1, renameat2(AT_FDCWD, "old", AT_FDCWD, "new", RENAME_NOREPLACE)) !=
	    EEXIST)
		act_fail(facts, "renameat2");
}

static void check_rename_failed(struct check *check)
{
	want_renamed(check, 0, 2, -1, 0, EACCES);
	/* refused before the file system is asked: tier 1 begins behind that */
	if (tier_of(check, KIND_file_rename) > 1)
		want_renamed(check, 0, 1, -1, RENAME_NOREPLACE, EEXIST);
}

static void prepare_link(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
	act_path(facts, 1, "hard");
	act_path(facts, 2, "symbolic");
}

static const struct seen *want_linked(struct check *check, int n, const char *target, bool symbolic,
				      int error)
{
	const struct seen *seen = take(check, KIND_file_link);

	if (!seen)
		return NULL;
	want_text(check, "file.path", check->facts->path[n], &seen->event->file_link->file->path);
	want_text(check, "file_link.target", target, &seen->event->file_link->target);
	want_number(check, "file_link.symbolic", symbolic, seen->event->file_link->symbolic);
	want_number(check, "file.path_as_asked", seen->event->tier > 1,
		    seen->event->file_link->file->path_as_asked);
	want_result(check, error, seen);
	return seen->event->tier > 1 ? NULL : seen;
}

static void act_link(struct facts *facts)
{
	must(link("marker", facts->path[1]));
	must(symlink("to/no \xff where", "symbolic"));
	must(lstat("symbolic", &facts->stat[2]));
}

static void check_link(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = want_linked(check, 1, facts->path[0], false, 0);

	if (seen) {
		want_number(check, "file.inode", facts->stat[0].st_ino,
			    seen->event->file_link->file->inode);
		want_number(check, "file.links", 2, seen->event->file_link->file->links);
	}
	seen = want_linked(check, 2, "to/no \xff where", true, 0);
	if (!seen)
		return;
	want_number(check, "file.inode", facts->stat[2].st_ino,
		    seen->event->file_link->file->inode);
	want_number(check, "file.mode", facts->stat[2].st_mode, seen->event->file_link->file->mode);
}

static void prepare_link_failed(struct facts *facts)
{
	prepare_link(facts);
	must(chown("marker", NOBODY, NOBODY));
}

static void act_link_failed(struct facts *facts)
{
	if (act_tried(facts, 0, link("marker", "hard")) != EACCES ||
	    act_tried(facts, 1, symlink("x", "symbolic")) != EACCES ||
	    act_tried(facts, 2, symlink("x", "marker")) != EEXIST)
		act_fail(facts, "link");
}

static void check_link_failed(struct check *check)
{
	want_linked(check, 1, check->facts->path[0], false, EACCES);
	want_linked(check, 2, "x", true, EACCES);
	/* the name was taken: tier 1 begins behind that */
	if (tier_of(check, KIND_file_link) > 1)
		want_linked(check, 0, "x", true, EEXIST);
}

const struct test names_tests[] = {
	{"file_unlink/done", prepare_two, act_unlink, check_unlink},
	{"file_unlink/failed", prepare_busy, act_unlink_failed, check_unlink_failed},
	{"file_unlink/denied", prepare_two, act_unlink_denied, check_unlink_denied, .nobody = true},
	{"file_rename/done", prepare_rename, act_rename, check_rename},
	{"file_rename/failed", prepare_rename, act_rename_failed, check_rename_failed,
	 .nobody = true},
	{"file_link/done", prepare_link, act_link, check_link},
	{"file_link/failed", prepare_link_failed, act_link_failed, check_link_failed,
	 .nobody = true},
	{},
};
