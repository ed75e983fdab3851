/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tier 2 of everything that a system call does: one program at the exit of all
 * system calls, for kernels that have neither fentry nor LSM.  Descriptors are
 * resolved to their objects; a path that names no object any more is given as
 * the caller asked for it, and says so.
 */
#pragma once

#define ARM_SEND 289
#define ARM_RECV 291

/* Most calls are nobody's: told by one look, before anything else is read. */
static __always_inline bool tap_wants(const struct control *c, __u32 nr)
{
	if (nr >= TAP_SYSCALLS)
		return false;
	barrier_var(nr); /* newer compilers prove the mask useless, which the verifier cannot */
	nr &= TAP_SYSCALLS - 1;
	return c->tap_native[nr] | c->tap_compat[nr];
}

#if defined(__TARGET_ARCH_x86)
/* One 32-bit call for all of sockets; it becomes the direct call that has its own number since 4.3.
 */
static __always_inline void socketcall_open(struct call *call, const struct control *c)
{
	__u32 direct = 0, args[5] = {};

	switch (call->arg[0]) { /* SYS_BIND, ... of linux/net.h */
	case 1:
		direct = 359;
		break;
	case 2:
		direct = 361;
		break;
	case 3:
		direct = 362;
		break;
	case 4:
		direct = 363;
		break;
	case 5:
	case 18:
		direct = 364;
		break;
	case 9: /* send: sendto without an address */
	case 11:
		direct = 369;
		break;
	case 10: /* recv */
	case 12:
		direct = 371;
		break;
	case 14:
		direct = 366;
		break;
	case 16:
		direct = 370;
		break;
	case 17:
		direct = 372;
		break;
	case 19:
		direct = 337;
		break;
	case 20:
		direct = 345;
		break;
	}
	call->what = c->tap_compat[direct];
	if (bpf_probe_read_user(args, sizeof(args), (void *)call->arg[1]))
		call->what = TAP_NONE;
	if (call->arg[0] == 9 || call->arg[0] == 10)
		args[4] = 0;
	for (int i = 0; i < 5; i++)
		call->arg[i] = args[i];
}

#endif

static __always_inline void call_fill(struct call *call, REGS *regs, const struct control *c)
{
	__u32 nr = CALL_NUMBER(regs), index = settings.x32 ? nr & ~X32_BIT : nr;
	bool is_32bit;

	if (!tap_wants(c, index))
		return;
	is_32bit = current_is_compat();
	barrier_var(index);
	index &= TAP_SYSCALLS - 1;
	call->what = is_32bit ? c->tap_compat[index] : c->tap_native[index];
	call->compat = is_32bit || (settings.x32 && nr & X32_BIT);
	if (call->what == TAP_WRITE && !is_loginuid(regs, is_32bit, call->result) &&
	    !sysctl_writer(c)) {
		call->what = TAP_NONE;
		return;
	}
	call_arguments(call, regs, TYPED, is_32bit);
#if defined(__TARGET_ARCH_x86)
	if (call->what == TAP_SOCKETCALL)
		socketcall_open(call, c);
#else
	if (is_32bit && (nr == ARM_SEND || nr == ARM_RECV))
		call->arg[4] = 0; /* sendto and recvfrom without an address */
#endif
}

#include "tap_system.h"

