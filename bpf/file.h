/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files, tier 1: the outcome comes from the exit of the kernel's own function,
 * the objects from the security_path_* call before it, which alone knows the
 * mount.  Between the two they wait in `pending` (pending.h); what that call refuses
 * is told at once, since it goes no further.
 */
#pragma once

#define FMODE_WRITE	2
#define FMODE_CREATED	(1 << 20)
#define O_WRONLY	1
#define O_RDWR		2
#define O_CREAT		0100
#define O_TRUNC		01000
#define O_PATH		010000000
#define MAX_ERRNO	4095
#define RENAME_EXCHANGE 2

/*
 * Argument n of the traced function.  In assembly, or the compiler adds up an
 * offset first and loads once, which the verifier does not allow with ctx.
 */
#define ARGUMENT(ctx, n)                                         \
	({                                                       \
		__u64 value_;                                    \
		asm volatile("%[v] = *(u64 *)(%[c] + %[at])"     \
			     : [v] "=r"(value_)                  \
			     : [c] "r"(ctx), [at] "i"(8 * (n))); \
		value_;                                          \
	})

/* An argument that is no pointer to a struct; before 5.11 ctx does not give those away. */
static __always_inline __u64 argument_untyped(__u64 *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), ctx + n);
	return value;
}

/* The result of a function of nargs arguments, which are a constant to the verifier. */
static __always_inline int result_of(__u64 *ctx, __u32 nargs)
{
	switch (nargs) {
	case 2:
		return ARGUMENT(ctx, 2);
	case 3:
		return ARGUMENT(ctx, 3);
	case 4:
		return ARGUMENT(ctx, 4);
	default:
		return ARGUMENT(ctx, 5);
	}
}

/* Argument `old`, which is the next one since an idmap came in front of it (5.12). */
static __always_inline void *argument_after(__u64 *ctx, __u32 old, bool is_old)
{
	if (is_old)
		return (void *)(old == 1 ? ARGUMENT(ctx, 1) : ARGUMENT(ctx, 2));
	return (void *)(old == 1 ? ARGUMENT(ctx, 2) : ARGUMENT(ctx, 3));
}

static __always_inline int after_unlink(struct dentry *dentry, int result, __u32 hook)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_unlink, dentry, &ours);
	struct unlink_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(KIND_file_unlink, hook, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	if (p)
		rec->file = p->file;
	append_file_path(slot, &rec->file, p ? p->mnt : NULL, dentry);
	if (!p)
		rec->file.flags |= FILE_PATH_TRUNCATED;
	record_end(slot, result, LANE_OF_file_unlink);
done:
	pending_done(KIND_file_unlink);
	return 0;
}

static __always_inline int before_unlink(struct path *dir, struct dentry *dentry, int refused,
					 __u32 hook)
{
	struct pending *p = pending_new(KIND_file_unlink, READ(dir, mnt), dentry);

	if (p)
		inode_fill(&p->file, READ(dentry, d_inode), ADDRESS);
	return refused ? after_unlink(dentry, refused, hook) : 0;
}

SEC("?fexit/security_path_unlink")
int PROGRAM(unlink_enter, struct path *dir, struct dentry *dentry, int refused)
{
	return before_unlink(dir, dentry, refused, HOOK_unlink_exit);
}

SEC("?fexit/security_path_rmdir")
int PROGRAM(rmdir_enter, struct path *dir, struct dentry *dentry, int refused)
{
	return before_unlink(dir, dentry, refused, HOOK_rmdir_exit);
}

SEC("?fexit/vfs_unlink")
int PROGRAM_CTX(unlink_exit)
{
	__u32 nargs = settings.nargs[NARGS_UNLINK];

	return after_unlink(argument_after(ctx, 1, nargs == 3), result_of(ctx, nargs),
			    HOOK_unlink_exit);
}

SEC("?fexit/vfs_rmdir")
int PROGRAM_CTX(rmdir_exit)
{
	__u32 nargs = settings.nargs[NARGS_RMDIR];

	return after_unlink(argument_after(ctx, 1, nargs == 2), result_of(ctx, nargs),
			    HOOK_rmdir_exit);
}

