/* SPDX-License-Identifier: GPL-2.0 */
/* Strings and paths, appended to a record behind what is there. */
#pragma once

#define PATH_COMPONENTS 160 /* deeper paths lose their leading components, and say so */

/* The place where the next value goes, NULL when `max` bytes might not fit. */
static __always_inline void *append_at(struct slot *slot, struct bytes_ref *ref, __u32 max)
{
	__u32 at = slot->used;

	if (at > RECORD_BYTES_MAX - max)
		return NULL;
	barrier_var(at);
	at &= RECORD_BYTES_MAX - 1;
	ref->off = at;
	return slot->data + at;
}

static __always_inline void append_done(struct slot *slot, struct bytes_ref *ref, __u32 len)
{
	ref->len = len;
	slot->used += (len + 7) & ~7u;
}

/* A string of the kernel or of user space, at most RECORD_PATH_MAX - 1 bytes of it. */
static __always_inline void append_string(struct slot *slot, struct bytes_ref *ref,
					  const void *from, bool user)
{
	void *to = append_at(slot, ref, RECORD_PATH_MAX);
	long n;

	if (!to || !from)
		return;
	n = user ? bpf_probe_read_user_str(to, RECORD_PATH_MAX, from)
		 : bpf_probe_read_kernel_str(to, RECORD_PATH_MAX, from);
	if (n <= 0 || n > RECORD_PATH_MAX)
		return;
	ref->total = n - 1;
	append_done(slot, ref, n - 1);
}

#define PATH_LEADING_MISSING (1 << 16)

/* What the step needs of the dentry, in one call where reading is a call: it lies together. */
static __always_inline void name_read(struct walk *walk)
{
	struct dentry *dentry = walk->dentry;
	__u32 up = bpf_core_field_offset(dentry->d_parent);
	__u32 len = bpf_core_field_offset(dentry->d_name.len);
	__u32 name = bpf_core_field_offset(dentry->d_name.name);

	if (!CAN_CAST && IN_REACH(up, len, 29) && IN_REACH(up, name, 25) &&
	    !bpf_probe_read_kernel(walk->window, sizeof(walk->window), (void *)dentry + up)) {
		walk->up = (void *)walk->window[0];
		walk->len = *(__u32 *)((void *)walk->window + (len - up));
		walk->name = *(void **)((void *)walk->window + (name - up));
		return;
	}
	walk->up = READ(dentry, d_parent);
	walk->len = READ(dentry, d_name.len);
	walk->name = READ(dentry, d_name.name);
}

/*
 * One name, or one step over a mount point; true at the end.  A global function:
 * inside of the loop below the verifier would go through it again for each of its
 * rounds, in each program.
 */
__noinline int path_step(__u32 slot_index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &slot_index);
	struct dentry *dentry, *up;
	struct mount *mount;
	struct walk *walk;
	__u32 pos, len;

	if (!slot)
		return true;
	walk = &slot->walk;
	dentry = walk->dentry;
	name_read(walk);
	up = walk->up;
	if (!walk->parent)
		walk->parent = up;
	mount = walk->mount;
	pos = walk->pos;
	if (mount && dentry == walk->root) {
		struct mount *outer = READ(mount, mnt_parent);

		if (outer == mount)
			return true;
		walk->dentry = READ(mount, mnt_mountpoint);
		walk->mount = outer;
		walk->root = READ(outer, mnt.mnt_root);
		return false;
	}
	if (dentry == up && (pos < RECORD_PATH_MAX || !mount))
		return true; /* no mount, or not reachable from it */
	len = walk->len;
	if (len > 255)
		len = 255;
	if (pos < len + 1) {
		walk->missing = PATH_LEADING_MISSING;
		return true;
	}
	pos -= len;
	bpf_probe_read_kernel(slot->path + (pos & (RECORD_PATH_MAX - 1)), len & 255, walk->name);
	if (dentry != up) {
		pos--;
		slot->path[pos & (RECORD_PATH_MAX - 1)] = '/';
	}
	walk->pos = pos;
	walk->dentry = up;
	return dentry == up; /* a file that never had a directory: memfd, pipe */
}

/*
 * Puts a path together in slot->path from its end: names upwards to the root of
 * the mount, then on from where that is mounted, to the root of the mount
 * namespace.  Without a mount: up to the root of the file system.  A global
 * function, so that the verifier goes through it once per program; what the loop
 * carries lies in the slot, where the verifier does not follow its values, or
 * it would try every history; so do mount and dentry, since the verifier lets no
 * kernel pointer be an argument.  Returns the length, with PATH_LEADING_MISSING
 * where not all of it fitted.
 */
