// SPDX-License-Identifier: Apache-2.0
/*
 * Files of ours by what they are: by inode, and by the directory that their name is in, whatever
 * mount, namespace or descriptor they are reached through.  Looked up anew when a directory
 * changed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/internal.h"

#define DEPTH_MAX 3

/* stat(2) shows other devices than the super block has (subvolumes); the table of mounts does not.
 */
static uint64_t device_of_mount(struct places *places, const struct statx *st)
{
	uint64_t device = DEVICE(st->stx_dev_major, st->stx_dev_minor);
	CLEANUP(fclose) FILE *file = NULL;
	unsigned major, minor;
	unsigned long long id;
	char line[4096];

	if (!(st->stx_mask & STATX_MNT_ID))
		return device;
	if (places->mount == st->stx_mnt_id && places->mount_device)
		return places->mount_device;
	file = fopen("/proc/self/mountinfo", "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llu %*u %u:%u", &id, &major, &minor) == 3 &&
		    id == st->stx_mnt_id) {
			device = DEVICE(major, minor);
			break;
		}
	places->mount = st->stx_mnt_id;
	places->mount_device = device;
	return device;
}

static int look_at(int dir, const char *name, int flags, struct statx *st)
{
	return statx(dir, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, st);
}

/* A number is used again once its file is gone; 0 where the file system does not tell. */
static uint32_t generation_of(int dir, const char *name, uint32_t mode)
{
	CLEANUP(close_fd) int fd = -1;
	long generation = 0;

	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, FS_IOC_GETVERSION, &generation))
		return 0;
	return (uint32_t)generation;
}

static void add_inode(struct places *places, int dir, const char *name, const struct statx *st,
		      what_t what, bool not_manager)
{
	if (places->ninodes == INODES_MAX)
		return; /* its directory still tells, as long as the name is there */
	places->inodes[places->ninodes++] = (struct own_inode){
		.device = device_of_mount(places, st),
		.inode = st->stx_ino,
		.generation = generation_of(dir, name, st->stx_mode),
		.what = what,
		.not_manager = not_manager,
	};
}

static struct own_dir *add_dir(struct places *places, const char *name, unsigned path)
{
	struct own_dir *dir = &places->dirs[places->ndirs];

	if (places->ndirs == DIRS_MAX || strlen(name) >= sizeof(dir->name))
		return NULL;
	places->ndirs++;
	*dir = (struct own_dir){.path = path};
	memcpy(dir->name, name, strlen(name) + 1);
	return dir;
}

static uint64_t changed_ns(const struct statx *st)
{
	return (uint64_t)st->stx_mtime.tv_sec * NS_PER_SEC + st->stx_mtime.tv_nsec;
}

static void scan(struct guard *guard, const char *name, unsigned path, const char *prefix,
		 unsigned depth);

static void scan_entry(struct guard *guard, int fd, const struct own_dir *dir, const char *name,
		       unsigned depth)
{
	const struct own_path *path = &guard->paths[dir->path];
	char below[2 * PATH_SIZE];
	struct statx st;

	if (look_at(fd, name, AT_SYMLINK_NOFOLLOW, &st))
		return;
	if (!S_ISDIR(st.stx_mode)) {
		add_inode(&guard->places, fd, name, &st, path->what, path->not_manager);
		return;
	}
	snprintf(below, sizeof(below), "%s/%s", dir->name, name);
	if (depth < DEPTH_MAX)
		scan(guard, below, dir->path, "", depth + 1);
}