static __always_inline void name_fill(struct pending *p, struct dentry *dentry)
{
	__u32 len = READ(dentry, d_name.len);

	if (len > 255)
		len = 255;
	bpf_probe_read_kernel(p->text, len & 255, READ(dentry, d_name.name));
	p->old_name_len = len & 255;
}

static __always_inline void append_old_path(struct slot *slot, struct rename_record *rec,
					    struct pending *p)
{
	struct bytes_ref *ref = &rec->old_path;
	__u32 at, len = p->old_name_len & 255;

	/* both names are on the same mount, or rename fails with EXDEV */
	rec->old_path_flags = append_path(slot, ref, p->mnt, p->old_dir);
	if (!ref->len)
		return;
	at = ref->off + ref->len;
	barrier_var(at);
	at &= RECORD_BYTES_MAX - 1;
	if (ref->len > 1) {
		slot->data[at] = '/';
		at++;
		ref->len++;
	}
	bpf_probe_read_kernel(slot->data + at, len, p->text);
	ref->len += len;
	ref->total = ref->len;
	slot->used = (at + len + 7) & ~7u;
}

/* What came into a watched place, or left one, is watched. */
static __always_inline void watch_moved(struct pending *p, struct dentry *moved,
					struct dentry *other)
{
	struct inode *inode = READ(moved, d_inode);
	struct dentry *old_dir = p ? p->old_dir : NULL;
	struct watch *from = old_dir ? watch_find(READ(old_dir, d_inode)) : NULL;

	if (!watch_line(moved, true) && from && from->line)
		watch_add_below(inode, from->line);
	if (p && p->flags & RENAME_EXCHANGE)
		watch_line(other, true);
}

static __always_inline int after_rename(struct dentry *old_dentry, struct dentry *new_dentry,
					int result)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_rename, old_dentry, &ours);
	struct rename_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(KIND_file_rename, HOOK_rename_exit, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	if (p) {
		rec->file = p->file;
		rec->replaced = p->replaced;
		rec->flags = p->flags;
		append_old_path(slot, rec, p);
	} else {
		inode_fill(&rec->file, READ(old_dentry, d_inode), ADDRESS);
		rec->file.flags |= FILE_PATH_TRUNCATED;
	}
	if (!result)
		watch_moved(p, old_dentry, new_dentry);
	/* a rename that was done has moved the old dentry to the new name */
	append_file_path(slot, &rec->file, p ? p->mnt : NULL, result ? new_dentry : old_dentry);
	record_end(slot, result, LANE_OF_file_rename);
done:
	pending_done(KIND_file_rename);
	return 0;
}

SEC("?fexit/security_path_rename")
int PROGRAM(rename_enter, struct path *old_dir, struct dentry *old_dentry, struct path *new_dir,
	    struct dentry *new_dentry, unsigned int flags, int refused)
{
	struct pending *p = pending_new(KIND_file_rename, READ(new_dir, mnt), old_dentry);

	if (!p)
		return refused ? after_rename(old_dentry, new_dentry, refused) : 0;
	p->old_dir = READ(old_dir, dentry);
	p->flags = flags;
	name_fill(p, old_dentry);
	inode_fill(&p->file, READ(old_dentry, d_inode), ADDRESS);
	inode_fill(&p->replaced, READ(new_dentry, d_inode), ADDRESS);
	return refused ? after_rename(old_dentry, new_dentry, refused) : 0;
}

SEC("?fexit/vfs_rename")
int PROGRAM_CTX(rename_exit)
{
	if (settings.nargs[NARGS_RENAME] == 1) {
		struct renamedata *data = (void *)ARGUMENT(ctx, 0);

		return after_rename(READ(data, old_dentry), READ(data, new_dentry),
				    ARGUMENT(ctx, 1));
	}
	return after_rename((void *)ARGUMENT(ctx, 1), (void *)ARGUMENT(ctx, 3),
			    ARGUMENT(ctx, 6)); /* before 5.12 */
}

/* A file that has a name in a watched place is watched by all its names. */
static __always_inline void watch_linked(struct pending *p, struct dentry *dentry)
{
	if (!p || !watch_line(p->old_dir, false))
		watch_line(dentry, true);
}

