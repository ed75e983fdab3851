// SPDX-License-Identifier: Apache-2.0
/* The same file by other names: bind mounts, chroot, mount namespaces, file systems of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "e2e.h"

static void note(struct facts *facts, int n, const char *name)
{
	int fd = must(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

	must(fstat(fd, &facts->stat[n]));
	close(fd);
}

static void want_created(struct check *check, int n)
{
	const struct seen *seen = take(check, KIND_file_create);

	if (seen)
		want_file(check, check->facts->path[n], &check->facts->stat[n],
			  seen->event->file_create->file);
}

static void prepare_directories(struct facts *facts)
{
	must(mkdir("real", 0755));
	must(mkdir("real/inner", 0755));
	must(mkdir("mounted", 0755));
	act_path(facts, 0, "mounted/inner/marker");
	act_path(facts, 1, "mounted/inner");
}

static void act_bind_mount(struct facts *facts)
{
	own_mounts(facts);
	must(mount("real", "mounted", NULL, MS_BIND, NULL));
	note(facts, 0, "mounted/inner/marker");
}

static void check_one(struct check *check)
{
	want_created(check, 0);
}

static void act_chroot(struct facts *facts)
{
	act_path(facts, 0, "real/inner/marker");
	must(chroot("real"));
	must(chdir("/inner"));
	note(facts, 0, "/inner/marker");
}

static void act_tmpfs(struct facts *facts)
{
	own_mounts(facts);
	must(mount("none", "mounted", "tmpfs", 0, NULL));
	must(mkdir("mounted/inner", 0755));
	must(mount("none", "mounted/inner", "tmpfs", 0, NULL));
	note(facts, 0, "mounted/inner/marker");
	namespaces_read(facts->number);
}

static void check_tmpfs(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_create);

	if (!seen)
		return;
	want_file(check, check->facts->path[0], &check->facts->stat[0],
		  seen->event->file_create->file);
	want_number(check, "file.filesystem", 0x01021994,
		    seen->event->file_create->file->filesystem);
	want_number(check, "file.memory", 0, seen->event->file_create->file->memory);
	want_namespaces(check, "process.namespaces", check->facts->number,
			seen->process->namespaces);
}

/* An overlay asks the file system below with the same call: still one event for one file. */
static void act_overlay(struct facts *facts)
{
	char options[1024];

	own_mounts(facts);
	must(mount("none", "mounted", "tmpfs", 0, NULL));
	must(mkdir("mounted/upper", 0755));
	must(mkdir("mounted/work", 0755));
	must(mkdir("mounted/merged", 0755));
	snprintf(options, sizeof(options),
		 "lowerdir=real,upperdir=mounted/upper,workdir=mounted/work");
	if (mount("overlay", "mounted/merged", "overlay", 0, options))
		act_skip(facts, "an overlay cannot be mounted here: %s", strerror(errno));
	act_path(facts, 0, "mounted/merged/marker");
	act_path(facts, 1, "mounted/merged/renamed");
	note(facts, 0, "mounted/merged/marker");
	must(chmod("mounted/merged/marker", 0640));
	must(rename("mounted/merged/marker", "mounted/merged/renamed"));
	must(unlink("mounted/merged/renamed"));
}

/* When it is mounted, the overlay tries on its own what the file system below can do. */
static void drop_trials(struct check *check)
{
	for (size_t i = 0; i < check->story->nevents; i++) {
		struct seen *seen = &check->story->events[i];
		const Hinomi__File *file = NULL;

		if (seen->kind == KIND_file_rename)
			file = seen->event->file_rename->file;
		else if (seen->kind == KIND_file_unlink)
			file = seen->event->file_unlink->file;
		if (file && file->path_truncated &&
		    memmem(file->path.data, file->path.len, "/#", 2))
			seen->taken = true;
		/* ... and sets and takes away attributes and ACLs of the directory where it works
		 */
		if (seen->kind == KIND_file_xattr && seen->event->file_xattr->file->path_truncated)
			seen->taken = true;
	}
}

static void check_overlay(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *create, *mode, *rename, *unlink;

	drop_trials(check);
	create = take(check, KIND_file_create);
	mode = take(check, KIND_file_mode);
	rename = take(check, KIND_file_rename);
	unlink = take(check, KIND_file_unlink);
	if (!create || !mode || !rename || !unlink)
		return;
	want_text(check, "file_create.file.path", facts->path[0],
		  &create->event->file_create->file->path);
	want_text(check, "file_mode.file.path", facts->path[0],
		  &mode->event->file_mode->file->path);
	want_text(check, "file_rename.file.path", facts->path[1],
		  &rename->event->file_rename->file->path);
	want_text(check, "file_unlink.file.path", facts->path[1],
		  &unlink->event->file_unlink->file->path);
}

const struct test place_tests[] = {
	{"file_create/bind-mount", prepare_directories, act_bind_mount, check_one},
	{"file_create/chroot", prepare_directories, act_chroot, check_one},
	{"file_create/tmpfs", prepare_directories, act_tmpfs, check_tmpfs},
	{"file_create/overlay", prepare_directories, act_overlay, check_overlay},
	{},
};
