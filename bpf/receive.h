/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that come from another process, over a socket or however else: those
 * of files, directories and devices that the receiver may not have been able to
 * open itself, of memory, of connections to another machine, and of the kernel's own
 * objects that act for whoever holds them.  Pipes, other sockets, terminals and files
 * that the receiver's user opened for reading are daily work, and left out.
 */
#pragma once

#define S_IFREG	   0100000
#define S_IFDIR	   0040000
#define MAJOR_MEM  1
#define MAJOR_TTY  5
#define MAJOR_PTS  136
#define RIGHTS_MAX 16 /* descriptors of one message that tier 2 looks at */
#define SCM_RIGHTS 1

static __always_inline bool is_harmless_device(__u32 device)
{
	__u32 major = device >> 20, minor = device & 0xfffff;

	return major == MAJOR_TTY || (major >= MAJOR_PTS && major < MAJOR_PTS + 8) ||
	       (major == MAJOR_MEM && minor != 1 && minor != 2 && minor != 4 && minor != 11);
}

#define ANON_INODE_FS_MAGIC 0x09041934

/* BPF objects, rings of io_uring, userfaultfd. */
static __always_inline bool acts_for_its_holder(struct file *file)
{
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), READ(file, f_path.dentry, d_name.name));
	return (name[0] == 'b' && name[1] == 'p' && name[2] == 'f') ||
	       (name[0] == '[' && name[1] == 'i' && name[2] == 'o' && name[3] == '_') ||
	       (name[0] == '[' && name[1] == 'u' && name[2] == 's' && name[3] == 'e');
}

static __always_inline struct sock *connected(struct file *file)
{
	struct socket *sock = READ(file, private_data);
	struct sock *sk = READ(sock, sk);
	__u16 family = READ(sk, __sk_common.skc_family);

	if ((family != AF_INET && family != AF_INET6) || !READ(sk, __sk_common.skc_dport))
		return NULL;
	return sk;
}

static __always_inline bool receive_matters(struct file *file)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inode *inode = READ(file, f_inode);

	if (READ(inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC)
		return acts_for_its_holder(file);
	switch (READ(inode, i_mode) & S_IFMT) {
	case S_IFSOCK:
		return connected(file);
	case S_IFDIR:
	case S_IFBLK:
		return true;
	case S_IFCHR:
		return !is_harmless_device(READ(inode, i_rdev));
	case S_IFREG:
		return READ(file, f_mode) & FMODE_WRITE ||
		       READ(file, f_cred, fsuid.val) != READ(task, cred, fsuid.val);
	}
	return false;
}

static __always_inline int on_receive(struct file *file, int result, __u32 hook, __u32 tier)
{
	struct inode *inode = READ(file, f_inode);
	struct memory_key key = {};
	struct received_record *rec;
	struct slot *slot;
	REGS *regs;

	if (!receive_matters(file) || !in_scope())
		return 0;
	key_of_process(&key);
	key.inode = READ(inode, i_ino);
	key.device = READ(inode, i_sb, s_dev);
	key.changed_ns = READ(file, f_mode) & FMODE_WRITE;
	if (READ(inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC)
		key.changed_ns = (__u64)READ(file, private_data); /* they share one inode */
	if (!is_news(&key, KIND_file_received))
		return 0;
	slot = record_begin(KIND_file_received, hook, tier, sizeof(*rec));
	if (!slot) {
		bpf_map_delete_elem(&memory_told, &key);
		return 0;
	}
	rec = (void *)slot->data;
	if ((READ(inode, i_mode) & S_IFMT) == S_IFSOCK)
		peer_fill(&rec->peer, connected(file),
			  READ(connected(file), __sk_common.skc_family));
	rec->opener = READ(file, f_cred, fsuid.val);
	rec->flags = READ(file, f_flags);
	regs = current_regs();
	if (regs)
		rec->call = call_number(regs);
	file_fill(slot, &rec->file, file, ADDRESS);
	return news_end(slot, &key, result, LANE_OF_file_received);
}

SEC("?fexit/security_file_receive")
int PROGRAM(receive_exit, struct file *file, int result)
{
	return on_receive(file, result, HOOK_receive_exit, 1);
}

__noinline int tap_receive(__u32 fd)
{
	struct file *file = file_of_fd(fd);

	return file ? on_receive(file, 0, HOOK_tap, 2) : 0;
}

/* The first control message of what recvmsg returned, where the kernel put the new numbers. */
static __always_inline int tap_received(struct call *call)
{
	__u32 word = call->compat ? 4 : 8;
	__u64 at = call->arg[1], control = 0, room = 0, len = 0;
	__u32 kind[2] = {};

	if (call->result < 0)
		return 0;
	bpf_probe_read_user(&control, word, (void *)at + (call->compat ? 16 : 32));
	bpf_probe_read_user(&room, word, (void *)at + (call->compat ? 20 : 40));
	if (!control || room < word + sizeof(kind))
		return 0;
	bpf_probe_read_user(&len, word, (void *)control);
	bpf_probe_read_user(kind, sizeof(kind), (void *)control + word);
	if (kind[0] != SOL_SOCKET || kind[1] != SCM_RIGHTS || len > room)
		return 0;
	for (__u32 i = 0; i < RIGHTS_MAX; i++) {
		__u64 place = word + sizeof(kind) + i * 4;
		int fd = -1;

		if (place + 4 > len)
			break;
		bpf_probe_read_user(&fd, sizeof(fd), (void *)control + place);
		tap_receive(fd);
	}
	return 0;
}
