/* SPDX-License-Identifier: GPL-2.0 */
/* What the exit tap does for the classes of change.h and make.h: their tier 2. */
#pragma once

#define FS_IOC_SETFLAGS	  0x40086602
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_FSSETXATTR 0x401c5820

/* The file by its descriptor, or by its name as asked. */
static __always_inline void tap_file(struct slot *slot, struct file_ref *to, int dfd,
				     const void *path)
{
	struct file *file;

	if (path) {
		append_asked(slot, to, dfd, path, true);
		return;
	}
	file = file_of_fd(dfd);
	if (file)
		file_fill(slot, to, file, ADDRESS);
}

struct xattr_call {
	int dfd;
	const void *path, *name, *value;
	__u64 size;
	bool removed;
};

static __always_inline int tap_xattr(struct call *call, const struct xattr_call *xattr)
{
	struct slot *slot = call_begin(call, KIND_file_xattr, sizeof(struct xattr_record));
	struct xattr_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	tap_file(slot, &rec->file, xattr->dfd, xattr->path);
	append_string(slot, &rec->name, xattr->name, true);
	rec->size = xattr->size;
	rec->removed = xattr->removed;
	if (!xattr->removed && xattr_is_told(xattr->name, true))
		append_value(slot, &rec->value, xattr->value, xattr->size, true);
	return record_end(slot, call->result, LANE_OF_file_xattr);
}

static __always_inline int tap_any_xattr(struct call *call)
{
	struct xattr_call xattr = {.dfd = AT_FDCWD, .path = (void *)call->arg[0]};
	bool at = call->what == TAP_SETXATTRAT || call->what == TAP_REMOVEXATTRAT;
	struct {
		__u64 value;
		__u32 size, flags;
	} args = {};

	xattr.removed = call->what >= TAP_REMOVEXATTR;
	xattr.name = (void *)call->arg[at ? 3 : 1];
	xattr.value = (void *)call->arg[2];
	xattr.size = xattr.removed ? 0 : call->arg[3];
	if (at || call->what == TAP_FSETXATTR || call->what == TAP_FREMOVEXATTR) {
		xattr.dfd = call->arg[0];
		xattr.path = at ? (void *)call->arg[1] : NULL;
	}
	if (call->what == TAP_SETXATTRAT) {
		bpf_probe_read_user(&args, sizeof(args), (void *)call->arg[4]);
		xattr.value = (void *)args.value;
		xattr.size = args.size;
	}
	return tap_xattr(call, &xattr);
}

