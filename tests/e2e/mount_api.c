// SPDX-License-Identifier: Apache-2.0
/* Mounts by the calls that have a descriptor for them, in a namespace of the actor's own. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

/* the same everywhere; not in every libc's headers */
#define NR_OPEN_TREE	  428
#define NR_FSOPEN	  430
#define NR_FSCONFIG	  431
#define NR_FSMOUNT	  432
#define NR_FSPICK	  433
#define NR_MOUNT_SETATTR  442
#define NR_OPEN_TREE_ATTR 467
#define TREE_CLONE	  1
#define SET_FLAG	  0
#define SET_STRING	  1
#define CREATE		  6
#define RECONFIGURE	  7
#define EMPTY_PATH	  0x1000
#define ATTR_RDONLY	  1ull
#define ATTR_NOSUID	  2ull
#define TMPFS_MAGIC	  0x01021994

struct attributes {
	uint64_t set, cleared, propagation, userns_fd;
};

static void prepare_directories(struct facts *facts)
{
	must(mkdir("from", 0755));
	must(mkdir("to", 0755));
	act_path(facts, 0, "from");
	act_path(facts, 1, "to");
}

static void hold_mounts(struct facts *facts)
{
	own_mounts(facts);
	must(mount("a name", "to", "tmpfs", 0, "size=64k"));
	must(stat("to", &facts->stat[1]));
	must(stat("from", &facts->stat[0]));
}

/* ---- other options: mount(8) from util-linux 2.39 on does it this way */

static void act_remount(struct facts *facts)
{
	int fd = must((int)syscall(NR_FSPICK, AT_FDCWD, "to", 0));

	must(syscall(NR_FSCONFIG, fd, SET_FLAG, "ro", NULL, 0));
	must(syscall(NR_FSCONFIG, fd, RECONFIGURE, NULL, NULL, 0));
	act_tried(facts, 0, syscall(NR_FSCONFIG, -1, RECONFIGURE, NULL, NULL, 0));
	close(fd);
}

static void check_remount(struct check *check)
{
	const Hinomi__Mount *mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_REMOUNT, 0);

	if (mount) {
		want_text(check, "mount.target.path", check->facts->path[1], &mount->target->path);
		want_number(check, "mount.target.inode", check->facts->stat[1].st_ino,
			    mount->target->inode);
		want_number(check, "mount.target.path_truncated", 0, mount->target->path_truncated);
		want_text(check, "mount.source", "a name", &mount->source);
		want_text(check, "mount.filesystem", "tmpfs", &mount->filesystem);
		want_number(check, "mount.flags: read-only", MS_RDONLY, mount->flags & MS_RDONLY);
	}
	mount_told(check, HINOMI__MOUNT__ACTION__ACTION_REMOUNT, check->facts->error[0]);
}

/* ---- attributes of one mount */

static void act_attributes(struct facts *facts)
{
	struct attributes read_only = {.set = ATTR_RDONLY | ATTR_NOSUID},
			  undone = {.cleared = ATTR_RDONLY, .propagation = MS_SHARED};
	int fd = must(open("to", O_PATH | O_CLOEXEC));

	if (syscall(NR_MOUNT_SETATTR, AT_FDCWD, "to", 0, &read_only, sizeof(read_only)))
		act_skip(facts, "mount_setattr: %s", strerror(errno));
	must(syscall(NR_MOUNT_SETATTR, fd, "", EMPTY_PATH, &undone, sizeof(undone)));
	act_tried(facts, 0,
		  syscall(NR_MOUNT_SETATTR, AT_FDCWD, "nowhere", 0, &undone, sizeof(undone)));
	close(fd);
}

static void check_attributes(struct check *check)
{
	const Hinomi__Mount *mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_SETATTR, 0);

	if (mount) {
		want_asked(check, check->facts->path[1], mount->target);
		want_number(check, "mount.attributes", ATTR_RDONLY | ATTR_NOSUID,
			    mount->attributes);
		want_number(check, "mount.cleared", 0, mount->cleared);
	}
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_SETATTR, 0);
	if (mount) {
		want_text(check, "mount.target.path", check->facts->path[1], &mount->target->path);
		want_number(check, "mount.target.inode", check->facts->stat[1].st_ino,
			    mount->target->inode);
		want_number(check, "mount.attributes", 0, mount->attributes);
		want_number(check, "mount.cleared", ATTR_RDONLY, mount->cleared);
		want_number(check, "mount.propagation", MS_SHARED, mount->propagation);
	}
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_SETATTR, ENOENT);
	(void)mount;
}

/* ---- trees that are read through a descriptor and mounted nowhere */

static void act_detached(struct facts *facts)
{
	int fd, tree = must((int)syscall(NR_OPEN_TREE, AT_FDCWD, "from", TREE_CLONE));

	close(must((int)syscall(NR_OPEN_TREE, AT_FDCWD, "from", 0))); /* an O_PATH, no more */
	fd = must((int)syscall(NR_FSOPEN, "tmpfs", 0));
	must(syscall(NR_FSCONFIG, fd, SET_STRING, "source", "other", 0));
	must(syscall(NR_FSCONFIG, fd, CREATE, NULL, NULL, 0));
	close(must((int)syscall(NR_FSMOUNT, fd, 0, ATTR_NOSUID)));
	close(fd);
	close(tree);
	act_tried(facts, 0, syscall(NR_OPEN_TREE, AT_FDCWD, "nowhere", TREE_CLONE));
	act_tried(facts, 1, syscall(NR_FSMOUNT, -1, 0, 0));
}

static void check_detached(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__Mount *mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_CLONE, 0);

	if (mount) {
		want_text(check, "mount.target.path", facts->path[0], &mount->target->path);
		want_number(check, "mount.target.inode", facts->stat[0].st_ino,
			    mount->target->inode);
		want_number(check, "mount.flags", TREE_CLONE, mount->flags);
	}
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_DETACHED, 0);
	if (mount) {
		want_text(check, "mount.source", "other", &mount->source);
		want_text(check, "mount.filesystem", "tmpfs", &mount->filesystem);
		want_number(check, "mount.target.filesystem", TMPFS_MAGIC,
			    mount->target->filesystem);
		want_number(check, "mount.attributes", ATTR_NOSUID, mount->attributes);
	}
	mount_told(check, HINOMI__MOUNT__ACTION__ACTION_CLONE, facts->error[0]);
	mount_told(check, HINOMI__MOUNT__ACTION__ACTION_DETACHED, facts->error[1]);
}

static void act_tree_attr(struct facts *facts)
{
	struct attributes read_only = {.set = ATTR_RDONLY};
	long tree = syscall(NR_OPEN_TREE_ATTR, AT_FDCWD, "from", TREE_CLONE, &read_only,
			    sizeof(read_only));

	if (tree < 0)
		act_skip(facts, "open_tree_attr: %s", strerror(errno));
	close((int)tree);
}

static void check_tree_attr(struct check *check)
{
	const Hinomi__Mount *mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_CLONE, 0);

	if (!mount)
		return;
	want_text(check, "mount.target.path", check->facts->path[0], &mount->target->path);
	want_number(check, "mount.attributes", ATTR_RDONLY, mount->attributes);
}

const struct test mount_api_tests[] = {
	{"mount/fsconfig-remount", prepare_directories, act_remount, check_remount, hold_mounts},
	{"mount/setattr", prepare_directories, act_attributes, check_attributes, hold_mounts},
	{"mount/detached", prepare_directories, act_detached, check_detached, hold_mounts},
	{"mount/open-tree-attr", prepare_directories, act_tree_attr, check_tree_attr, hold_mounts},
	{},
};
