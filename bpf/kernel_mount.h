/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's types that belong to mounts, as kernel.h has the others. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	const char *mnt_devname;
};

struct super_block___mounts {
	struct dentry *s_root;
	unsigned long s_flags;
	struct {
		void *next;
	} s_mounts;
};

struct super_block___v618 { /* 9c9b0d6d1b54: no longer a list_head */
	struct mount *s_mounts;
};

struct mount___list { /* until 6.17 */
	struct {
		void *next;
	} mnt_instance;
	struct mnt_namespace *mnt_ns;
};

struct mount___v618 {
	struct mount *mnt_next_for_sb;
};

struct fs_context {
	struct file_system_type *fs_type;
	struct dentry *root;
	const char *source;
	unsigned int sb_flags;
};

#pragma clang attribute pop
