/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What changes a file besides its names, mode and owner, tier 1: extended
 * attributes, flags, length, times; and files made without being opened.  What
 * was before waits in `pending` from the entry of the kernel's function to its
 * exit, as in file.h.
 */
#pragma once

#define ATTR_OPEN  (1 << 15)
#define UTIME_NOW  ((1l << 30) - 1)
#define UTIME_OMIT ((1l << 30) - 2)
#define ACL_HEADER 2 /* POSIX_ACL_XATTR_VERSION */
#define ACL_ENTRY  8

/* Argument n, which is the next one since an idmap came in front (5.12). */
#define ARGUMENT_AFTER(ctx, n, is_old) ((is_old) ? ARGUMENT(ctx, n) : ARGUMENT(ctx, (n) + 1))

static __always_inline struct pending *change_begin(__u32 kind, struct vfsmount *mnt,
						    struct dentry *dentry)
{
	return pending_begin(kind, mnt ?: mount_of(dentry), dentry);
}

static __always_inline void change_file(struct slot *slot, struct file_ref *to, struct pending *p,
					struct dentry *dentry)
{
	inode_fill(to, READ(dentry, d_inode), ADDRESS);
	append_file_path(slot, to, p ? p->mnt : NULL, dentry);
	if (!p || !p->mnt)
		to->flags |= FILE_PATH_TRUNCATED;
}

/* ---- extended attributes */

/* Those whose value says what a file may do, not what it holds. */
static __always_inline bool xattr_is_told(const char *name, bool user)
{
	__u64 head = 0;

	if (user)
		bpf_probe_read_user(&head, sizeof(head), name);
	else
		bpf_probe_read_kernel(&head, sizeof(head), name);
	return head == 0x7974697275636573 || head == 0x702e6d6574737973; /* security, system.p */
}

static __always_inline void append_value(struct slot *slot, struct bytes_ref *ref,
					 const void *value, __u64 size, bool user)
{
	void *to = append_at(slot, ref, RECORD_PATH_MAX);
	__u32 len = size > RECORD_XATTR_MAX ? RECORD_XATTR_MAX : size;

	barrier_var(len);
	if (!to || !value || len > RECORD_XATTR_MAX)
		return;
	if (user ? bpf_probe_read_user(to, len, value) : bpf_probe_read_kernel(to, len, value))
		return;
	ref->total = size;
	append_done(slot, ref, len);
}

static __always_inline struct slot *xattr_fill(struct pending *p, struct dentry *dentry,
					       const char *name, __u32 hook)
{
	struct slot *slot = record_begin(KIND_file_xattr, hook, 1, sizeof(struct xattr_record));
	struct xattr_record *rec;

	if (!slot)
		return NULL;
	rec = (void *)slot->data;
	change_file(slot, &rec->file, p, dentry);
	append_string(slot, &rec->name, name, false);
	return slot;
}

static __always_inline int after_setxattr(struct dentry *dentry, const char *name,
					  const void *value, __u64 size, int result)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_xattr, dentry, &ours);
	struct xattr_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = xattr_fill(p, dentry, name, HOOK_setxattr_exit);
	if (slot) {
		rec = (void *)slot->data;
		rec->size = size;
		if (xattr_is_told(name, false))
			append_value(slot, &rec->value, value, size, false);
		record_end(slot, result, LANE_OF_file_xattr);
	}
	pending_done(KIND_file_xattr);
	return 0;
}

static __always_inline int after_removexattr(struct dentry *dentry, const char *name, int result,
					     __u32 hook)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_xattr, dentry, &ours);
	struct slot *slot;

	if (!ours)
		return 0;
	slot = xattr_fill(p, dentry, name, hook);
	if (slot) {
		((struct xattr_record *)slot->data)->removed = 1;
		record_end(slot, result, LANE_OF_file_xattr);
	}
	pending_done(KIND_file_xattr);
	return 0;
}

SEC("?fentry/vfs_setxattr")
int PROGRAM_CTX(setxattr_enter)
{
	bool old = settings.nargs[NARGS_SETXATTR] == 5;

	change_begin(KIND_file_xattr, NULL, (void *)ARGUMENT_AFTER(ctx, 0, old));
	return 0;
}

SEC("?fexit/vfs_setxattr")
int PROGRAM_CTX(setxattr_exit)
{
	bool old = settings.nargs[NARGS_SETXATTR] == 5;

	return after_setxattr((void *)ARGUMENT_AFTER(ctx, 0, old),
			      (void *)ARGUMENT_AFTER(ctx, 1, old),
			      (void *)argument_untyped(ctx, old ? 2 : 3),
			      ARGUMENT_AFTER(ctx, 3, old), ARGUMENT_AFTER(ctx, 5, old));
}