static __always_inline int after_link(struct dentry *dentry, const char *target, int result,
				      __u32 hook)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_link, dentry, &ours);
	struct link_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	if (!result && hook == HOOK_link_exit)
		watch_linked(p, dentry);
	slot = record_begin(KIND_file_link, hook, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	inode_fill(&rec->file, READ(dentry, d_inode), ADDRESS);
	append_file_path(slot, &rec->file, p ? p->mnt : NULL, dentry);
	if (!p)
		rec->file.flags |= FILE_PATH_TRUNCATED;
	rec->symbolic = hook == HOOK_symlink_exit;
	if (target)
		append_string(slot, &rec->target, target, false);
	else if (p)
		append_path(slot, &rec->target, p->mnt, p->old_dir);
	record_end(slot, result, LANE_OF_file_link);
done:
	pending_done(KIND_file_link);
	return 0;
}

SEC("?fexit/security_path_link")
int PROGRAM(link_enter, struct dentry *old_dentry, struct path *new_dir, struct dentry *new_dentry,
	    int refused)
{
	struct pending *p = pending_new(KIND_file_link, READ(new_dir, mnt), new_dentry);

	if (p)
		p->old_dir = old_dentry;
	return refused ? after_link(new_dentry, NULL, refused, HOOK_link_exit) : 0;
}

SEC("?fexit/security_path_symlink")
int PROGRAM(symlink_enter, struct path *dir, struct dentry *dentry, const char *target, int refused)
{
	pending_new(KIND_file_link, READ(dir, mnt), dentry);
	return refused ? after_link(dentry, target, refused, HOOK_symlink_exit) : 0;
}

SEC("?fexit/vfs_link")
int PROGRAM_CTX(link_exit)
{
	__u32 nargs = settings.nargs[NARGS_LINK];

	return after_link(argument_after(ctx, 2, nargs == 4), NULL, result_of(ctx, nargs),
			  HOOK_link_exit);
}

SEC("?fexit/vfs_symlink")
int PROGRAM_CTX(symlink_exit)
{
	__u32 nargs = settings.nargs[NARGS_SYMLINK];
	bool old = nargs == 3;

	return after_link(argument_after(ctx, 1, old), argument_after(ctx, 2, old),
			  result_of(ctx, nargs), HOOK_symlink_exit);
}

static __always_inline int before_attr(struct path *path, __u32 kind)
{
	struct pending *p = pending_new(kind, READ(path, mnt), READ(path, dentry));

	if (p)
		inode_fill(&p->file, READ(path, dentry, d_inode), ADDRESS);
	return 0;
}

static __always_inline int after_attr(struct path *path, __u32 kind, __u32 hook, __u32 mode,
				      __u32 uid, __u32 gid, int result)
{
	struct dentry *dentry = READ(path, dentry);
	bool ours;
	struct pending *p = pending_end(kind, dentry, &ours);
	struct attr_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(kind, hook, 1, sizeof(*rec));
	if (!slot)
		goto done;
	rec = (void *)slot->data;
	inode_fill(&rec->file, READ(dentry, d_inode), ADDRESS);
	append_file_path(slot, &rec->file, READ(path, mnt), dentry);
	rec->mode = mode;
	rec->uid = uid;
	rec->gid = gid;
	if (p) {
		rec->old_known = 1;
		rec->old_mode = p->file.mode & 07777;
		rec->old_uid = p->file.uid;
		rec->old_gid = p->file.gid;
	}
	record_end(slot, result, LANE_OF_file_mode);
done:
	pending_done(kind);
	return 0;
}

SEC("?fentry/chmod_common")
int PROGRAM(chmod_enter, struct path *path)
{
	return before_attr(path, KIND_file_mode);
}

SEC("?fexit/chmod_common")
int PROGRAM(chmod_exit, struct path *path, umode_t mode, int result)
{
	return after_attr(path, KIND_file_mode, HOOK_chmod_exit, mode & 07777, 0, 0, result);
}

SEC("?fentry/chown_common")
int PROGRAM(chown_enter, struct path *path)
{
	return before_attr(path, KIND_file_owner);
}

SEC("?fexit/chown_common")
int PROGRAM(chown_exit, struct path *path, __u32 uid, __u32 gid, int result)
{
	return after_attr(path, KIND_file_owner, HOOK_chown_exit, 0, uid, gid, result);
}
