// SPDX-License-Identifier: Apache-2.0
/* Mounts, roots and namespaces, in namespaces of the actor's own. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

#define NR_OPEN_TREE	429 - 1
#define NR_MOVE_MOUNT	429
#define TREE_CLONE	1
#define MOVE_FROM_EMPTY 4
#define TMPFS_MAGIC	0x01021994

static void prepare_directories(struct facts *facts)
{
	must(mkdir("from", 0755));
	must(mkdir("to", 0755));
	must(mkdir("to/old", 0755));
	act_path(facts, 0, "from");
	act_path(facts, 1, "to");
}

void own_mounts(struct facts *facts)
{
	if (unshare(CLONE_NEWNS))
		act_skip(facts, "unshare(CLONE_NEWNS): %s", strerror(errno));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

const Hinomi__Mount *mount_told(struct check *check, int action, int error)
{
	const struct seen *seen = take(check, KIND_mount);

	if (!seen)
		return NULL;
	want_result(check, error, seen);
	want_number(check, "mount.action", (uint64_t)action, seen->event->mount->action);
	return seen->event->mount;
}

/* The target by its object on tier 1, by its name on both. */
static void want_target(struct check *check, const char *path, const Hinomi__Mount *mount)
{
	if (!mount)
		return;
	want_text(check, "mount.target.path", path, &mount->target->path);
	if (tier_of(check, KIND_mount) == 1)
		want_true(check, "mount.target.inode", mount->target->inode);
	else
		want_number(check, "mount.target.path_as_asked", 1, mount->target->path_as_asked);
}

static void take_own_mounts(struct check *check)
{
	const Hinomi__Mount *mount;

	take(check, KIND_namespace);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_PROPAGATION, 0);
	want_target(check, "/", mount);
	if (mount)
		want_number(check, "mount.flags", MS_REC | MS_PRIVATE, mount->flags);
}

static void act_mount(struct facts *facts)
{
	own_mounts(facts);
	must(stat("to", &facts->stat[0]));
	must(mount("a name", "to", "tmpfs", MS_NOSUID, "size=64k"));
	must(mount(NULL, "to", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	must(umount2("to", MNT_DETACH));
	act_tried(facts, 0, mount("a name", "to", "no-such-type", 0, NULL));
	act_tried(facts, 1, umount2("to", 0));
	if (facts->error[0] != ENODEV || facts->error[1] != EINVAL)
		act_fail(facts, "mount of nothing");
}

static void check_mount(struct check *check)
{
	const char *to = check->facts->path[1];
	const Hinomi__Mount *mount;

	take_own_mounts(check);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_MOUNT, 0);
	want_target(check, to, mount);
	if (mount) {
		want_text(check, "mount.source", "a name", &mount->source);
		want_text(check, "mount.filesystem", "tmpfs", &mount->filesystem);
		want_number(check, "mount.flags", MS_NOSUID, mount->flags);
	}
	want_target(check, to, mount_told(check, HINOMI__MOUNT__ACTION__ACTION_REMOUNT, 0));
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_UMOUNT, 0);
	want_target(check, to, mount);
	if (mount)
		want_number(check, "mount.flags", MNT_DETACH, mount->flags);
	if (mount && tier_of(check, KIND_mount) == 1) {
		want_text(check, "mount.source", "a name", &mount->source);
		want_text(check, "mount.filesystem", "tmpfs", &mount->filesystem);
		want_number(check, "mount.target.filesystem", TMPFS_MAGIC,
			    mount->target->filesystem);
	}
	want_target(check, to, mount_told(check, HINOMI__MOUNT__ACTION__ACTION_MOUNT, ENODEV));
	want_target(check, to, mount_told(check, HINOMI__MOUNT__ACTION__ACTION_UMOUNT, EINVAL));
}

/* Nothing of it may be taken for the object of a call that fails before it has one. */
static void create_one(struct facts *facts, const char *path)
{
	close(must(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
}

static void act_bind(struct facts *facts)
{
	int tree;

	own_mounts(facts);
	must(stat("to", &facts->stat[0]));
	must(mount("from", "to", NULL, MS_BIND, NULL));
	tree = must((int)syscall(NR_OPEN_TREE, AT_FDCWD, "from", TREE_CLONE));
	must((int)syscall(NR_MOVE_MOUNT, tree, "", AT_FDCWD, "to", MOVE_FROM_EMPTY));
	close(tree);
	create_one(facts, "created");
	act_tried(facts, 0, syscall(NR_MOVE_MOUNT, AT_FDCWD, "nowhere", AT_FDCWD, "to", 0));
}

static void check_bind(struct check *check)
{
	const char *to = check->facts->path[1];
	const Hinomi__Mount *mount;

	take_own_mounts(check);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_BIND, 0);
	want_target(check, to, mount);
	if (mount)
		want_text(check, "mount.source", "from", &mount->source);
	mount_told(check, HINOMI__MOUNT__ACTION__ACTION_CLONE, 0);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_MOVE, 0);
	want_target(check, to, mount);
	if (mount) {
		want_number(check, "mount.flags", MOVE_FROM_EMPTY, mount->flags);
		want_tail(check, "mount.root", "/from", &mount->root);
	}
	take(check, KIND_file_create);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_MOVE, check->facts->error[0]);
	if (mount)
		want_text(check, "mount.target.path", to, &mount->target->path);
}