SEC("?fentry/vfs_removexattr")
int PROGRAM_CTX(removexattr_enter)
{
	bool old = settings.nargs[NARGS_REMOVEXATTR] == 2;

	change_begin(KIND_file_xattr, NULL, (void *)ARGUMENT_AFTER(ctx, 0, old));
	return 0;
}

SEC("?fexit/vfs_removexattr")
int PROGRAM_CTX(removexattr_exit)
{
	bool old = settings.nargs[NARGS_REMOVEXATTR] == 2;

	return after_removexattr((void *)ARGUMENT_AFTER(ctx, 0, old),
				 (void *)ARGUMENT_AFTER(ctx, 1, old), ARGUMENT_AFTER(ctx, 2, old),
				 HOOK_removexattr_exit);
}

/* ACLs have functions of their own from 6.2 on (318e66856dde). */
SEC("?fentry/vfs_set_acl")
int PROGRAM(set_acl_enter, void *idmap, struct dentry *dentry)
{
	change_begin(KIND_file_xattr, NULL, dentry);
	return 0;
}

/* As getxattr(2) would have it: a version, then 8 bytes for each entry. */
static __always_inline void append_acl(struct slot *slot, struct xattr_record *rec,
				       struct posix_acl *acl)
{
	__u32 count = READ(acl, a_count), len, version = ACL_HEADER;
	void *to = append_at(slot, &rec->value, RECORD_PATH_MAX);

	if (!acl || !to)
		return;
	if (count > RECORD_XATTR_MAX / ACL_ENTRY)
		count = RECORD_XATTR_MAX / ACL_ENTRY;
	rec->size = sizeof(version) + READ(acl, a_count) * ACL_ENTRY;
	len = count * ACL_ENTRY;
	barrier_var(len);
	if (len > RECORD_XATTR_MAX)
		return;
	__builtin_memcpy(to, &version, sizeof(version));
	if (bpf_probe_read_kernel(to + sizeof(version), len,
				  (void *)acl + bpf_core_field_offset(acl->a_entries)))
		return;
	rec->value.total = rec->size;
	append_done(slot, &rec->value, sizeof(version) + len);
}

SEC("?fexit/vfs_set_acl")
int PROGRAM(set_acl_exit, void *idmap, struct dentry *dentry, const char *name,
	    struct posix_acl *acl, int result)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_xattr, dentry, &ours);
	struct slot *slot;

	if (!ours)
		return 0;
	slot = xattr_fill(p, dentry, name, HOOK_set_acl_exit);
	if (slot) {
		append_acl(slot, (void *)slot->data, acl);
		record_end(slot, result, LANE_OF_file_xattr);
	}
	pending_done(KIND_file_xattr);
	return 0;
}

SEC("?fentry/vfs_remove_acl")
int PROGRAM(remove_acl_enter, void *idmap, struct dentry *dentry)
{
	change_begin(KIND_file_xattr, NULL, dentry);
	return 0;
}

SEC("?fexit/vfs_remove_acl")
int PROGRAM(remove_acl_exit, void *idmap, struct dentry *dentry, const char *name, int result)
{
	return after_removexattr(dentry, name, result, HOOK_remove_acl_exit);
}

/* ---- flags (chattr); before 5.13 every file system has code of its own: 4c5b47997521 */

SEC("?fentry/vfs_fileattr_set")
int PROGRAM(fileattr_enter, void *idmap, struct dentry *dentry)
{
	struct pending *p = change_begin(KIND_file_flags, NULL, dentry);

	if (p)
		p->old[0] = inode_flags(READ(dentry, d_inode));
	return 0;
}

SEC("?fexit/vfs_fileattr_set")
int PROGRAM(fileattr_exit, void *idmap, struct dentry *dentry, void *attr, int result)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_flags, dentry, &ours);
	struct file_kattr *named = attr;
	struct fileattr *first = attr;
	struct flags_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(KIND_file_flags, HOOK_fileattr_exit, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	change_file(slot, &rec->file, p, dentry);
	if (bpf_core_field_exists(named->flags)) {
		rec->flags = READ(named, flags);
		rec->extended = READ(named, fsx_xflags);
	} else {
		rec->flags = READ(first, flags);
		rec->extended = READ(first, fsx_xflags);
	}
	if (p) {
		rec->old_known = 1;
		rec->old_flags = p->old[0];
	}
	record_end(slot, result, LANE_OF_file_flags);
done:
	pending_done(KIND_file_flags);
	return 0;
}

/* ---- length */

