/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of the kernel, written through /proc/sys: which, and the text that was written. */
#pragma once

#define PROC_SUPER_MAGIC 0x9fa0

struct sysctl_value {
	__u32 len, total;
	__u8 bytes[SYSCTL_VALUE_MAX];
};

/* By thread, from the handler's entry to its exit: it uses up the bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct sysctl_value);
} sysctl_before SEC(".maps");

/* What the setting is now, whatever the writer's memory says it wrote: the table's own data. */
static __always_inline void append_setting(struct slot *slot, struct sysctl_record *rec,
					   struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	struct proc_inode *proc =
		(void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	struct ctl_table *table = READ(proc, sysctl_entry);
	void *data = READ(table, data), *to = append_at(slot, &rec->data, SYSCTL_VALUE_MAX);
	__u32 len = READ(table, maxlen);

	if (len > SYSCTL_VALUE_MAX)
		len = SYSCTL_VALUE_MAX;
	barrier_var(len);
	if (!to || !data || !len || len > SYSCTL_VALUE_MAX)
		return;
	if (!bpf_probe_read_kernel(to, len, data))
		append_done(slot, &rec->data, len);
}

/* A value of `total` bytes, `len` of them at `from`: in user memory, or copied from there before.
 */
static __always_inline int on_sysctl(struct call *call, struct file *file, const void *from,
				     __u32 len, __u32 total, bool user)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	struct sysctl_record *rec;
	struct slot *slot;
	void *to;

	if (tier_of(KIND_sysctl) != call->tier)
		return 0;
	if (!is_privileged()) { /* of a namespace of its own */
		attempt(call, KIND_sysctl, 0, dentry);
		return 0;
	}
	slot = call_begin(call, KIND_sysctl, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	append_path(slot, &rec->path, NULL, dentry);
	to = append_at(slot, &rec->value, RECORD_PATH_MAX);
	barrier_var(len);
	if (to && len && len <= SYSCTL_VALUE_MAX &&
	    !(user ? bpf_probe_read_user(to, len, from) : bpf_probe_read_kernel(to, len, from)))
		append_done(slot, &rec->value, len);
	rec->value.total = total;
	append_setting(slot, rec, file);
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_sysctl);
}

static __always_inline __u32 sysctl_len(__u32 total)
{
	return total < SYSCTL_VALUE_MAX ? total : SYSCTL_VALUE_MAX;
}

#define EMPTY_MAX 8 /* pieces without a byte that may stand before the first one */

/* The first piece of what is written in user memory that has any bytes, and how many; NULL: it
 * comes from elsewhere. */
static __always_inline void *iter_begin(struct iov_iter *iter, __u64 *len)
{
	struct iov_iter___v60 *v60 = (void *)iter;
	struct iov_iter___v64 *v64 = (void *)iter;
	__u64 offset = READ(iter, iov_offset);
	struct iovec *iov;
	struct {
		void *base;
		__u64 len;
	} piece = {};

	*len = READ(iter, count);
	if (iter_is(iter, ITER_UBUF))
		return READ(v60, ubuf) + offset;
	if (!iter_is(iter, ITER_IOVEC))
		return NULL;
	iov = bpf_core_field_exists(v64->__iov) ? READ(v64, __iov) : READ(iter, iov);
	for (int i = 0; i < EMPTY_MAX; i++) {
		bpf_probe_read_kernel(&piece, sizeof(piece), iov + i);
		if (piece.len > offset)
			break;
		offset = 0;
	}
	if (piece.len <= offset)
		return NULL;
	if (piece.len - offset < *len)
		*len = piece.len - offset;
	return piece.base + offset;
}

SEC("?fentry/proc_sys_call_handler")
int PROGRAM(sysctl_enter, struct kiocb *iocb, struct iov_iter *iter, int write)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct sysctl_value value = {};
	void *from;
	__u64 len;
	__u32 n;

	if (!write || !in_scope())
		return 0;
	from = iter_begin(iter, &len);
	value.total = READ(iter, count);
	n = sysctl_len(len);
	barrier_var(n);
	if (from && n <= SYSCTL_VALUE_MAX && !bpf_probe_read_user(value.bytes, n, from))
		value.len = n;
	bpf_map_update_elem(&sysctl_before, &who, &value, BPF_ANY);
	return 0;
}

SEC("?fexit/proc_sys_call_handler")
int PROGRAM(sysctl_exit, struct kiocb *iocb, struct iov_iter *iter, int write, long result)
{
	struct call call = {.result = result, .hook = HOOK_sysctl_exit, .tier = 1};
	__u64 who = bpf_get_current_pid_tgid();
	struct sysctl_value *value;

	if (!write || !in_scope() || tier_of(KIND_sysctl) != call.tier)
		return 0;
	value = bpf_map_lookup_elem(&sysctl_before, &who);
	if (!value) {
		record_missed(is_privileged() ? KIND_sysctl : KIND_kernel_attempt);
		return 0;
	}
	on_sysctl(&call, READ(iocb, ki_filp), value->bytes, value->len, value->total, false);
	bpf_map_delete_elem(&sysctl_before, &who);
	return 0;
}

/* Tier 2 sees write(2) of processes that opened a setting for writing. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} sysctl_writers SEC(".maps");

static __always_inline bool is_sysctl(struct file *file)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	char name[4] = {};

	if (READ(file, f_inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return false;
	for (int i = 0; i < 8; i++) { /* the one below the root says what it is */
		struct dentry *up = READ(dentry, d_parent);

		if (READ(up, d_parent) == up)
			break;
		dentry = up;
	}
	bpf_probe_read_kernel_str(name, sizeof(name), READ(dentry, d_name.name));
	return name[0] == 's' && name[1] == 'y' && name[2] == 's' && !name[3];
}

/* A file was opened for writing. */
static __always_inline void sysctl_note(struct file *file)
{
	struct control *c = control_get();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, one = 1;

	if (!c || c->tiers[KIND_sysctl] != 2 || !is_sysctl(file))
		return;
	bpf_map_update_elem(&sysctl_writers, &tgid, &one, BPF_ANY);
	c->sysctl_opened = 1;
}

static __always_inline bool sysctl_writer(const struct control *c)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return c->sysctl_opened && bpf_map_lookup_elem(&sysctl_writers, &tgid);
}

static __noinline int tap_sysctl(struct call *call)
{
	struct file *file = file_of_fd(call->arg[0]);

	if (!file || !is_sysctl(file))
		return 0;
	return on_sysctl(call, file, (void *)call->arg[1], sysctl_len(call->arg[2]), call->arg[2],
			 true);
}
