/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's types as far as the programs read them: names as in the kernel,
 * offsets filled in at load time from the running kernel's BTF (CO-RE).  Types
 * that changed shape have a flavour (NAME___WHEN) beside them; facts.h knows
 * when to use which.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 umode_t;
typedef __u32 dev_t;
typedef int pid_t;
typedef _Bool bool;

#define NULL ((void *)0)
#define true 1
#define false 0

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_COMMON_LRU = 2,
	BPF_F_MMAPABLE = 1024,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,
	BPF_FUNC_task_pt_regs = 175,
};

/* only their size is of interest */
enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC };
enum bpf_attach_type { BPF_CGROUP_INET_INGRESS };
enum bpf_link_type { BPF_LINK_TYPE_UNSPEC };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__u32 val;
} kuid_t;
typedef struct {
	__u32 val;
} kgid_t;
typedef struct {
	int counter;
} atomic_t;
typedef struct {
	__s64 counter;
} atomic64_t;

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	unsigned long s_iflags;
	dev_t s_dev;
	unsigned long s_magic;
	struct file_system_type *s_type;
	struct dentry *s_root;
};

struct inode {
	umode_t i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	__s64 i_size;
	struct timespec64 i_ctime;	    /* until 6.5 */
	struct timespec64 i_atime, i_mtime; /* until 6.6 */
	unsigned int i_flags;
	dev_t i_rdev;
	__u32 i_generation;
	void *i_private;
};

struct inode___v66 { /* 6.6 to 6.10: 13bc24457850 */
	struct timespec64 __i_ctime;
	struct timespec64 __i_atime, __i_mtime; /* from 6.7: 077c212f0344 */
};

struct inode___v611 { /* from 6.11: 3aa63a569c64 */
	__s64 i_ctime_sec, i_atime_sec, i_mtime_sec;
	__u32 i_ctime_nsec, i_atime_nsec, i_mtime_nsec;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	const struct cred *f_cred;
	unsigned int f_mode;
	unsigned int f_flags;
	void *private_data;
};

struct filename {
	const char *name;
};

struct open_flags {
	int open_flag;
};

struct renamedata {
	struct dentry *old_dentry;
	struct dentry *new_dentry;
};

struct fs_struct {
	struct path root, pwd;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	unsigned long start_brk, brk, arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
	struct task_struct *owner; /* with CONFIG_MEMCG */
};

struct ns_common {
	unsigned int inum;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct pid_namespace {
	struct ns_common ns;
};
struct new_utsname {
	char nodename[65];
	char domainname[65];
};
struct uts_namespace {
	struct new_utsname name;
	struct ns_common ns;
};
struct ipc_namespace {
	struct ns_common ns;
};
struct cgroup_namespace {
	struct ns_common ns;
};
struct user_namespace {
	struct ns_common ns;
	struct user_namespace *parent;
	kuid_t owner;
};
struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	__u64 id;
};
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};

typedef struct { /* __u32[2] until 6.2, __u64 since: the same bytes */
	__u64 val;
} kernel_cap_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned int securebits;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

struct signal_struct {
	atomic_t live;
	struct pid *pids[4];
	int group_exit_code;
	unsigned int flags;
};

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 */
};

struct seccomp {
	int mode;
	atomic_t filter_count;
	struct seccomp_filter *filter;
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	struct mm_struct *mm;
	int exit_code;
	unsigned int flags;
	unsigned int in_execve : 1;
	struct seccomp seccomp;
	pid_t pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	__u64 start_boottime;
	const struct cred *cred;
	const struct cred *real_cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid;
	unsigned int sessionid;
	unsigned int personality;
	__u64 self_exec_id;
	struct css_set *cgroups;
};

struct task_struct___u32_exec_id { /* on 32-bit kernels and before 5.7 (d1e7fd6462ca) */
	__u32 self_exec_id;
};

struct in6_addr {
	__u8 s6_addr[16];
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_err;
	long sk_sndtimeo; /* in ticks; LONG_MAX: for ever */
	__u32 sk_max_ack_backlog;
	struct sk_filter *sk_filter;
	struct pid *sk_peer_pid;
	struct socket *sk_socket;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct sk_buff {
	unsigned char *head, *data;
	__u32 len;
	__u16 transport_header, network_header;
	__be16 protocol;
};

struct sock_fprog_kern {
	__u16 len;
	void *filter;
};

struct bpf_insn {
	__u8 code;
};

struct bpf_prog_aux {
	__u32 id, attach_btf_id;
	const char *attach_func_name;
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	__u32 len;
	__u8 tag[8];
	struct bpf_prog_aux *aux;
	struct sock_fprog_kern *orig_prog;
	struct bpf_insn insnsi[1]; /* a flexible array in the kernel */
};

struct sk_filter {
	struct bpf_prog *prog;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[1]; /* a flexible array in the kernel */
};

struct netlink_sock {
	__u32 dst_portid;
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs___call {
	unsigned long r10, r9, r8, ax, cx, dx, si, di, bx, bp, orig_ax, cs;
};
#else
struct pt_regs___call {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};
#endif

struct seq_file {
};
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num; /* from 0 */
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};
struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
};

struct fileattr { /* 4c5b47997521 */
	__u32 flags, fsx_xflags;
};

struct file_kattr { /* its name from 6.17 on: ca115d7e7549 */
	__u32 flags, fsx_xflags;
};

struct posix_acl_entry {
	short e_tag;
};

struct posix_acl {
	unsigned int a_count;
	struct posix_acl_entry a_entries[0];
};

#pragma clang attribute pop
