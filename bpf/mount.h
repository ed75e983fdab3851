/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mounts and roots.  mount and umount are seen in functions that all ways of
 * calling them share.  The others have none that knows their outcome: there the
 * security_* call before leaves the object in `pending_mounts`, and the exit of the
 * system call's own function takes it up; without it the call failed before any
 * object was looked at, and the path is the one asked for.
 */
#pragma once

#define MOVE_FROM_EMPTY_PATH 4 /* the descriptor itself is what is mounted */

static __always_inline void mount_source(struct slot *slot, struct mount_record *rec,
					 struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
	struct dentry *root;

	if (!mnt)
		return;
	root = READ(mnt, mnt_root);
	if (root != READ(mnt, mnt_sb, s_root))
		append_path(slot, &rec->root, NULL, root);
	append_string(slot, &rec->source, READ(mount, mnt_devname), false);
	append_string(slot, &rec->type, READ(mnt, mnt_sb, s_type, name), false);
}

SEC("?fexit/path_mount")
int PROGRAM(mount_exit, const char *source, struct path *path, const char *type,
	    unsigned long flags, void *data, int result)
{
	struct slot *slot =
		record_begin(KIND_mount, HOOK_mount_exit, 1, sizeof(struct mount_record));
	struct mount_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->action = MOUNT_MOUNT;
	rec->flags = flags;
	inode_fill(&rec->target, READ(path, dentry, d_inode), ADDRESS);
	append_file_path(slot, &rec->target, READ(path, mnt), READ(path, dentry));
	append_string(slot, &rec->source, source, false);
	append_string(slot, &rec->type, type, false);
	return record_end(slot, result, LANE_OF_mount);
}

/* Where it is mounted has to be read before; what is mounted stays until the call is over. */
SEC("?fentry/path_umount")
int PROGRAM(umount_enter, struct path *path)
{
	struct vfsmount *mnt = READ(path, mnt), *outer;
	struct dentry *dentry = READ(path, dentry);
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt), *parent;
	struct pending *p;

	parent = READ(mount, mnt_parent);
	if (dentry == READ(mnt, mnt_root) && parent != mount) {
		outer = (void *)parent + bpf_core_field_offset(struct mount, mnt);
		p = pending_new_in(&pending_mounts, HOOK_umount_exit, outer,
				   READ(mount, mnt_mountpoint));
	} else {
		p = pending_new_in(&pending_mounts, HOOK_umount_exit, mnt, dentry);
	}
	if (!p)
		return 0;
	p->from = mnt;
	inode_fill(&p->file, READ(dentry, d_inode), ADDRESS);
	return 0;
}

SEC("?fexit/path_umount")
int PROGRAM(umount_exit, struct path *path, int flags, int result)
{
	struct pending *p = pending_get_in(&pending_mounts, HOOK_umount_exit);
	struct mount_record *rec;
	struct slot *slot;

	slot = record_begin(KIND_mount, HOOK_umount_exit, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	rec->action = MOUNT_UMOUNT;
	rec->flags = flags;
	if (p) {
		rec->target = p->file;
		append_file_path(slot, &rec->target, p->mnt, p->dentry);
		mount_source(slot, rec, p->from);
	} else { /* it is not known any more where it was */
		inode_fill(&rec->target, READ(path, dentry, d_inode), ADDRESS);
		rec->target.flags |= FILE_PATH_TRUNCATED;
		mount_source(slot, rec, READ(path, mnt));
	}
	record_end(slot, result, LANE_OF_mount);
done:
	pending_done_in(&pending_mounts, HOOK_umount_exit);
	return 0;
}

SEC("?fentry/security_move_mount")
int PROGRAM(move_mount_enter, struct path *from, struct path *to)
{
	struct pending *p = pending_new_in(&pending_mounts, HOOK_move_mount_exit, READ(to, mnt),
					   READ(to, dentry));

	if (!p)
		return 0;
	p->from = READ(from, mnt);
	inode_fill(&p->file, READ(to, dentry, d_inode), ADDRESS);
	return 0;
}

/* What the security_* call before this exit noted; NULL when the call did not come that far. */
static __always_inline struct pending *noted(const struct call *call)
{
	return call->tier == 1 ? pending_get_in(&pending_mounts, call->hook) : NULL;
}

static __always_inline int on_move_mount(struct call *call)
{
	struct slot *slot = call_begin(call, KIND_mount, sizeof(struct mount_record));
	struct pending *p = noted(call);
	struct mount_record *rec;
	struct file_ref from = {};
	struct file *tree;

	if (!slot)
		goto done;
	rec = (void *)slot->data;
	rec->action = MOUNT_MOVE;
	rec->flags = call->arg[4];
	if (p) {
		rec->target = p->file;
		append_file_path(slot, &rec->target, p->mnt, p->dentry);
		mount_source(slot, rec, p->from);
		goto end;
	}
	append_asked(slot, &rec->target, call->arg[2], (void *)call->arg[3], true);
	tree = call->arg[4] & MOVE_FROM_EMPTY_PATH ? file_of_fd(call->arg[0]) : NULL;
	if (tree) {
		mount_source(slot, rec, READ(tree, f_path.mnt));
	} else {
		append_asked(slot, &from, call->arg[0], (void *)call->arg[1], true);
		rec->source = from.path;
	}
end:
	record_end(slot, call->result, LANE_OF_mount);
done:
	if (p)
		pending_done_in(&pending_mounts, call->hook);
	return 0;
}

CALL_EXIT(move_mount, on_move_mount)

/* The object is noted for its identity: its path is another one afterwards. */
static __always_inline int on_root(struct call *call, __u32 kind, const void *root, const void *old)
{
	struct slot *slot = call_begin(call, kind, sizeof(struct mount_record));
	struct pending *p = noted(call);
	struct mount_record *rec;

	if (!slot)
		goto done;
	rec = (void *)slot->data;
	rec->action = kind == KIND_mount ? MOUNT_PIVOT_ROOT : 0;
	if (p)
		rec->target = p->file;
	if (p && kind == KIND_chroot)
		append_file_path(slot, &rec->target, p->mnt, p->dentry);
	else
		append_asked(slot, &rec->target, AT_FDCWD, root, true);
	if (old)
		append_string(slot, &rec->source, old, true);
	record_end(slot, call->result, LANE_OF_mount);
done:
	if (p)
		pending_done_in(&pending_mounts, call->hook);
	return 0;
}

static __always_inline int before_root(struct path *root, __u32 exit)
{
	struct pending *p =
		pending_new_in(&pending_mounts, exit, READ(root, mnt), READ(root, dentry));

	if (p)
		inode_fill(&p->file, READ(root, dentry, d_inode), ADDRESS);
	return 0;
}

SEC("?fentry/security_sb_pivotroot")
int PROGRAM(pivot_root_enter, struct path *old, struct path *root)
{
	return before_root(root, HOOK_pivot_root_exit);
}

static __always_inline int on_pivot_root(struct call *call)
{
	return on_root(call, KIND_mount, (void *)call->arg[0], (void *)call->arg[1]);
}

CALL_EXIT(pivot_root, on_pivot_root)

SEC("?fentry/security_path_chroot")
int PROGRAM(chroot_enter, struct path *root)
{
	return before_root(root, HOOK_chroot_exit);
}

static __always_inline int on_chroot(struct call *call)
{
	return on_root(call, KIND_chroot, (void *)call->arg[0], NULL);
}

CALL_EXIT(chroot, on_chroot)
