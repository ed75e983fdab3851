/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From kernel objects to the plain structs of include/hinomi/record.h, and the
 * only place that knows how those objects differ between kernels.
 */
#pragma once

const volatile struct settings settings = {};

#define READ(ptr, ...)	BPF_CORE_READ(ptr, ##__VA_ARGS__)

#define PIDTYPE_TGID	1
#define S_IFMT		0170000
#define S_IFSOCK	0140000
#define S_IFREG		0100000
#define TMPFS_MAGIC	0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define MNT_INTERNAL	0x4000
#define CTIME_QUERIED	(1u << 31) /* I_CTIME_QUERIED in i_ctime_nsec */

/* Through the 32-bit system calls.  x32 is told by the call's number, see regs.h. */
static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return READ(task, thread_info.status) & 2; /* TS_COMPAT */
#else
	return READ(task, thread_info.flags) >> 22 & 1; /* TIF_32BIT */
#endif
}

static __always_inline __u64 exec_id_of(struct task_struct *task)
{
	if (bpf_core_field_size(task->self_exec_id) == 8)
		return READ(task, self_exec_id);
	return READ((struct task_struct___u32_exec_id *)task, self_exec_id);
}

static __always_inline void key_fill(struct process_key *key, struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);

	key->tgid = READ(task, tgid);
	key->start_ns = READ(leader, start_boottime);
	key->exec_id = exec_id_of(task);
}

static __always_inline void cred_fill(struct cred_ids *to, const struct cred *cred)
{
	to->uid = READ(cred, uid.val);
	to->gid = READ(cred, gid.val);
	to->euid = READ(cred, euid.val);
	to->egid = READ(cred, egid.val);
	to->suid = READ(cred, suid.val);
	to->sgid = READ(cred, sgid.val);
	to->fsuid = READ(cred, fsuid.val);
	to->fsgid = READ(cred, fsgid.val);
	bpf_core_read(&to->cap_effective, 8, &cred->cap_effective);
	bpf_core_read(&to->cap_permitted, 8, &cred->cap_permitted);
	bpf_core_read(&to->cap_inheritable, 8, &cred->cap_inheritable);
	bpf_core_read(&to->cap_ambient, 8, &cred->cap_ambient);
}

/* The number of a pid in the innermost namespace that has it, and that namespace. */
static __always_inline struct upid pid_innermost(struct pid *pid)
{
	struct upid upid = {};
	__u32 level = READ(pid, level);

	if (!pid || level > 32)
		return upid;
	bpf_probe_read_kernel(&upid, sizeof(upid),
			      (void *)pid + bpf_core_field_offset(pid->numbers) +
				      level * sizeof(struct upid));
	return upid;
}

static __always_inline __u32 namespace_tgid(struct task_struct *task)
{
	return pid_innermost(READ(task, signal, pids[PIDTYPE_TGID])).nr;
}

static __always_inline void namespaces_fill(struct namespace_ids *to, struct task_struct *task)
{
	struct nsproxy *ns = READ(task, nsproxy);
	struct upid upid = pid_innermost(READ(task, thread_pid));
	struct pid_namespace *pid_ns = upid.ns;

	to->pid = READ(pid_ns, ns.inum);
	to->user = READ(task, cred, user_ns, ns.inum);
	if (!ns)
		return;
	to->mnt = READ(ns, mnt_ns, ns.inum);
	to->net = READ(ns, net_ns, ns.inum);
	to->uts = READ(ns, uts_ns, ns.inum);
	to->ipc = READ(ns, ipc_ns, ns.inum);
	to->cgroup = READ(ns, cgroup_ns, ns.inum);
}

static __always_inline __u64 cgroup_id(struct task_struct *task)
{
	return READ(task, cgroups, dfl_cgrp, kn, id);
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

static __always_inline void actor_fill(struct actor *to, struct task_struct *task)
{
	key_fill(&to->key, task);
	key_fill(&to->parent, READ(task, real_parent));
	cred_fill(&to->cred, READ(task, cred));
	namespaces_fill(&to->ns, task);
	to->cgroup_id = cgroup_id(task);
	to->tid = READ(task, pid);
	to->ns_tgid = namespace_tgid(task);
	to->login_uid = to->session_id = -1;
	if (bpf_core_field_exists(task->loginuid)) {
		to->login_uid = READ(task, loginuid.val);
		to->session_id = READ(task, sessionid);
	}
	bpf_core_read_str(to->comm, sizeof(to->comm), &task->comm);
}

static __always_inline __u64 inode_ctime_ns(struct inode *inode)
{
	struct inode___v611 *v611 = (void *)inode;
	struct inode___v66 *v66 = (void *)inode;

	if (bpf_core_field_exists(v611->i_ctime_sec)) /* the flag: 6.13, 4e40eff0b573 */
		return READ(v611, i_ctime_sec) * 1000000000ULL +
		       (READ(v611, i_ctime_nsec) & ~CTIME_QUERIED);
	if (bpf_core_field_exists(v66->__i_ctime))
		return READ(v66, __i_ctime.tv_sec) * 1000000000ULL + READ(v66, __i_ctime.tv_nsec);
	return READ(inode, i_ctime.tv_sec) * 1000000000ULL + READ(inode, i_ctime.tv_nsec);
}

#define TIME_NS(t, field) (READ(t, field.tv_sec) * 1000000000ULL + READ(t, field.tv_nsec))

static __always_inline __u64 inode_atime_ns(struct inode *inode)
{
	struct inode___v611 *v611 = (void *)inode;
	struct inode___v66 *v66 = (void *)inode;

	if (bpf_core_field_exists(v611->i_atime_sec))
		return READ(v611, i_atime_sec) * 1000000000ULL + READ(v611, i_atime_nsec);
	if (bpf_core_field_exists(v66->__i_atime))
		return TIME_NS(v66, __i_atime);
	return TIME_NS(inode, i_atime);
}

static __always_inline __u64 inode_mtime_ns(struct inode *inode)
{
	struct inode___v611 *v611 = (void *)inode;
	struct inode___v66 *v66 = (void *)inode;

	if (bpf_core_field_exists(v611->i_mtime_sec))
		return READ(v611, i_mtime_sec) * 1000000000ULL + READ(v611, i_mtime_nsec);
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

static __always_inline void inode_fill(struct file_ref *to, struct inode *inode)
{
	if (!inode)
		return;
	to->inode = READ(inode, i_ino);
	to->size = READ(inode, i_size);
	to->changed_ns = inode_ctime_ns(inode);
	to->device = READ(inode, i_sb, s_dev);
	to->magic = READ(inode, i_sb, s_magic);
	to->generation = READ(inode, i_generation);
	to->mode = READ(inode, i_mode);
	to->uid = READ(inode, i_uid.val);
	to->gid = READ(inode, i_gid.val);
	to->links = READ(inode, i_nlink);
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
