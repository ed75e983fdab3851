/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The login uid, which a program of the system sets once for each login, and
 * root alone can change.  Such a program holds the connection that the login came
 * over; that is read here, since nothing in the audit session tells it.
 */
#pragma once

#define UNSET_ID	0xffffffffu
#define DESCRIPTORS_MAX 64
#define PROC_MAGIC	0x9fa0
#define LOGINUID	0x6469756e69676f6cULL /* "loginuid", little-endian */

/* The socket behind a descriptor, when it is a connection that somebody else began. */
static __always_inline struct sock *accepted_of(struct file *file)
{
	struct owner *owner;
	struct socket *sock;
	struct sock *sk;
	__u64 key;

	if (!file || (READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	sock = READ(file, private_data);
	sk = READ(sock, sk);
	if (!sk || !is_tcp(sk) || READ(sk, __sk_common.skc_state) != TCP_ESTABLISHED)
		return NULL;
	key = (__u64)sk;
	owner = bpf_map_lookup_elem(&owners, &key);
	return owner && owner->role == TCP_ROLE_CLIENT ? NULL : sk;
}

/* Who is at the other end of what the task had accepted, if it has such a connection. */
static __always_inline void connection_fill(struct address *peer, struct task_struct *task)
{
	struct fdtable *table = READ(task, files, fdt);
	struct file **array = READ(table, fd);
	__u32 max = READ(table, max_fds);

	for (__u32 fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		struct file *file = NULL;
		struct sock *sk;

		if (fd >= max)
			break;
		bpf_probe_read_kernel(&file, sizeof(file), array + fd);
		sk = accepted_of(file);
		if (!sk)
			continue;
		peer_fill(peer, sk, READ(sk, __sk_common.skc_family));
		break;
	}
}

static __always_inline int on_login(const char *text, __u32 len, long result, __u32 hook,
				    __u32 tier)
{
	struct slot *slot = record_begin(KIND_login, hook, tier, sizeof(struct login_record));
	struct login_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (len > LOGINUID_MAX)
		len = LOGINUID_MAX;
	barrier_var(len);
	if (len > LOGINUID_MAX)
		len = LOGINUID_MAX;
	bpf_probe_read_user(rec->asked, len, text);
	connection_fill(&rec->peer, (void *)bpf_get_current_task());
	return record_end(slot, result < 0 ? result : 0, LANE_OF_login);
}

/* Not audit_set_loginuid: its argument is a struct, which a trampoline can hand over from 6.1 on.
 */
SEC("?fexit/proc_loginuid_write")
int PROGRAM(loginuid_exit, struct file *file, const char *text, unsigned long len, void *pos,
	    long result)
{
	return on_login(text, len, result, HOOK_loginuid_exit, 1);
}

/* Tier 2.  Writes are many: nearly all are told by their length and their first byte. */
static __always_inline bool is_loginuid(REGS *regs, bool is_32bit, long result)
{
	char first = 0;

	if (!result || result > LOGINUID_MAX)
		return false;
	bpf_probe_read_user(&first, 1, (void *)call_second(regs, TYPED, is_32bit));
	return first == '+' || (first >= '0' && first <= '9');
}

static __always_inline int tap_write(const struct call *call)
{
	struct file *file = file_of_fd(call->arg[0]);
	struct dentry *dentry;
	__u64 name[2] = {};

	if (!file || call->result > LOGINUID_MAX ||
	    READ(file, f_inode, i_sb, s_magic) != PROC_MAGIC)
		return 0;
	dentry = READ(file, f_path.dentry);
	bpf_probe_read_kernel_str(name, sizeof(name), READ(dentry, d_name.name));
	if (name[0] != LOGINUID || name[1])
		return 0;
	return on_login((void *)call->arg[1], call->arg[2], call->result, HOOK_tap, 2);
}