static __noinline int tap_open(struct call *call, int dfd, const char *path, __u32 flags)
{
	struct file *file = call->result >= 0 ? file_of_fd(call->result) : NULL;
	__u32 watch = 0, kind;
	struct open_record *rec;
	struct slot *slot;

	if (file)
		tap_opened(call, file);
	kind = open_kind(file, ADDRESS, flags, call->result, &watch);
	if (!kind || tier_of(kind) != 2) /* the call was asked for by classes about the kernel */
		return 0;
	slot = call_begin(call, kind, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->flags = flags;
	rec->watch = watch;
	rec->by_handle = call->what == TAP_OPENHANDLE;
	if (file)
		file_fill(slot, &rec->file, file, ADDRESS);
	else if (call->what != TAP_OPENHANDLE)
		append_asked(slot, &rec->file, dfd, path, true);
	return record_end(slot, file ? 0 : call->result, LANE_OF_file_open);
}

static __always_inline int tap_unlink(struct call *call, int dfd, const char *path)
{
	struct slot *slot = call_begin(call, KIND_file_unlink, sizeof(struct unlink_record));

	if (!slot)
		return 0;
	append_asked(slot, &((struct unlink_record *)slot->data)->file, dfd, path, true);
	return record_end(slot, call->result, LANE_OF_file_unlink);
}

static __always_inline int tap_rename(struct call *call, int old_dfd, const char *old, int new_dfd,
				      const char *new, __u32 flags)
{
	struct slot *slot = call_begin(call, KIND_file_rename, sizeof(struct rename_record));
	struct file_ref from = {};
	struct rename_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	append_asked(slot, &from, old_dfd, old, true);
	rec->old_path = from.path;
	rec->old_path_flags = from.flags;
	append_asked(slot, &rec->file, new_dfd, new, true);
	rec->flags = flags;
	return record_end(slot, call->result, LANE_OF_file_rename);
}

static __always_inline int tap_link(struct call *call, int old_dfd, const char *old, int new_dfd,
				    const char *new, bool symbolic)
{
	struct slot *slot = call_begin(call, KIND_file_link, sizeof(struct link_record));
	struct file_ref from = {};
	struct link_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->symbolic = symbolic;
	append_asked(slot, &rec->file, new_dfd, new, true);
	if (symbolic)
		append_string(slot, &from.path, old, true);
	else
		append_asked(slot, &from, old_dfd, old, true);
	rec->target = from.path;
	return record_end(slot, call->result, LANE_OF_file_link);
}

static __always_inline int tap_attr(struct call *call, __u32 kind, int dfd, const char *path,
				    __u32 mode, __u32 uid, __u32 gid)
{
	struct slot *slot = call_begin(call, kind, sizeof(struct attr_record));
	struct attr_record *rec;
	struct file *file;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->mode = mode & 07777;
	rec->uid = uid;
	rec->gid = gid;
	if (path) {
		append_asked(slot, &rec->file, dfd, path, true);
	} else {
		file = file_of_fd(dfd);
		if (file)
			file_fill(slot, &rec->file, file, ADDRESS);
	}
	return record_end(slot, call->result, LANE_OF_file_mode);
}

/* A connect that failed leaves nothing to go by in the socket. */
static __always_inline bool peer_unknown(const struct call *call, const struct address *peer)
{
	if (call->result && call->result != -EINPROGRESS)
		return true;
	return peer->family == AF_UNIX ? !peer->len : !peer->port;
}

/* A connect that is told when it is decided; else its result is what it has come to by now. */
static __always_inline bool connect_later(struct call *call, struct socket *sock)
{
	if (call->result == -EINPROGRESS)
		call->result = connect_outcome((__u64)READ(sock, sk));
	return call->result == CONNECT_LATER;
}

/* A function for the sake of the stack.  The address in user memory is read where the socket does
 * not have it. */
static __noinline int tap_socket(struct call *call)
{
	bool with_peer = call->what == TAP_CONNECT;
	__u32 kind = with_peer ? KIND_connect : call->what == TAP_LISTEN ? KIND_listen : KIND_bind;
	struct socket *sock = socket_of_fd(call->arg[0]);
	struct socket_record *rec;
	struct slot *slot;

	if (!sock || connect_later(call, sock))
		return 0;
	slot = call_begin(call, kind, sizeof(*rec));
	if (!slot)
		return 0;
	rec = socket_fill(slot, sock);
	if (kind == KIND_listen)
		rec->backlog = call->arg[1];
	if (with_peer)
		peer_fill(&rec->peer, READ(sock, sk), rec->family);
	if (kind == KIND_connect ? peer_unknown(call, &rec->peer)
				 : kind == KIND_bind && call->result) {
		struct address *to = with_peer ? &rec->peer : &rec->local;
		__u32 len = call->arg[2];

		if (len > 128) /* struct sockaddr_storage, the kernel's own limit */
			len = 128;
		barrier_var(len);
		if (len > 128)
			len = 128;
		__builtin_memset(to, 0, sizeof(*to));
		if (!bpf_probe_read_user(slot->path, len, (void *)call->arg[1]))
			sockaddr_fill(to, slot->path, len);
	}
	return record_end(slot, call->result, LANE_OF_connect);
}

static __always_inline int tap_accept(struct call *call)
{
	struct socket *sock = call->result >= 0 ? socket_of_fd(call->result) : NULL;

	return sock ? on_accept(sock, HOOK_tap, 2) : 0;
}

static __always_inline int tap_creds(struct call *call)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = READ(task, cred);
	struct cred_change_record *rec;
	struct slot *slot;
	__u32 asked = -1;

	if (call->what == TAP_CREDS)
		asked = FIRST_ID(call->arg[0], FIRST_ID(call->arg[1], call->arg[2]));
	if (call->result < 0)
		return on_creds_refused(call->result, asked, HOOK_tap, 2);
	slot = call_begin(call, KIND_cred_change, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rest_fill(&rec->rest, cred);
	append_groups(slot, rec, cred);
	return record_end(slot, 0, LANE_OF_cred_change);
}

#include "tap_net.h"

/* Every form of a call brought to one, so that each kind's code stands here once. */
struct names {
	int dfd, dfd2;
	const char *path, *path2;
	__u32 a, b;
	__u32 kind;
	bool symbolic;
};

static __always_inline void names_of_open(struct names *n, struct call *call)
{
	__u64 *arg = call->arg;

	n->kind = KIND_file_open;
	n->dfd = AT_FDCWD;
	n->path = (void *)arg[0];
	n->a = arg[1];
	if (call->what == TAP_CREAT) {
		n->a = O_CREAT | O_WRONLY | O_TRUNC;
	} else if (call->what == TAP_OPENHANDLE) {
		n->a = arg[2];
	} else if (call->what == TAP_OPENAT || call->what == TAP_OPENAT2) {
		n->dfd = arg[0];
		n->path = (void *)arg[1];
		n->a = arg[2];
		if (call->what == TAP_OPENAT2) { /* struct open_how begins with its flags */
			__u64 flags = 0;

			bpf_probe_read_user(&flags, sizeof(flags), (void *)arg[2]);
			n->a = flags;
		}
	}
}

static __always_inline void names_of_pair(struct names *n, struct call *call)
{
	__u64 *arg = call->arg;

	n->kind = call->what <= TAP_RENAMEAT2 ? KIND_file_rename : KIND_file_link;
	n->dfd = n->dfd2 = AT_FDCWD;
	n->path = (void *)arg[0];
	n->path2 = (void *)arg[1];
	n->symbolic = call->what == TAP_SYMLINK || call->what == TAP_SYMLINKAT;
	if (call->what == TAP_SYMLINKAT) {
		n->dfd2 = arg[1];
		n->path2 = (void *)arg[2];
	} else if (call->what == TAP_RENAMEAT || call->what == TAP_RENAMEAT2 ||
		   call->what == TAP_LINKAT) {
		n->dfd = arg[0];
		n->path = (void *)arg[1];
		n->dfd2 = arg[2];
		n->path2 = (void *)arg[3];
	}
	if (call->what == TAP_RENAMEAT2)
		n->a = arg[4];
}

static __always_inline void names_of_attr(struct names *n, struct call *call)
{
	__u64 *arg = call->arg;

	n->kind = call->what <= TAP_FCHMODAT ? KIND_file_mode : KIND_file_owner;
	n->dfd = AT_FDCWD;
	n->path = (void *)arg[0];
	n->a = arg[1];
	n->b = arg[2];
	if (call->what == TAP_FCHMOD || call->what == TAP_FCHOWN) {
		n->dfd = arg[0];
		n->path = NULL;
	} else if (call->what == TAP_FCHMODAT || call->what == TAP_FCHOWNAT) {
		n->dfd = arg[0];
		n->path = (void *)arg[1];
		n->a = arg[2];
		n->b = arg[3];
	}
}

static __always_inline int tap_names(struct call *call)
{
	struct names n = {};

	if (call->what <= TAP_CREAT) {
		names_of_open(&n, call);
		return tap_open(call, n.dfd, n.path, n.a);
	}
	if (call->what <= TAP_UNLINKAT) {
		bool at = call->what == TAP_UNLINKAT;

		return tap_unlink(call, at ? (int)call->arg[0] : AT_FDCWD,
				  (void *)(at ? call->arg[1] : call->arg[0]));
	}
	if (call->what <= TAP_SYMLINKAT) {
		names_of_pair(&n, call);
		if (n.kind == KIND_file_rename)
			return tap_rename(call, n.dfd, n.path, n.dfd2, n.path2, n.a);
		return tap_link(call, n.dfd, n.path, n.dfd2, n.path2, n.symbolic);
	}
	names_of_attr(&n, call);
	if (n.kind == KIND_file_mode)
		return tap_attr(call, n.kind, n.dfd, n.path, n.a, 0, 0);
	return tap_attr(call, n.kind, n.dfd, n.path, 0, n.a, n.b);
}

#include "tap_kernel.h"
#include "tap_change.h"

static __always_inline int on_call(struct call *call, REGS *regs, const struct control *c)
{
	if (call->what <= TAP_FCHOWNAT)
		return tap_names(call);
	switch (call->what) {
	case TAP_CONNECT:
	case TAP_LISTEN:
	case TAP_BIND:
		return tap_socket(call);
	case TAP_ACCEPT:
		return tap_accept(call);
	case TAP_CREDS:
	case TAP_GROUPS:
		return tap_creds(call);
	}
	if (call->what == TAP_IOCTL && (__u32)call->arg[1] == IOCTL_PERF_SET_BPF)
		return tapped(KIND_bpf) ? on_perf_bpf(call) : 0;
	if (call->what == TAP_IOCTL && ioctl_changes(call->arg[1]))
		return tapped(KIND_net_change) ? on_ioctl(call) : 0;
	if (call->what == TAP_IOCTL && !tapped(KIND_file_flags))
		return 0;
	if (call->what >= TAP_MMAP && call->what <= TAP_MMAP_OLD)
		return tap_mmap(call);
	if (call->what >= TAP_SETXATTR && call->what < TAP_MMAP)
		return tap_change(call);
	if (call->what == TAP_WRITE && sysctl_writer(c))
		tap_sysctl(call);
	if (call->what >= TAP_BPF)
		return tap_system(call);
	if (call->what >= TAP_EXECVE)
		return tap_kernel(call, regs);
	return tap_net(call);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(tap, REGS *regs, long result)
{
	struct call call = {.result = result, .hook = HOOK_tap, .tier = 2};
	struct control *c = control_get();

	if (!c)
		return 0;
	call_fill(&call, regs, c);
	if (call.what != TAP_NONE)
		WHOLE(on_call(&call, regs, c));
	return 0;
}
