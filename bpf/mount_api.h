/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls for mounts that have a descriptor before they have a place, and for
 * the options of mounts and file systems that are there; both tiers.  What a call
 * passes in memory is read when it is over.
 */
#pragma once

#define AT_EMPTY_PATH	     0x1000
#define OPEN_TREE_CLONE	     1
#define OPEN_TREE_NAMESPACE  2
#define FSCONFIG_RECONFIGURE 7
#define FSCONTEXT_NAME	     0x65746e6f6373665b /* "[fsconte", of "[fscontext]" */
#define MOUNTS_LOOKED_AT     16
#define MS_REMOUNT	     0x20
#define SB_FLAGS_OF_USERS    0x20000d1 /* read-only, sync, mandlock, dirsync, lazytime */

/* The first mount, of those that the current process may see, that begins with this directory. */
static __noinline struct vfsmount *mount_at(struct dentry *root)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mnt_namespace *ns = READ(task, nsproxy, mnt_ns);
	struct super_block *sb = READ(root, d_sb);
	struct mount___list *listed = NULL;
	struct mount *mount;
	void *next;

	if (bpf_core_field_exists(listed->mnt_instance))
		next = READ((struct super_block___mounts *)sb, s_mounts.next);
	else
		next = READ((struct super_block___v618 *)sb, s_mounts);
	for (int i = 0; i < MOUNTS_LOOKED_AT && next; i++) {
		if (bpf_core_field_exists(listed->mnt_instance)) {
			listed = next - bpf_core_field_offset(listed->mnt_instance);
			mount = (void *)listed;
			next = READ(listed, mnt_instance.next);
		} else {
			mount = next;
			next = READ((struct mount___v618 *)mount, mnt_next_for_sb);
		}
		if (READ((struct mount___list *)mount, mnt_ns) == ns &&
		    READ(mount, mnt.mnt_root) == root)
			return (void *)mount + bpf_core_field_offset(struct mount, mnt);
	}
	return NULL;
}

static __always_inline struct mount_record *api_begin(struct call *call, __u32 action,
						      struct slot **ret)
{
	struct slot *slot = call_begin(call, KIND_mount, sizeof(struct mount_record));
	struct mount_record *rec;

	*ret = slot;
	if (!slot)
		return NULL;
	rec = (void *)slot->data;
	rec->action = action;
	return rec;
}

static __always_inline int api_end(struct slot *slot, struct call *call)
{
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_mount);
}

/* By its name as asked, or, without one, what the descriptor stands for. */
static __always_inline void api_target(struct slot *slot, struct file_ref *to, struct call *call)
{
	const void *path = (void *)call->arg[1];
	struct file *file = NULL;
	char first = 0;

	bpf_probe_read_user(&first, 1, path);
	if (!first && call->arg[2] & AT_EMPTY_PATH)
		file = file_of_fd(call->arg[0]);
	if (file)
		file_fill(slot, to, file, ADDRESS);
	else
		append_asked(slot, to, call->arg[0], path, true);
}

static __always_inline void api_attributes(struct mount_record *rec, struct call *call)
{
	struct {
		__u64 set, cleared, propagation;
	} attr = {};

	if (call->arg[4] < sizeof(attr))
		return;
	bpf_probe_read_user(&attr, sizeof(attr), (void *)call->arg[3]);
	rec->attributes = attr.set;
	rec->cleared = attr.cleared;
	rec->propagation = attr.propagation;
}

static __always_inline int on_mount_setattr(struct call *call)
{
	struct slot *slot;
	struct mount_record *rec = api_begin(call, MOUNT_SETATTR, &slot);

	if (!rec)
		return 0;
	rec->flags = call->arg[2];
	api_target(slot, &rec->target, call);
	api_attributes(rec, call);
	return api_end(slot, call);
}

