/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one hook notes for the next one of the same thread: objects that only the
 * first knows, and what was before.  One entry for each thread and operation, so
 * that operations within others leave each other's alone.
 */
#pragma once

#define OVERLAYFS_MAGIC	  0x794c7630
#define NR_IO_URING_ENTER 426 /* in every table */

struct pending {
	struct vfsmount *mnt;
	struct dentry *dentry;	  /* what the exit is matched by */
	struct dentry *old_dir;	  /* rename */
	struct vfsmount *from;	  /* mount.h */
	struct file_ref file;	  /* as it is before */
	struct file_ref replaced; /* rename */
	__u64 old[2];		  /* change.h */
	__u32 old_name_len;
	__u32 flags;
	char text[RECORD_NAME_MAX]; /* rename: old name; symlink: target */
};

struct pending_key {
	__u64 thread;
	__u32 what; /* enum kind; mount.h: enum hook_id of the exit */
	__u32 pad;
};

#define PENDING(name, entries)                       \
	struct {                                     \
		__uint(type, BPF_MAP_TYPE_LRU_HASH); \
		__uint(max_entries, entries);        \
		__type(key, struct pending_key);     \
		__type(value, struct pending);       \
	} name SEC(".maps")

PENDING(pending, 2048);
PENDING(pending_mounts, 256); /* which no flood of files pushes out */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pending);
} pending_zero SEC(".maps");

static __always_inline struct pending *pending_get_in(void *map, __u32 what)
{
	struct pending_key key = {.thread = bpf_get_current_pid_tgid(), .what = what};

	return bpf_map_lookup_elem(map, &key);
}

static __always_inline struct pending *pending_new_in(void *map, __u32 what, struct vfsmount *mnt,
						      struct dentry *dentry)
{
	struct pending_key key = {.thread = bpf_get_current_pid_tgid(), .what = what};
	__u32 zero = 0;
	struct pending *p = bpf_map_lookup_elem(&pending_zero, &zero);

	if (!p || bpf_map_update_elem(map, &key, p, BPF_ANY))
		return NULL;
	p = bpf_map_lookup_elem(map, &key);
	if (!p)
		return NULL;
	p->mnt = mnt;
	p->dentry = dentry;
	return p;
}

static __always_inline void pending_done_in(void *map, __u32 what)
{
	struct pending_key key = {.thread = bpf_get_current_pid_tgid(), .what = what};

	bpf_map_delete_elem(map, &key);
}

static __always_inline struct pending *pending_new(__u32 kind, struct vfsmount *mnt,
						   struct dentry *dentry)
{
	return pending_new_in(&pending, kind, mnt, dentry);
}

static __always_inline void pending_done(__u32 kind)
{
	pending_done_in(&pending, kind);
}

/*
 * An overlay file system works on its layers by the same functions, within the
 * outer call or a copy that this call makes necessary, and with the credentials of
 * who mounted it.  Only a ring of io_uring gives its caller others as well; there
 * the outer call must be waiting.
 */
static __always_inline bool is_inner(struct pending *p, struct dentry *dentry)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct dentry *outer = p ? p->dentry : NULL;

	if (READ(task, cred) == READ(task, real_cred))
		return false;
	if (outer && READ(outer, d_sb, s_magic) == OVERLAYFS_MAGIC &&
	    READ(outer, d_sb) != READ(dentry, d_sb))
		return true;
	if (READ(task, flags) & (PF_KTHREAD | PF_IO_WORKER))
		return false;
	return call_number(current_regs()) != NR_IO_URING_ENTER;
}

/* Where entry and exit are of the same function; NULL where the call is an inner one. */
static __always_inline struct pending *pending_begin(__u32 kind, struct vfsmount *mnt,
						     struct dentry *dentry)
{
	if (is_inner(pending_get_in(&pending, kind), dentry))
		return NULL;
	return pending_new(kind, mnt, dentry);
}

/* What waits for this call, if anything does; *ours is false when the call is an inner one. */
static __always_inline struct pending *pending_end(__u32 kind, struct dentry *dentry, bool *ours)
{
	struct pending *p = pending_get_in(&pending, kind);

	*ours = true;
	if (p && p->dentry == dentry)
		return p;
	*ours = !is_inner(p, dentry);
	return NULL;
}
