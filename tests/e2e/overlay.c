// SPDX-License-Identifier: Apache-2.0
/*
 * An overlay file system, as every container has one: it asks the file systems below
 * with the functions that it is asked with, and copies a file of the lower one up
 * before it changes it.  Each call is still one event, of the file that was asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "e2e.h"

static const char *const files[] = {"mode",   "owner",	"attribute", "length", "times",
				    "linked", "before", "gone",	     "written"};

static void prepare_lower(struct facts *facts)
{
	must(mkdir("lower", 0755));
	must(mkdir("lower/empty", 0755));
	must(mkdir("merged", 0755));
	must(mkdir("above", 0755));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char name[64];

		snprintf(name, sizeof(name), "lower/%s", files[i]);
		file_make(facts, 0, name, "content", 0644);
		must(chown(name, 1, 1));
		setxattr(name, "security.marker", "value", 5, 0); /* one more to be copied */
	}
	act_path(facts, 0, "merged");
}

static void hold_overlay(struct facts *facts)
{
	own_mounts(facts);
	must(mount("none", "above", "tmpfs", 0, NULL));
	must(mkdir("above/upper", 0755));
	must(mkdir("above/work", 0755));
	if (mount("overlay", "merged", "overlay", 0,
		  "lowerdir=lower,upperdir=above/upper,workdir=above/work"))
		act_skip(facts, "an overlay cannot be mounted here: %s", strerror(errno));
	must(chdir("merged"));
}

/* ---- files that were there are copied up first */

static void act_changed(struct facts *facts)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};

	must(chmod("mode", 04755));
	must(chown("owner", NOBODY, NOBODY));
	must(setxattr("attribute", "trusted.marker", "value", 5, 0));
	must(truncate("length", 3));
	must(utimensat(AT_FDCWD, "times", times, 0));
	close(must(open("written", O_WRONLY | O_CLOEXEC)));
	act_tried(facts, 0, setxattr("attribute", "trusted.overlay.marker", "value", 5, 0));
}

/* The event's file is the one of that name in the overlay. */
static const struct seen *want_in(struct check *check, unsigned kind, const char *name)
{
	const struct seen *seen = take(check, kind);
	const Hinomi__File *file = NULL;
	char path[LONG_PATH + 64];

	if (!seen)
		return NULL;
	switch (kind) {
	case KIND_file_create:
		file = seen->event->file_create->file;
		break;
	case KIND_file_make:
		file = seen->event->file_make->file;
		break;
	case KIND_file_open:
		file = seen->event->file_open->file;
		break;
	case KIND_file_mode:
		file = seen->event->file_mode->file;
		break;
	case KIND_file_owner:
		file = seen->event->file_owner->file;
		break;
	case KIND_file_xattr:
		file = seen->event->file_xattr->file;
		break;
	case KIND_file_truncate:
		file = seen->event->file_truncate->file;
		break;
	case KIND_file_times:
		file = seen->event->file_times->file;
		break;
	case KIND_file_rename:
		file = seen->event->file_rename->file;
		break;
	case KIND_file_link:
		file = seen->event->file_link->file;
		break;
	case KIND_file_unlink:
		file = seen->event->file_unlink->file;
		break;
	}
	if (!file) {
		check_fail(check, "%s: expected a file", name);
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%s", check->facts->path[0], name);
	want_text(check, "file.path", path, &file->path);
	want_number(check, "file.path_truncated", 0, file->path_truncated);
	return seen;
}

static void check_changed(struct check *check)
{
	const struct seen *seen = want_in(check, KIND_file_mode, "mode");

	if (seen && seen->event->file_mode->old_known)
		want_number(check, "file_mode.old_mode", 0644, seen->event->file_mode->old_mode);
	seen = want_in(check, KIND_file_owner, "owner");
	if (seen && seen->event->file_owner->old_known)
		want_number(check, "file_owner.old_uid", 1, seen->event->file_owner->old_uid);
	want_in(check, KIND_file_xattr, "attribute");
	want_in(check, KIND_file_truncate, "length");
	want_in(check, KIND_file_times, "times");
	want_in(check, KIND_file_open, "written");
	seen = want_in(check, KIND_file_xattr, "attribute");
	if (seen)
		want_result(check, check->facts->error[0], seen);
}

/* ---- names */

static void act_renamed(struct facts *facts)
{
	must(rename("before", "after"));
	must(link("linked", "link"));
	must(symlink("text", "symbolic"));
	must(unlink("gone"));
	must(rmdir("empty"));
}

static void check_renamed(struct check *check)
{
	want_in(check, KIND_file_rename, "after");
	want_in(check, KIND_file_link, "link");
	want_in(check, KIND_file_link, "symbolic");
	want_in(check, KIND_file_unlink, "gone");
	want_in(check, KIND_file_unlink, "empty");
}

/* ---- what is made after a file was created by open(2) */

static void act_made(struct facts *facts)
{
	for (int i = 0; i < 2; i++) {
		close(must(open(i ? "second" : "first", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				0600)));
		must(mkdir(i ? "second.d" : "first.d", 0755));
		must(mknod(i ? "second.p" : "first.p", S_IFIFO | 0600, 0));
	}
}

static void check_made(struct check *check)
{
	for (int i = 0; i < 2; i++) {
		want_in(check, KIND_file_create, i ? "second" : "first");
		want_in(check, KIND_file_make, i ? "second.d" : "first.d");
		want_in(check, KIND_file_make, i ? "second.p" : "first.p");
	}
}

const struct test overlay_tests[] = {
	{"file_mode/overlay", prepare_lower, act_changed, check_changed, hold_overlay},
	{"file_rename/overlay", prepare_lower, act_renamed, check_renamed, hold_overlay},
	{"file_make/overlay", prepare_lower, act_made, check_made, hold_overlay},
	{},
};