/* A copy of a tree, which is nowhere; without one it is only an opening, or sets attributes. */
static __always_inline int on_open_tree(struct call *call, bool with_attributes)
{
	bool copy = call->arg[2] & (OPEN_TREE_CLONE | OPEN_TREE_NAMESPACE);
	struct file *file = call->result >= 0 ? file_of_fd(call->result) : NULL;
	struct mount_record *rec;
	struct slot *slot;

	if (!copy && !with_attributes)
		return 0;
	rec = api_begin(call, copy ? MOUNT_CLONE : MOUNT_SETATTR, &slot);
	if (!rec)
		return 0;
	rec->flags = call->arg[2];
	api_target(slot, &rec->target, call);
	if (file) {
		__u32 told = rec->target.flags;

		inode_fill(&rec->target, READ(file, f_inode), ADDRESS);
		rec->target.flags |= told;
		mount_source(slot, rec, READ(file, f_path.mnt));
	}
	if (with_attributes)
		api_attributes(rec, call);
	return api_end(slot, call);
}

static __always_inline int on_open_tree_plain(struct call *call)
{
	return on_open_tree(call, false);
}

static __always_inline int on_open_tree_attr(struct call *call)
{
	return on_open_tree(call, true);
}

/* What fsopen(2) or fspick(2) gave, if the descriptor is such a one. */
static __always_inline struct fs_context *context_of_fd(int fd)
{
	struct file *file = file_of_fd(fd);
	__u64 name = 0;

	if (file)
		bpf_probe_read_kernel(&name, sizeof(name), READ(file, f_path.dentry, d_name.name));
	return name == FSCONTEXT_NAME ? READ(file, private_data) : NULL;
}

/* A file system mounted, and reached by nothing but the descriptor. */
static __always_inline int on_fsmount(struct call *call)
{
	struct file *file = call->result >= 0 ? file_of_fd(call->result) : NULL;
	struct fs_context *context;
	struct slot *slot;
	struct mount_record *rec = api_begin(call, MOUNT_DETACHED, &slot);

	if (!rec)
		return 0;
	rec->flags = call->arg[1];
	rec->attributes = call->arg[2];
	if (file) {
		file_fill(slot, &rec->target, file, ADDRESS);
		mount_source(slot, rec, READ(file, f_path.mnt));
	} else {
		context = context_of_fd(call->arg[0]);
		append_string(slot, &rec->source, READ(context, source), false);
		append_string(slot, &rec->type, READ(context, fs_type, name), false);
	}
	return api_end(slot, call);
}

/* Other options for a file system, which mount(2) calls a remount.  The context forgets its own
 * when it has done it. */
static __always_inline int on_fsconfig(struct call *call)
{
	struct fs_context *context;
	struct super_block *sb;
	struct mount_record *rec;
	struct dentry *root;
	struct vfsmount *mnt;
	struct slot *slot;

	if (call->arg[1] != FSCONFIG_RECONFIGURE)
		return 0;
	rec = api_begin(call, MOUNT_MOUNT, &slot);
	if (!rec)
		return 0;
	rec->flags = MS_REMOUNT;
	context = context_of_fd(call->arg[0]);
	root = context ? READ(context, root) : NULL;
	if (root) {
		sb = READ(root, d_sb);
		mnt = mount_at(root);
		rec->flags = call->result ? READ(context, sb_flags)
					  : READ((struct super_block___mounts *)sb, s_flags);
		rec->flags = (rec->flags & SB_FLAGS_OF_USERS) | MS_REMOUNT;
		inode_fill(&rec->target, READ(root, d_inode), ADDRESS);
		append_file_path(slot, &rec->target, mnt, root);
		if (!mnt)
			rec->target.flags |= FILE_PATH_TRUNCATED;
		mount_source(slot, rec, mnt);
		if (!mnt)
			append_string(slot, &rec->type, READ(sb, s_type, name), false);
	}
	return api_end(slot, call);
}

CALL_EXIT(mount_setattr, on_mount_setattr)
CALL_EXIT(open_tree, on_open_tree_plain)
CALL_EXIT(open_tree_attr, on_open_tree_attr)
CALL_EXIT(fsmount, on_fsmount)
CALL_EXIT(fsconfig, on_fsconfig)

/* Tier 2.  A function of its own in the object, as tap_change(). */
static __noinline int tap_mount_api(struct call *call)
{
	switch (call->what) {
	case TAP_MOUNT_SETATTR:
		return on_mount_setattr(call);
	case TAP_OPEN_TREE:
		return on_open_tree(call, false);
	case TAP_OPEN_TREE_ATTR:
		return on_open_tree(call, true);
	case TAP_FSMOUNT:
		return on_fsmount(call);
	default:
		return on_fsconfig(call);
	}
}