/* ioctl: FS_IOC_SETFLAGS has one number, FS_IOC_FSSETXATTR a struct fsxattr that begins with it */
static __always_inline int tap_flags(struct call *call)
{
	bool by_name = call->what == TAP_FILE_SETATTR;
	__u32 request = call->arg[1], value = 0;
	struct flags_record *rec;
	struct slot *slot;

	if (!by_name && request != FS_IOC_SETFLAGS && request != FS_IOC32_SETFLAGS &&
	    request != FS_IOC_FSSETXATTR)
		return 0;
	slot = call_begin(call, KIND_file_flags, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	tap_file(slot, &rec->file, call->arg[0], by_name ? (void *)call->arg[1] : NULL);
	bpf_probe_read_user(&value, sizeof(value), (void *)call->arg[2]);
	if (by_name || request == FS_IOC_FSSETXATTR)
		rec->extended = value;
	else
		rec->flags = value;
	return record_end(slot, call->result, LANE_OF_file_flags);
}

static __always_inline int tap_truncate(struct call *call)
{
	struct slot *slot = call_begin(call, KIND_file_truncate, sizeof(struct truncate_record));
	bool wide = call->what >= TAP_TRUNCATE64;
	bool by_fd = call->what == TAP_FTRUNCATE || call->what == TAP_FTRUNCATE64;
	struct truncate_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	tap_file(slot, &rec->file, by_fd ? (int)call->arg[0] : AT_FDCWD,
		 by_fd ? NULL : (void *)call->arg[0]);
#if defined(__TARGET_ARCH_x86)
	rec->length = wide ? call->arg[2] << 32 | call->arg[1] : call->arg[1];
#else /* 32-bit arm passes 64 bits in an even pair of registers */
	rec->length = wide ? call->arg[3] << 32 | call->arg[2] : call->arg[1];
#endif
	return record_end(slot, call->result, LANE_OF_file_truncate);
}

/* Two times in user memory: words of `width` bytes, the second of each in units of `unit` ns. */
static __always_inline void tap_times_read(struct times_record *rec, const void *from, __u32 width,
					   __u32 unit)
{
	__s64 wide[4] = {};
	__s32 narrow[4] = {};

	if (!from) {
		rec->now = TIME_ACCESSED | TIME_MODIFIED;
		return;
	}
	if (width == 8)
		bpf_probe_read_user(wide, sizeof(wide), from);
	else
		bpf_probe_read_user(narrow, sizeof(narrow), from);
	if (width != 8)
		for (int i = 0; i < 4; i++)
			wide[i] = narrow[i];
	for (int i = 0; i < 2; i++) {
		__u32 which = i ? TIME_MODIFIED : TIME_ACCESSED;
		__s64 part = wide[2 * i + 1];
		__u64 ns = wide[2 * i] * 1000000000ULL + part * unit;

		if (unit == 1 && part == UTIME_NOW)
			rec->now |= which;
		else if (unit == 1 && part == UTIME_OMIT)
			rec->kept |= which;
		else if (i)
			rec->modified_ns = ns;
		else
			rec->accessed_ns = ns;
	}
}

/* utime(2) has whole seconds alone. */
static __always_inline void tap_seconds_read(struct times_record *rec, const void *from,
					     __u32 width)
{
	__s64 wide[2] = {};
	__s32 narrow[2] = {};

	if (!from) {
		rec->now = TIME_ACCESSED | TIME_MODIFIED;
		return;
	}
	bpf_probe_read_user(wide, sizeof(wide), from);
	bpf_probe_read_user(narrow, sizeof(narrow), from);
	rec->accessed_ns = (width == 8 ? wide[0] : narrow[0]) * 1000000000ULL;
	rec->modified_ns = (width == 8 ? wide[1] : narrow[1]) * 1000000000ULL;
}

static __always_inline int tap_times(struct call *call)
{
	struct slot *slot = call_begin(call, KIND_file_times, sizeof(struct times_record));
	bool at = call->what >= TAP_FUTIMESAT, is_32bit;
	const void *path, *times;
	struct times_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	is_32bit = current_is_compat();
	path = (void *)(at ? call->arg[1] : call->arg[0]);
	times = (void *)(at ? call->arg[2] : call->arg[1]);
	tap_file(slot, &rec->file, at ? (int)call->arg[0] : AT_FDCWD, path);
	if (call->what == TAP_UTIME)
		tap_seconds_read(rec, times, is_32bit ? 4 : 8);
	else
		tap_times_read(rec, times, is_32bit && call->what != TAP_UTIMENSAT_TIME64 ? 4 : 8,
			       call->what >= TAP_UTIMENSAT ? 1 : 1000);
	return record_end(slot, call->result, LANE_OF_file_times);
}

/* The device number as mknod(2) has it: 12 bits of major between the two parts of the minor. */
static __always_inline __u32 device_of_user(__u32 device)
{
	return (device >> 8 & 0xfff) << 20 | (device >> 12 & 0xfff00) | (device & 0xff);
}

static __always_inline int tap_make(struct call *call)
{
	struct slot *slot = call_begin(call, KIND_file_make, sizeof(struct make_record));
	bool at = call->what == TAP_MKDIRAT || call->what == TAP_MKNODAT;
	bool node = call->what >= TAP_MKNOD;
	struct make_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	append_asked(slot, &rec->file, at ? (int)call->arg[0] : AT_FDCWD,
		     (void *)(at ? call->arg[1] : call->arg[0]), true);
	rec->mode = (__u16)(at ? call->arg[2] : call->arg[1]);
	if (!node)
		rec->mode = S_IFDIR | (rec->mode & 07777);
	else if (!(rec->mode & S_IFMT))
		rec->mode |= S_IFREG;
	if (node)
		rec->special = device_of_user(at ? call->arg[3] : call->arg[2]);
	return record_end(slot, call->result, LANE_OF_file_make);
}

/* The oldest form passes its arguments in memory. */
static __noinline int tap_mmap(struct call *call)
{
	__u32 args[5] = {call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]};
	__u64 length = call->arg[1];

	if (call->what == TAP_MMAP_OLD) {
		if (bpf_probe_read_user(args, sizeof(args), (void *)call->arg[0]))
			return 0;
		length = args[1];
	}
	if (protection_of(NULL, args[2]) & PROT_EXEC && (__u64)call->result < (__u64)-MAX_ERRNO) {
		if (tapped(KIND_image_load))
			tap_map_image(args[2], args[3], args[4]);
		if (tapped(KIND_memory_exec))
			tap_map_memory(args[2], args[3], args[4]);
	}
	return tapped(KIND_file_map) ? tap_shared(args[4], length, args[2], args[3], call->result)
				     : 0;
}

/* A function of its own in the object, too: in one piece the tap grows into a shape that 5.10
 * takes for an endless loop. */
static __noinline int tap_change(struct call *call)
{
	if (call->what <= TAP_REMOVEXATTRAT)
		return tap_any_xattr(call);
	if (call->what <= TAP_FILE_SETATTR)
		return tap_flags(call);
	if (call->what <= TAP_FTRUNCATE64)
		return tap_truncate(call);
	if (call->what <= TAP_UTIMENSAT_TIME64)
		return tap_times(call);
	return tap_make(call);
}