static __always_inline int before_truncate(struct vfsmount *mnt, struct dentry *dentry)
{
	struct pending *p = change_begin(KIND_file_truncate, mnt, dentry);

	if (p)
		p->old[0] = READ(dentry, d_inode, i_size);
	return 0;
}

static __always_inline int after_truncate(struct dentry *dentry, __u64 length, int result,
					  __u32 hook)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_truncate, dentry, &ours);
	struct truncate_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(KIND_file_truncate, hook, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	change_file(slot, &rec->file, p, dentry);
	rec->length = length;
	if (p) {
		rec->old_known = 1;
		rec->old_length = p->old[0];
	}
	record_end(slot, result, LANE_OF_file_truncate);
done:
	pending_done(KIND_file_truncate);
	return 0;
}

SEC("?fentry/vfs_truncate")
int PROGRAM(truncate_enter, struct path *path)
{
	return before_truncate(READ(path, mnt), READ(path, dentry));
}

SEC("?fexit/vfs_truncate")
int PROGRAM(truncate_exit, struct path *path, __s64 length, long result)
{
	return after_truncate(READ(path, dentry), length, result, HOOK_truncate_exit);
}

/* With a file it is ftruncate(2), or the end of an open that said O_TRUNC. */
static __always_inline struct file *truncated_file(__u64 *ctx, bool old)
{
	return ARGUMENT_AFTER(ctx, 2, old) & ATTR_OPEN ? NULL : (void *)ARGUMENT_AFTER(ctx, 3, old);
}

SEC("?fentry/do_truncate")
int PROGRAM_CTX(ftruncate_enter)
{
	bool old = settings.nargs[NARGS_TRUNCATE] == 4;
	struct file *file = truncated_file(ctx, old);

	return file ? before_truncate(READ(file, f_path.mnt), (void *)ARGUMENT_AFTER(ctx, 0, old))
		    : 0;
}

SEC("?fexit/do_truncate")
int PROGRAM_CTX(ftruncate_exit)
{
	bool old = settings.nargs[NARGS_TRUNCATE] == 4;

	if (!truncated_file(ctx, old))
		return 0;
	return after_truncate((void *)ARGUMENT_AFTER(ctx, 0, old), ARGUMENT_AFTER(ctx, 1, old),
			      ARGUMENT_AFTER(ctx, 4, old), HOOK_ftruncate_exit);
}

/* ---- times */

static __always_inline void times_asked(struct times_record *rec, const struct timespec64 *asked)
{
	struct timespec64 at = {};

	if (asked)
		bpf_core_read(&at, sizeof(at), asked);
	else
		at.tv_nsec = UTIME_NOW;
	rec->now |= at.tv_nsec == UTIME_NOW ? TIME_ACCESSED : 0;
	rec->kept |= at.tv_nsec == UTIME_OMIT ? TIME_ACCESSED : 0;
	rec->accessed_ns = at.tv_sec * 1000000000ULL + at.tv_nsec;
	if (asked)
		bpf_core_read(&at, sizeof(at), (void *)asked + bpf_core_type_size(*asked));
	rec->now |= at.tv_nsec == UTIME_NOW ? TIME_MODIFIED : 0;
	rec->kept |= at.tv_nsec == UTIME_OMIT ? TIME_MODIFIED : 0;
	rec->modified_ns = at.tv_sec * 1000000000ULL + at.tv_nsec;
}

SEC("?fentry/vfs_utimes")
int PROGRAM(utimes_enter, struct path *path)
{
	struct dentry *dentry = READ(path, dentry);
	struct pending *p = change_begin(KIND_file_times, READ(path, mnt), dentry);
	struct inode *inode = READ(dentry, d_inode);

	if (!p)
		return 0;
	p->old[0] = inode_atime_ns(inode);
	p->old[1] = inode_mtime_ns(inode);
	return 0;
}

SEC("?fexit/vfs_utimes")
int PROGRAM(utimes_exit, struct path *path, struct timespec64 *asked, int result)
{
	struct dentry *dentry = READ(path, dentry);
	bool ours;
	struct pending *p = pending_end(KIND_file_times, dentry, &ours);
	struct inode *inode = READ(dentry, d_inode);
	struct times_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(KIND_file_times, HOOK_utimes_exit, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	change_file(slot, &rec->file, p, dentry);
	times_asked(rec, asked);
	if (!result) { /* as the file system keeps them, and what "now" was */
		rec->accessed_ns = inode_atime_ns(inode);
		rec->modified_ns = inode_mtime_ns(inode);
	}
	if (p) {
		rec->old_known = 1;
		rec->old_accessed_ns = p->old[0];
		rec->old_modified_ns = p->old[1];
	}
	record_end(slot, result, LANE_OF_file_times);
done:
	pending_done(KIND_file_times);
	return 0;
}
