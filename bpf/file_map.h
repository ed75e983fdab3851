/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files mapped so that memory writes go to them, which no write(2) tells.  A
 * mapping that may only be read now counts as well when the file is open for
 * writing: mprotect(2) would do the rest.
 */
#pragma once

#define MAP_TYPE	    0xf
#define MAP_SHARED	    1
#define MAP_SHARED_VALIDATE 3

static __always_inline bool map_writes(__u64 flags)
{
	__u32 type = flags & MAP_TYPE;

	return type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
}

static __always_inline int on_map(struct file *file, __u64 length, __u32 protection, __u32 flags,
				  __u64 result, __u32 hook, __u32 tier)
{
	struct map_record *rec;
	struct slot *slot;

	if (!(READ(file, f_mode) & FMODE_WRITE) ||
	    (READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG ||
	    READ(file, f_path.mnt, mnt_flags) & MNT_INTERNAL)
		return 0;
	slot = record_begin(KIND_file_map, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	file_fill(slot, &rec->file, file, ADDRESS);
	rec->length = length;
	rec->protection = protection;
	rec->flags = flags;
	return record_end(slot, result >= (__u64)-MAX_ERRNO ? (int)result : 0, LANE_OF_file_map);
}

SEC("?fexit/vm_mmap_pgoff")
int PROGRAM(mmap_exit, struct file *file, unsigned long address, unsigned long length,
	    unsigned long protection, unsigned long flags, unsigned long offset,
	    unsigned long result)
{
	if (!file || !map_writes(flags))
		return 0;
	return on_map(file, length, protection, flags, result, HOOK_mmap_exit, 1);
}

/* A function that is verified once, whatever calls it: with arguments that are numbers. */
__noinline int tap_shared(__u32 fd, __u64 length, __u32 protection, __u32 flags, __u64 result)
{
	struct file *file = map_writes(flags) ? file_of_fd(fd) : NULL;

	return file ? on_map(file, length, protection, flags, result, HOOK_tap, 2) : 0;
}