static void act_pivot(struct facts *facts)
{
	own_mounts(facts);
	must(stat("to", &facts->stat[0]));
	create_one(facts, "created");
	act_tried(facts, 0, syscall(SYS_pivot_root, "nowhere", "nowhere"));
	must(mount("none", "to", "tmpfs", 0, NULL));
	must(stat("to", &facts->stat[1]));
	must(mkdir("to/old", 0755));
	if (syscall(SYS_pivot_root, "to", "to/old"))
		act_skip(facts, "pivot_root: %s", strerror(errno)); /* the root of an initramfs */
}

static void check_pivot(struct check *check)
{
	const Hinomi__Mount *mount;

	take_own_mounts(check);
	take(check, KIND_file_create);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_PIVOT_ROOT, ENOENT);
	if (mount)
		want_number(check, "mount.target.inode of nothing", 0, mount->target->inode);
	mount_told(check, HINOMI__MOUNT__ACTION__ACTION_MOUNT, 0);
	while (there_is(check, KIND_file_create))
		take(check, KIND_file_create);
	mount = mount_told(check, HINOMI__MOUNT__ACTION__ACTION_PIVOT_ROOT, 0);
	if (!mount)
		return;
	want_text(check, "mount.source", "to/old", &mount->source);
	want_number(check, "mount.target.path_as_asked", 1, mount->target->path_as_asked);
	if (tier_of(check, KIND_mount) == 1)
		want_number(check, "mount.target.inode", check->facts->stat[1].st_ino,
			    mount->target->inode);
}

static void act_chroot(struct facts *facts)
{
	must(stat("to", &facts->stat[0]));
	must(chroot("to"));
	create_one(facts, "/from");
	act_tried(facts, 0, chroot("/nowhere"));
}

static void check_chroot(struct check *check)
{
	const struct seen *seen = take(check, KIND_chroot);

	if (!seen)
		return;
	want_result(check, 0, seen);
	if (seen->event->tier == 1)
		want_file(check, check->facts->path[1], &check->facts->stat[0],
			  seen->event->chroot->root);
	else
		want_asked(check, check->facts->path[1], seen->event->chroot->root);
	take(check, KIND_file_create);
	seen = take(check, KIND_chroot);
	if (seen) {
		want_result(check, ENOENT, seen);
		want_asked(check, "/nowhere", seen->event->chroot->root);
	}
}

static void act_unshare(struct facts *facts)
{
	namespaces_read(facts->number);
	must(unshare(CLONE_FS)); /* no namespace: no event */
	if (unshare(CLONE_NEWUTS | CLONE_NEWPID))
		act_skip(facts, "unshare: %s", strerror(errno));
	namespaces_read((uint64_t *)facts->path[0]);
}

static const Hinomi__NamespaceChange *changed(struct check *check, int how, int error)
{
	const struct seen *seen = take(check, KIND_namespace);
	const Hinomi__NamespaceChange *change;

	if (!seen)
		return NULL;
	change = seen->event->namespace_;
	want_result(check, error, seen);
	want_number(check, "namespace.how", (uint64_t)how, change->how);
	if (seen->event->tier == 1)
		want_namespaces(check, "namespace.old", check->facts->number, change->old);
	return change;
}

static void check_unshare(struct check *check)
{
	const Hinomi__NamespaceChange *change =
		changed(check, HINOMI__NAMESPACE_CHANGE__HOW__HOW_UNSHARE, 0);

	if (!change)
		return;
	want_number(check, "namespace.flags", CLONE_NEWUTS | CLONE_NEWPID, change->flags);
	want_namespaces(check, "namespace.now", (const uint64_t *)check->facts->path[0],
			change->now);
	want_true(check, "namespace.pid_for_children, another one",
		  change->pid_for_children && change->pid_for_children != change->now->pid);
}

static void act_setns(struct facts *facts)
{
	int uts = must(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));

	namespaces_read(facts->number);
	must(setns(uts, CLONE_NEWUTS));
	act_tried(facts, 0, setns(uts, CLONE_NEWNET));
	close(uts);
}

static void check_setns(struct check *check)
{
	const Hinomi__NamespaceChange *change =
		changed(check, HINOMI__NAMESPACE_CHANGE__HOW__HOW_SETNS, 0);

	if (change) {
		want_number(check, "namespace.flags", CLONE_NEWUTS, change->flags);
		want_namespaces(check, "namespace.now", check->facts->number, change->now);
	}
	changed(check, HINOMI__NAMESPACE_CHANGE__HOW__HOW_SETNS, EINVAL);
}

static void act_refused(struct facts *facts)
{
	namespaces_read(facts->number);
	act_tried(facts, 0, unshare(CLONE_NEWNET));
	if (facts->error[0] != EPERM)
		act_fail(facts, "unshare");
}

static void check_refused(struct check *check)
{
	changed(check, HINOMI__NAMESPACE_CHANGE__HOW__HOW_UNSHARE, EPERM);
}

const struct test mount_tests[] = {
	{"mount/mount", prepare_directories, act_mount, check_mount},
	{"mount/bind", prepare_directories, act_bind, check_bind},
	{"mount/pivot-root", prepare_directories, act_pivot, check_pivot},
	{"chroot/chroot", prepare_directories, act_chroot, check_chroot},
	{"namespace/unshare", NULL, act_unshare, check_unshare},
	{"namespace/setns", NULL, act_setns, check_setns},
	{"namespace/refused", NULL, act_refused, check_refused, .nobody = true},
	{},
};