/* A directory of ours, or, with a prefix, one in which names that begin so are. */
static void scan(struct guard *guard, const char *name, unsigned path, const char *prefix,
		 unsigned depth)
{
	struct places *places = &guard->places;
	struct own_dir *own = add_dir(places, name, path);
	CLEANUP(closedir) DIR *dir = own ? opendir(name) : NULL;
	struct dirent *entry;
	struct statx st;

	if (!dir || look_at(dirfd(dir), "", AT_EMPTY_PATH, &st))
		return;
	own->device = device_of_mount(places, &st);
	own->inode = st.stx_ino;
	/* what changes in the same tick of the file system's clock does not show */
	own->changed_ns = clock_real_ns() - changed_ns(&st) > NS_PER_SEC ? changed_ns(&st) : 0;
	own->prefix = prefix;
	if (!*prefix)
		add_inode(places, dirfd(dir), ".", &st, guard->paths[path].what,
			  guard->paths[path].not_manager);
	if (guard->paths[path].what == TAMPER(CGROUP))
		return; /* its files can have no other names */
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    !strncmp(entry->d_name, prefix, strlen(prefix)))
			scan_entry(guard, dirfd(dir), own, entry->d_name, depth);
}

static int by_inode(const void *a, const void *b)
{
	const struct own_inode *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

void place_scan(struct guard *guard)
{
	struct places *places = &guard->places;
	char dir[PATH_SIZE];

	places->ninodes = places->nfixed;
	memcpy(places->inodes, places->fixed, places->nfixed * sizeof(places->fixed[0]));
	places->ndirs = 0;
	places->mount_device = 0;
	for (unsigned i = 0; i < guard->npaths; i++) {
		const char *text = guard->paths[i].text, *slash = strrchr(text, '/');

		snprintf(dir, sizeof(dir), "%.*s", slash == text ? 1 : (int)(slash - text), text);
		scan(guard, dir, i, slash + 1, 0);
	}
	qsort(places->inodes, places->ninodes, sizeof(places->inodes[0]), by_inode);
}

static bool has_changed(const struct own_dir *dir)
{
	struct statx st;

	if (look_at(AT_FDCWD, dir->name, 0, &st))
		return dir->inode;
	return dir->inode != st.stx_ino || dir->changed_ns != changed_ns(&st);
}

void place_look(struct guard *guard)
{
	for (unsigned i = 0; i < guard->places.ndirs; i++)
		if (has_changed(&guard->places.dirs[i])) {
			place_scan(guard);
			return;
		}
}

void place_add(struct guard *guard, what_t what, const char *path)
{
	struct places *places = &guard->places;
	struct statx st;

	if (places->nfixed < FIXED_MAX && !look_at(AT_FDCWD, path, 0, &st))
		places->fixed[places->nfixed++] = (struct own_inode){
			.device = device_of_mount(places, &st), .inode = st.stx_ino, .what = what};
}

static const struct own_inode *inode_find(const struct places *places, uint64_t device,
					  const Hinomi__File *file, bool manager)
{
	struct own_inode key = {.inode = file->inode};
	const struct own_inode *found =
		bsearch(&key, places->inodes, places->ninodes, sizeof(places->inodes[0]), by_inode);

	while (found && found > places->inodes && found[-1].inode == file->inode)
		found--;
	for (; found && found < places->inodes + places->ninodes && found->inode == file->inode;
	     found++)
		if (found->device == device && !(manager && found->not_manager) &&
		    (!found->generation || found->generation == file->generation))
			return found;
	return NULL;
}

static bool has_name(const ProtobufCBinaryData *path, const char *prefix)
{
	const char *slash = path->len ? memrchr(path->data, '/', path->len) : NULL;
	size_t n = strlen(prefix);

	return !n || (slash && (size_t)((const char *)path->data + path->len - slash) > n &&
		      !memcmp(slash + 1, prefix, n));
}

what_t place_find(const struct guard *guard, const Hinomi__File *file, bool manager)
{
	const struct places *places = &guard->places;
	uint64_t device = DEVICE(file->device_major, file->device_minor);
	const struct own_inode *inode;

	if (!file->inode)
		return 0;
	inode = inode_find(places, device, file, manager);
	if (inode)
		return inode->what;
	for (unsigned i = 0; file->directory_inode && i < places->ndirs; i++) {
		const struct own_dir *dir = &places->dirs[i];
		const struct own_path *path = &guard->paths[dir->path];

		if (dir->inode == file->directory_inode && dir->device == device &&
		    !(manager && path->not_manager) && has_name(&file->path, dir->prefix))
			return path->what;
	}
	return 0;
}
