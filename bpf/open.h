/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files opened, tier 1: made, opened for writing, or watched and opened for
 * reading.  The last is what costs opens that nobody wants to know of: a look at
 * the file's inode number and at its directory's (watch.h).
 */
#pragma once

#define EACCES 13

static __always_inline bool is_watching(void)
{
	struct control *c = control_get();

	return c && c->watch.active;
}

/* Which class an open is of, if any; file NULL: it failed. */
static __always_inline __u32 open_kind(struct file *file, enum pointer how, __u32 flags,
				       long result, __u32 *watch)
{
	__u32 mode = file ? GET(how, file, f_mode) : 0;
	bool created = mode & FMODE_CREATED, writes = mode & FMODE_WRITE || flags & O_TRUNC;
	struct dentry *dentry;

	if (!file) {
		if (flags & (O_WRONLY | O_RDWR | O_TRUNC))
			return KIND_file_open;
		return result == -EACCES || result == -EPERM ? KIND_file_read : 0;
	}
	if (flags & O_PATH && !created) {
		watch_enrol((void *)address_number(file));
		return 0;
	}
	if (!writes && !created && is_off(KIND_file_read))
		return 0;
	dentry = GET(how, file, f_path.dentry);
	if (is_watching() && (created || watch_may(dentry, how)))
		*watch = watch_line((void *)address_number(dentry), created);
	if (created)
		return KIND_file_create;
	if (writes)
		return KIND_file_open;
	return *watch ? KIND_file_read : 0;
}

static __always_inline bool is_error(const void *at)
{
	return (unsigned long)at >= (unsigned long)-MAX_ERRNO;
}

/* name: where it failed */
static __always_inline int on_open(struct file *file, __u32 flags, int dfd, const char *name,
				   __u32 hook)
{
	bool failed = is_error(file);
	__u32 watch = 0, kind;
	struct open_record *rec;
	struct slot *slot;

	/* what security_path_mknod noted of a file that was to be made */
	if (flags & O_CREAT && (failed || file->f_mode & FMODE_CREATED))
		pending_done(KIND_file_make);
	kind = failed ? open_kind(NULL, TYPED, flags, (long)file, &watch)
		      : open_kind(file, TYPED, flags, 0, &watch);
	if (!kind)
		return 0;
	if (!failed)
		activity_begin((void *)address_number(file), watch);
	slot = record_begin(kind, hook, 1, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->flags = flags;
	rec->watch = watch;
	rec->by_handle = hook == HOOK_open_root_exit && !name;
	if (!failed)
		file_fill(slot, &rec->file, file, TYPED);
	else if (name)
		append_asked(slot, &rec->file, dfd, name, false);
	return record_end(slot, failed ? (long)file : 0, LANE_OF_file_open);
}

SEC("?fexit/do_filp_open")
int PROGRAM(open_exit, int dfd, struct filename *name, struct open_flags *op, struct file *file)
{
	return on_open(file, op->open_flag, dfd, is_error(file) ? READ(name, name) : NULL,
		       HOOK_open_exit);
}

SEC("?fexit/do_file_open") /* its name from 7.0 on */
int PROGRAM(open_exit_v7, int dfd, struct filename *name, struct open_flags *op, struct file *file)
{
	return on_open(file, op->open_flag, dfd, is_error(file) ? READ(name, name) : NULL,
		       HOOK_open_exit_v7);
}

/* open_by_handle_at(2), which gives an empty name, and what the kernel opens for itself. */
SEC("?fexit/do_file_open_root")
int PROGRAM_CTX(open_root_exit)
{
	bool old = settings.nargs[NARGS_OPEN_ROOT] == 4; /* dentry and mount apart, before 5.14 */
	struct open_flags *op = (void *)(old ? ARGUMENT(ctx, 3) : ARGUMENT(ctx, 2));
	struct file *file = (void *)(old ? ARGUMENT(ctx, 4) : ARGUMENT(ctx, 3));
	const char *name = (void *)argument_untyped(ctx, old ? 2 : 1);
	char first = 0;

	bpf_probe_read_kernel(&first, 1, name);
	return on_open(file, READ(op, open_flag), AT_FDCWD, first ? name : NULL,
		       HOOK_open_root_exit);
}