__noinline int path_build(__u32 slot_index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &slot_index);
	struct vfsmount *mnt;
	struct walk *walk;
	int i;

	if (!slot || !slot->walk.dentry)
		return 0;
	walk = &slot->walk;
	mnt = walk->mnt;
	walk->mount = NULL;
	walk->root = NULL;
	walk->parent = NULL;
	walk->pos = RECORD_PATH_MAX;
	walk->missing = 0;
	if (mnt) {
		walk->mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
		walk->root = READ(mnt, mnt_root);
	}
	for (i = 0; i < PATH_COMPONENTS; i++) {
		barrier();
		if (path_step(slot_index))
			break;
	}
	barrier();
	if (i == PATH_COMPONENTS)
		walk->missing = PATH_LEADING_MISSING;
	if (walk->pos == RECORD_PATH_MAX) {
		walk->pos--;
		slot->path[RECORD_PATH_MAX - 1] = '/';
	}
	return (RECORD_PATH_MAX - walk->pos) | walk->missing;
}

/* Appends the path; 0 or FILE_PATH_TRUNCATED. */
static __always_inline __u32 append_path(struct slot *slot, struct bytes_ref *ref,
					 struct vfsmount *mnt, struct dentry *dentry)
{
	__u32 flags = 0, len, from;
	void *to;
	int built;

	slot->walk.dentry = dentry;
	slot->walk.mnt = mnt;
	built = path_build(slot->index);
	len = built & 0xffff;
	to = append_at(slot, ref, RECORD_PATH_MAX);
	if (!to || !len || len > RECORD_PATH_MAX)
		return 0;
	if (built & PATH_LEADING_MISSING)
		flags = FILE_PATH_TRUNCATED;
	from = RECORD_PATH_MAX - len;
	barrier_var(from);
	from &= RECORD_PATH_MAX - 1;
	barrier_var(len);
	if (len > RECORD_PATH_MAX)
		return 0;
	bpf_probe_read_kernel(to, len, slot->path + from);
	ref->total = len;
	append_done(slot, ref, len);
	return flags;
}

/* Of what the last path was built of: 0 for what has no name in a directory, its own parent. */
static __always_inline __u64 path_directory(struct slot *slot, struct dentry *dentry)
{
	struct dentry *parent = slot->walk.parent;

	return parent == dentry ? 0 : READ(parent, d_inode, i_ino);
}

static __always_inline void append_file_path(struct slot *slot, struct file_ref *to,
					     struct vfsmount *mnt, struct dentry *dentry)
{
	to->flags |= append_path(slot, &to->path, mnt, dentry);
	to->directory = path_directory(slot, dentry);
}

static __always_inline bool is_memory(struct file_ref *file, struct vfsmount *mnt)
{
	return (file->magic == TMPFS_MAGIC || file->magic == HUGETLBFS_MAGIC) &&
	       (READ(mnt, mnt_flags) & MNT_INTERNAL);
}

/* inode, path and flags of an open file */
static __always_inline void file_fill(struct slot *slot, struct file_ref *to, struct file *file,
				      enum pointer how)
{
	struct vfsmount *mnt = GET(how, file, f_path.mnt);

	inode_fill(to, GET(how, file, f_inode), how);
	if (is_memory(to, mnt))
		to->flags |= FILE_MEMORY;
	append_file_path(slot, to, mnt, (void *)address_number(GET(how, file, f_path.dentry)));
}

/*
 * What the caller passed for a path, where no kernel object tells: with its
 * directory (working directory, or that of dfd) in front when it is relative.
 * Leaves where it is in slot->asked; a global function as path_step() is.
 */
__noinline int asked_build(__u32 slot_index, __s32 dfd, __u64 path, __u32 user)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &slot_index);
	struct bytes_ref *ref, rest = {};
	__u32 flags = FILE_PATH_AS_ASKED, at;
	struct path base = {};
	struct file *dir;
	char first = 0;

	if (!slot)
		return flags;
	ref = &slot->asked;
	__builtin_memset(ref, 0, sizeof(*ref));
	if (user)
		bpf_probe_read_user(&first, 1, (void *)path);
	else
		bpf_probe_read_kernel(&first, 1, (void *)path);
	if (first != '/') {
		dir = dfd >= 0 ? file_of_fd(dfd) : NULL;
		if (dir)
			BPF_CORE_READ_INTO(&base, dir, f_path);
		else
			BPF_CORE_READ_INTO(&base, (struct task_struct *)bpf_get_current_task(), fs,
					   pwd);
		flags |= append_path(slot, ref, base.mnt, base.dentry);
	}
	if (!ref->len) {
		append_string(slot, ref, (void *)path, user);
		return flags;
	}
	at = ref->off + ref->len; /* the rest goes right behind it: no padding, one slash */
	barrier_var(at);
	at &= RECORD_BYTES_MAX - 1;
	if (ref->len > 1) {
		slot->data[at] = '/';
		at++;
		ref->len++;
	}
	slot->used = at;
	append_string(slot, &rest, (void *)path, user);
	ref->len += rest.len;
	ref->total = ref->len;
	slot->used = (slot->used + 7) & ~7u;
	return flags;
}

static __always_inline void append_asked(struct slot *slot, struct file_ref *to, int dfd,
					 const void *path, bool user)
{
	to->flags |= asked_build(slot->index, dfd, (__u64)path, user);
	to->path = slot->asked;
}
