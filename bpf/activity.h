/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was done with an open file, from open to close: off unless asked for, since
 * every read and write of the machine pays a look at the table.  In it are regular
 * files that are watched or open for writing; who opened them put them there
 * (open.h).
 */
#pragma once

struct activity {
	struct inode *inode; /* of whom the table's key, an address, is */
	struct process_key opener;
	__u64 opened_ns;
	__u64 bytes_read, bytes_written;
	__u64 reads, writes;
	__u32 watch;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* as many as wanted where the class is on */
	__type(key, __u64);
	__type(value, struct activity);
} activities SEC(".maps");

static __always_inline void activity_begin(struct file *file, __u32 watch)
{
	struct activity activity = {.watch = watch};
	__u64 key = (__u64)file;
	struct ledger_cell *cell;

	if (tier_of(KIND_file_close) != 1 || !in_scope())
		return;
	activity.inode = READ(file, f_inode);
	if ((READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
		return;
	key_fill(&activity.opener, (void *)bpf_get_current_task(), ADDRESS);
	activity.opened_ns = bpf_ktime_get_boot_ns();
	if (!bpf_map_update_elem(&activities, &key, &activity, BPF_ANY))
		return;
	cell = ledger_cell(KIND_file_close); /* a close that will not be told */
	if (cell) {
		count(&cell->seen);
		count(&cell->lost_scratch);
	}
}

static __always_inline struct activity *activity_of(struct file *file)
{
	__u64 key = (__u64)file;
	struct activity *a = bpf_map_lookup_elem(&activities, &key);

	return a && a->inode == READ(file, f_inode) ? a : NULL;
}

static __always_inline int on_read(struct file *file, long result)
{
	struct activity *a = result >= 0 ? activity_of(file) : NULL;

	if (!a)
		return 0;
	__sync_fetch_and_add(&a->bytes_read, result);
	__sync_fetch_and_add(&a->reads, 1);
	return 0;
}

static __always_inline int on_written(struct file *file, long result)
{
	struct activity *a = result >= 0 ? activity_of(file) : NULL;

	if (!a)
		return 0;
	__sync_fetch_and_add(&a->bytes_written, result);
	__sync_fetch_and_add(&a->writes, 1);
	return 0;
}

SEC("?fexit/vfs_read")
int BPF_PROG(read_count, struct file *file, char *to, unsigned long size, void *pos, long result)
{
	return on_read(file, result);
}

SEC("?fexit/vfs_write")
int BPF_PROG(write_count, struct file *file, char *from, unsigned long size, void *pos, long result)
{
	return on_written(file, result);
}

SEC("?fexit/vfs_readv")
int BPF_PROG(readv_count, struct file *file, void *to, unsigned long n, void *pos, int flags,
	     long result)
{
	return on_read(file, result);
}

SEC("?fexit/vfs_writev")
int BPF_PROG(writev_count, struct file *file, void *from, unsigned long n, void *pos, int flags,
	     long result)
{
	return on_written(file, result);
}

SEC("?fexit/vfs_copy_file_range")
int BPF_PROG(copy_count, struct file *in, __s64 from, struct file *out, __s64 to,
	     unsigned long size, unsigned int flags, long result)
{
	on_read(in, result);
	return on_written(out, result);
}

/* sendfile(2) */
SEC("?fexit/do_splice_direct")
int BPF_PROG(splice_count, struct file *in, void *from, struct file *out, void *to,
	     unsigned long size, unsigned int flags, long result)
{
	on_read(in, result);
	return on_written(out, result);
}

/* At the beginning of __fput(), whoever let go of the file last; that one may be inlined. */
SEC("?fentry/locks_remove_file")
int PROGRAM(close_enter, struct file *file)
{
	struct activity *a = activity_of(file);
	__u64 key = (__u64)file;
	struct close_record *rec;
	struct slot *slot;

	if (!a)
		return 0;
	slot = record_begin(KIND_file_close, HOOK_close_enter, 1, sizeof(*rec));
	if (slot) {
		rec = (void *)slot->data;
		rec->opener = a->opener;
		rec->opened_ns = a->opened_ns;
		rec->bytes_read = a->bytes_read;
		rec->bytes_written = a->bytes_written;
		rec->reads = a->reads;
		rec->writes = a->writes;
		rec->watch = a->watch;
		file_fill(slot, &rec->file, file, ADDRESS);
		record_end(slot, 0, LANE_OF_file_close);
	}
	bpf_map_delete_elem(&activities, &key);
	return 0;
}
