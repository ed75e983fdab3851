/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records about files and mounts. */
#pragma once

#include "record.h"

/* file_create, file_open, file_read */
struct open_record {
	struct record record;
	struct file_ref file;
	__u32 flags;
	__u32 watch; /* line of the watch list that it falls under, from 1; 0: none */
	__u32 by_handle;
	__u32 pad;
};

struct close_record {
	struct record record;
	struct file_ref file;
	struct process_key opener;
	__u64 opened_ns; /* boot time */
	__u64 bytes_read, bytes_written, reads, writes;
	__u32 watch; /* as in open_record */
	__u32 pad;
};

struct unlink_record {
	struct record record;
	struct file_ref file;
};

struct rename_record {
	struct record record;
	struct file_ref file;
	struct file_ref replaced; /* inode 0: nothing was there */
	struct bytes_ref old_path;
	__u32 old_path_flags; /* FILE_PATH_* */
	__u32 flags;
	__u32 pad;
};

struct link_record {
	struct record record;
	struct file_ref file;
	struct bytes_ref target;
	__u32 symbolic;
};

/* file_mode, file_owner */
struct attr_record {
	struct record record;
	struct file_ref file; /* as it is afterwards */
	__u32 mode, old_mode;
	__u32 uid, gid, old_uid, old_gid;
	__u32 old_known;
	__u32 pad;
};

#define RECORD_XATTR_MAX 1024 /* bytes of a value that are kept */

struct xattr_record {
	struct record record;
	struct file_ref file;
	struct bytes_ref name;
	struct bytes_ref value; /* of security.* and of ACLs */
	__u64 size;
	__u32 removed;
	__u32 pad;
};

struct flags_record {
	struct record record;
	struct file_ref file;
	__u32 flags;	/* FS_*_FL */
	__u32 extended; /* FS_XFLAG_* */
	__u32 old_flags;
	__u32 old_known;
};

struct truncate_record {
	struct record record;
	struct file_ref file;
	__u64 length, old_length;
	__u32 old_known;
	__u32 pad;
};

#define TIME_ACCESSED 1
#define TIME_MODIFIED 2

struct times_record {
	struct record record;
	struct file_ref file;
	__u64 accessed_ns, modified_ns, old_accessed_ns, old_modified_ns;
	__u32 kept; /* TIME_*: not to be changed */
	__u32 now;  /* TIME_*: the current time was asked for */
	__u32 old_known;
	__u32 pad;
};

struct make_record {
	struct record record;
	struct file_ref file;
	__u32 mode;    /* as asked, with the type */
	__u32 special; /* the device that a device file stands for: major << 20 | minor */
};

struct map_record {
	struct record record;
	struct file_ref file;
	__u64 length;
	__u32 protection; /* PROT_* */
	__u32 flags;	  /* MAP_* */
};

enum mount_action {
	MOUNT_MOUNT = 1,
	MOUNT_MOVE,
	MOUNT_UMOUNT,
	MOUNT_PIVOT_ROOT,
	MOUNT_SETATTR,
	MOUNT_CLONE,
	MOUNT_DETACHED,
};

/* mount, chroot */
struct mount_record {
	struct record record;
	struct file_ref target;
	struct bytes_ref source;
	struct bytes_ref type;
	struct bytes_ref root; /* what of the file system it shows, where that is not the whole */
	__u32 pad0;
	__u64 flags;
	__u64 attributes, cleared, propagation; /* mount_setattr(2) */
	__u32 action;				/* enum mount_action */
	__u32 pad;
};
