/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From kernel objects to the plain structs of include/hinomi/record.h, and the
 * only place that knows how those objects differ between kernels.
 */
#pragma once

const volatile struct settings settings = {};

#define PIDTYPE_TGID	1
#define S_IFMT		0170000
#define S_IFSOCK	0140000
#define S_IFREG		0100000
#define TMPFS_MAGIC	0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define MNT_INTERNAL	0x4000
#define NS_PER_SECOND	1000000000ULL
#define CTIME_QUERIED	(1u << 31) /* I_CTIME_QUERIED in i_ctime_nsec */

/* From 5.11 on (3ca1032ab7ab) the current task is typed. */
#define CURRENT_IS_TYPED bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline bool task_is_compat(struct task_struct *task, enum pointer how)
{
#if defined(__TARGET_ARCH_x86)
	return GET(how, task, thread_info.status) & 2; /* TS_COMPAT */
#else
	return GET(how, task, thread_info.flags) >> 22 & 1; /* TIF_32BIT */
#endif
}

/* Through the 32-bit system calls.  x32 is told by the call's number, see regs.h. */
static __always_inline bool current_is_compat(void)
{
	if (CURRENT_IS_TYPED)
		return task_is_compat(bpf_get_current_task_btf(), TYPED);
	return task_is_compat((void *)bpf_get_current_task(), ADDRESS);
}

static __always_inline __u64 exec_id_of(struct task_struct *task, enum pointer how)
{
	struct task_struct___u32_exec_id *old = (void *)task;

	if (bpf_core_field_size(task->self_exec_id) == 8)
		return GET(how, task, self_exec_id);
	return GET(how, old, self_exec_id);
}

static __always_inline void key_fill(struct process_key *key, struct task_struct *task,
				     enum pointer how)
{
	key->tgid = GET(how, task, tgid);
	key->start_ns = GET(how, task, group_leader, start_boottime);
	key->exec_id = exec_id_of(task, how);
}

static __always_inline void cred_fill(struct cred_ids *to, const struct cred *cred,
				      enum pointer how)
{
	to->uid = GET(how, cred, uid.val);
	to->gid = GET(how, cred, gid.val);
	to->euid = GET(how, cred, euid.val);
	to->egid = GET(how, cred, egid.val);
	to->suid = GET(how, cred, suid.val);
	to->sgid = GET(how, cred, sgid.val);
	to->fsuid = GET(how, cred, fsuid.val);
	to->fsgid = GET(how, cred, fsgid.val);
	to->cap_effective = GET_WORD(how, cred, cap_effective);
	to->cap_permitted = GET_WORD(how, cred, cap_permitted);
	to->cap_inheritable = GET_WORD(how, cred, cap_inheritable);
	to->cap_ambient = GET_WORD(how, cred, cap_ambient);
}

/* The number of a pid in the innermost namespace that has it, and that namespace. */
static __always_inline struct upid pid_innermost(struct pid *pid, enum pointer how)
{
	__u32 level = GET(how, pid, level);
	struct upid upid = {};

	if (!level) {
		upid.nr = GET(how, pid, numbers[0].nr);
		upid.ns = (void *)address_number(GET(how, pid, numbers[0].ns));
		return upid;
	}
	if (level > 32)
		return upid;
	bpf_probe_read_kernel(&upid, sizeof(upid),
			      (void *)address_number(pid) + bpf_core_field_offset(pid->numbers) +
				      level * sizeof(struct upid));
	return upid;
}

static __always_inline __u32 namespace_tgid(struct task_struct *task, enum pointer how)
{
	return pid_innermost(GET(how, task, signal, pids[PIDTYPE_TGID]), how).nr;
}

static __always_inline void namespaces_fill(struct namespace_ids *to, struct task_struct *task,
					    enum pointer how)
{
	struct nsproxy *ns = GET(how, task, nsproxy);
	struct upid upid = pid_innermost(GET(how, task, thread_pid), how);
	const struct cred *cred = GET(how, task, cred);

	to->pid = READ(upid.ns, ns.inum);
	if (cred)
		to->user = GET(how, cred, user_ns, ns.inum);
	if (!ns)
		return;
	to->mnt = GET(how, ns, mnt_ns, ns.inum);
	to->net = GET(how, ns, net_ns, ns.inum);
	to->uts = GET(how, ns, uts_ns, ns.inum);
	to->ipc = GET(how, ns, ipc_ns, ns.inum);
	to->cgroup = GET(how, ns, cgroup_ns, ns.inum);
}

static __always_inline __u64 cgroup_id(struct task_struct *task, enum pointer how)
{
	struct css_set *set = GET(how, task, cgroups);

	return set ? GET(how, set, dfl_cgrp, kn, id) : 0;
}

#define PF_KTHREAD 0x200000

/*
 * Who is to answer for what this task does.  Workers of io_uring are threads of
 * the process since 5.12 (3bfe6106693b); before, and for vhost, they are threads of the
 * kernel that borrow its memory, which knows whose it is.
 */
static __always_inline struct task_struct *accountable(struct task_struct *task)
{
	struct task_struct *owner = NULL;
	struct mm_struct *mm;

	if (!(READ(task, flags) & PF_KTHREAD))
		return task;
	mm = READ(task, mm);
	if (mm && bpf_core_field_exists(mm->owner)) /* CONFIG_MEMCG */
		owner = READ(mm, owner);
	return owner ? owner : task;
}

/* Of eight bytes of a string: the highest bit of the byte that ends it, lower ones unset. */
static __always_inline __u64 end_of(__u64 word)
{
	return (word - 0x0101010101010101) & ~word & 0x8080808080808080;
}

static __always_inline __u64 before_end(__u64 word, __u64 end)
{
	return word & (end ^ (end - 1));
}

