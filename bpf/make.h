/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files made without being opened, tier 1: mkdir, mknod, and the socket that
 * bind(2) makes.  The mount comes from the security_path_* call before, as in file.h.
 */
#pragma once

#define S_IFDIR 0040000

static __always_inline int after_make(struct dentry *dentry, __u32 mode, __u32 special, int result,
				      __u32 hook)
{
	bool ours;
	struct pending *p = pending_end(KIND_file_make, dentry, &ours);
	struct make_record *rec;
	struct slot *slot;

	if (!ours)
		return 0;
	slot = record_begin(KIND_file_make, hook, 1, sizeof(*rec));
	if (slot) {
		rec = (void *)slot->data;
		change_file(slot, &rec->file, p, dentry);
		rec->mode = mode;
		rec->special = special;
		record_end(slot, result, LANE_OF_file_make);
	}
	pending_done(KIND_file_make);
	return 0;
}

SEC("?fexit/security_path_mkdir")
int PROGRAM(mkdir_enter, struct path *dir, struct dentry *dentry, umode_t mode, int refused)
{
	pending_new(KIND_file_make, READ(dir, mnt), dentry);
	return refused ? after_make(dentry, S_IFDIR | mode, 0, refused, HOOK_mkdir_exit) : 0;
}

/* Also called for files that open(2) makes, see on_open(), which tells it when they are refused. */
SEC("?fexit/security_path_mknod")
int PROGRAM(mknod_enter, struct path *dir, struct dentry *dentry, umode_t mode, unsigned int device,
	    int refused)
{
	pending_new(KIND_file_make, READ(dir, mnt), dentry);
	if (!refused || ((mode & S_IFMT) == S_IFREG &&
			 !is_mknod(call_number(current_regs()), current_is_compat())))
		return 0;
	return after_make(dentry, mode, device, refused, HOOK_mknod_exit);
}

/*
 * Argument n, the result of a function that returns an int or, since 6.15
 * (88d5baf69082), a dentry, with which the verifier lets nobody calculate: 0 or
 * -errno.
 */
static __always_inline int result_or_pointer(__u64 *ctx, __u32 n)
{
	__u64 value = argument_untyped(ctx, n);
	__u32 high = value >> 32;
	int low = value;

	return low < 0 && low >= -MAX_ERRNO && (!high || high == ~0u) ? low : 0;
}

SEC("?fexit/vfs_mkdir")
int PROGRAM_CTX(mkdir_exit)
{
	switch (settings.nargs[NARGS_MKDIR]) {
	case 3:
		return after_make((void *)ARGUMENT(ctx, 1), S_IFDIR | (__u16)ARGUMENT(ctx, 2), 0,
				  ARGUMENT(ctx, 3), HOOK_mkdir_exit);
	case 4:
		return after_make((void *)ARGUMENT(ctx, 2), S_IFDIR | (__u16)ARGUMENT(ctx, 3), 0,
				  result_or_pointer(ctx, 4), HOOK_mkdir_exit);
	default:
		return after_make((void *)ARGUMENT(ctx, 2), S_IFDIR | (__u16)ARGUMENT(ctx, 3), 0,
				  result_or_pointer(ctx, 5), HOOK_mkdir_exit);
	}
}

SEC("?fexit/vfs_mknod")
int PROGRAM_CTX(mknod_exit)
{
	__u32 nargs = settings.nargs[NARGS_MKNOD];

	if (nargs == 4)
		return after_make((void *)ARGUMENT(ctx, 1), (__u16)ARGUMENT(ctx, 2),
				  ARGUMENT(ctx, 3), ARGUMENT(ctx, 4), HOOK_mknod_exit);
	return after_make((void *)ARGUMENT(ctx, 2), (__u16)ARGUMENT(ctx, 3), ARGUMENT(ctx, 4),
			  nargs == 5 ? ARGUMENT(ctx, 5) : ARGUMENT(ctx, 6), HOOK_mknod_exit);
}

/* mknod(2) of a regular file.  The directory went from its arguments when a lease came: 4, 5, 4. */
SEC("?fexit/vfs_create")
int PROGRAM_CTX(vfs_create_exit)
{
	bool dentry_first = settings.nargs[NARGS_CREATE] == 4;

	if (dentry_first)
		return after_make((void *)ARGUMENT(ctx, 1), (__u16)ARGUMENT(ctx, 2), 0,
				  ARGUMENT(ctx, 4), HOOK_vfs_create_exit);
	return after_make((void *)ARGUMENT(ctx, 2), (__u16)ARGUMENT(ctx, 3), 0, ARGUMENT(ctx, 5),
			  HOOK_vfs_create_exit);
}