static __always_inline void comm_fill(char to[16], struct task_struct *task, enum pointer how)
{
	__u64 head = GET_WORD(how, task, comm), tail = GET_WORD(how, task, comm[8]);

	*(__u64 *)to = before_end(head, end_of(head));
	*(__u64 *)(to + 8) = end_of(head) ? 0 : before_end(tail, end_of(tail));
}

static __always_inline void actor_fill(struct actor *to, struct task_struct *task, enum pointer how)
{
	struct task_struct *parent = GET(how, task, real_parent);
	const struct cred *cred = GET(how, task, cred);

	key_fill(&to->key, task, how);
	if (parent)
		key_fill(&to->parent, parent, how);
	if (cred)
		cred_fill(&to->cred, cred, how);
	namespaces_fill(&to->ns, task, how);
	to->cgroup_id = cgroup_id(task, how);
	to->tid = GET(how, task, pid);
	to->ns_tgid = namespace_tgid(task, how);
	to->login_uid = to->session_id = -1;
	if (bpf_core_field_exists(task->loginuid)) {
		to->login_uid = GET(how, task, loginuid.val);
		to->session_id = GET(how, task, sessionid);
	}
	comm_fill(to->comm, task, how);
}

static __always_inline void actor_of_current(struct actor *to)
{
	if (CURRENT_IS_TYPED)
		actor_fill(to, bpf_get_current_task_btf(), TYPED);
	else
		actor_fill(to, (void *)bpf_get_current_task(), ADDRESS);
}

static __always_inline __u64 inode_ctime_ns(struct inode *inode, enum pointer how)
{
	struct inode___v611 *v611 = (void *)inode;
	struct inode___v66 *v66 = (void *)inode;

	if (bpf_core_field_exists(v611->i_ctime_sec)) /* the flag: 6.13, 4e40eff0b573 */
		return GET(how, v611, i_ctime_sec) * NS_PER_SECOND +
		       (GET(how, v611, i_ctime_nsec) & ~CTIME_QUERIED);
	if (bpf_core_field_exists(v66->__i_ctime))
		return GET(how, v66, __i_ctime.tv_sec) * NS_PER_SECOND +
		       GET(how, v66, __i_ctime.tv_nsec);
	return GET(how, inode, i_ctime.tv_sec) * NS_PER_SECOND + GET(how, inode, i_ctime.tv_nsec);
}

#define TIME_NS(t, field) (READ(t, field.tv_sec) * NS_PER_SECOND + READ(t, field.tv_nsec))

static __always_inline __u64 inode_atime_ns(struct inode *inode)
{
	struct inode___v611 *v611 = (void *)inode;
	struct inode___v66 *v66 = (void *)inode;

	if (bpf_core_field_exists(v611->i_atime_sec))
		return READ(v611, i_atime_sec) * NS_PER_SECOND + READ(v611, i_atime_nsec);
	if (bpf_core_field_exists(v66->__i_atime))
		return TIME_NS(v66, __i_atime);
	return TIME_NS(inode, i_atime);
}

static __always_inline __u64 inode_mtime_ns(struct inode *inode)
{
	struct inode___v611 *v611 = (void *)inode;
	struct inode___v66 *v66 = (void *)inode;

	if (bpf_core_field_exists(v611->i_mtime_sec))
		return READ(v611, i_mtime_sec) * NS_PER_SECOND + READ(v611, i_mtime_nsec);
	if (bpf_core_field_exists(v66->__i_mtime))
		return TIME_NS(v66, __i_mtime);
	return TIME_NS(inode, i_mtime);
}

/* Of inode.i_flags (S_*), those that have a name for user space: FS_*_FL. */
static __always_inline __u32 inode_flags(struct inode *inode)
{
	__u32 has = READ(inode, i_flags);

	return (has & 1 ? 0x8 : 0) | (has & 2 ? 0x80 : 0) | (has & 4 ? 0x20 : 0) |
	       (has & 8 ? 0x10 : 0) | (has & 64 ? 0x10000 : 0);
}

/* A mount by which the current process sees the dentry's file system, where its root or its working
 * directory tells; NULL else. */
static __always_inline struct vfsmount *mount_of(struct dentry *dentry)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct super_block *sb = READ(dentry, d_sb);
	struct vfsmount *mnt = READ(task, fs, root.mnt);

	if (READ(mnt, mnt_sb) == sb)
		return mnt;
	mnt = READ(task, fs, pwd.mnt);
	return READ(mnt, mnt_sb) == sb ? mnt : NULL;
}

static __always_inline void inode_fill(struct file_ref *to, struct inode *inode, enum pointer how)
{
	struct super_block *sb;

	if (!inode)
		return;
	sb = GET(how, inode, i_sb);
	to->inode = GET(how, inode, i_ino);
	to->size = GET(how, inode, i_size);
	to->changed_ns = inode_ctime_ns(inode, how);
	to->device = GET(how, sb, s_dev);
	to->magic = GET(how, sb, s_magic);
	to->generation = GET(how, inode, i_generation);
	to->mode = GET(how, inode, i_mode);
	to->uid = GET(how, inode, i_uid.val);
	to->gid = GET(how, inode, i_gid.val);
	to->links = GET(how, inode, i_nlink);
	if (!to->links)
		to->flags |= FILE_DELETED;
}

static __always_inline struct file *file_of_fd(int fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = READ(task, files, fdt);
	struct file **array = READ(table, fd);
	struct file *file = NULL;

	if (fd < 0 || (__u32)fd >= READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), array + fd);
	return file;
}

static __always_inline struct socket *socket_of_fd(int fd)
{
	struct file *file = file_of_fd(fd);

	if (!file || (READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return READ(file, private_data);
}
