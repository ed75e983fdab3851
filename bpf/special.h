/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets that ordinary programs do not need (raw, packet, vsock, the kernel's
 * crypto, netlink towards audit, firewall and routes, IP other than TCP and UDP),
 * filters on sockets, and connect, bind, listen and accept of the families and
 * protocols that socket.h has no hooks for.
 */
#pragma once

#define AF_NETLINK		 16
#define SOCK_STREAM		 1
#define SOCK_DGRAM		 2
#define SOCK_TYPE_MASK		 0xf
#define NETLINK_ROUTE		 0
#define NETLINK_XFRM		 6
#define NETLINK_AUDIT		 9
#define NETLINK_CONNECTOR	 11
#define NETLINK_NETFILTER	 12
#define SOL_SOCKET		 1
#define SO_ATTACH_FILTER	 26
#define SO_DETACH_FILTER	 27
#define SO_LOCK_FILTER		 44
#define SO_ATTACH_BPF		 50
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#define SO_DETACH_REUSEPORT_BPF	 68
#define FILTER_INSTRUCTIONS_MAX	 4096

/* What everybody uses; 0 asks for it.  Not raw sockets, ping sockets, MPTCP, SCTP, DCCP, L2TP, ...
 */
static __always_inline bool is_tcp_or_udp(int type, int protocol)
{
	if (type == SOCK_STREAM)
		return !protocol || protocol == IPPROTO_TCP;
	return type == SOCK_DGRAM && (!protocol || protocol == IPPROTO_UDP);
}

static __always_inline bool is_special(int family, int type, int protocol)
{
	switch (family) {
	case 0: /* no socket, an error */
	case AF_UNIX:
		return false;
	case AF_INET:
	case AF_INET6:
		return !is_tcp_or_udp(type & SOCK_TYPE_MASK, protocol);
	case AF_NETLINK:
		return protocol == NETLINK_ROUTE || protocol == NETLINK_XFRM ||
		       protocol == NETLINK_AUDIT || protocol == NETLINK_CONNECTOR ||
		       protocol == NETLINK_NETFILTER;
	}
	return true;
}

static __always_inline int on_special(struct socket *sock, int family, int type, int protocol,
				      int result, __u32 hook, __u32 tier)
{
	struct socket_record *rec;
	struct slot *slot;

	if (!is_special(family, type, protocol))
		return 0;
	slot = record_begin(KIND_socket_special, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->protocol = protocol;
	if (sock) {
		struct sock *sk = READ(sock, sk);

		if (!protocol)
			rec->protocol = READ(sk, sk_protocol);
		rec->cookie = READ((struct socket_alloc *)sock, vfs_inode.i_ino);
		rec->net_ns = READ(sk, __sk_common.skc_net.net, ns.inum);
	}
	rec->family = family;
	rec->type = type & SOCK_TYPE_MASK;
	return record_end(slot, result, LANE_OF_socket_special);
}

/* Twice: the kernel's own function knows the failures, and the hook inside of it the socket. */
SEC("?fexit/__sock_create")
int PROGRAM(special_failed, struct net *net, int family, int type, int protocol, void *ret,
	    int kern, int result)
{
	if (kern || result >= 0)
		return 0;
	return on_special(NULL, family, type, protocol, result, HOOK_special_failed, 1);
}

SEC("?fexit/security_socket_post_create")
int PROGRAM(special_exit, struct socket *sock, int family, int type, int protocol, int kern,
	    int result)
{
	if (kern || result)
		return 0;
	return on_special(sock, family, type, protocol, 0, HOOK_special_exit, 1);
}

/* The filter that the socket has now; its instructions follow the record. */
static __always_inline void filter_fill(struct slot *slot, struct socket_filter_record *rec,
					struct sock *sk)
{
	struct bpf_prog *prog = READ(sk, sk_filter, prog);
	struct sock_fprog_kern *classic = READ(prog, orig_prog);
	__u32 len = READ(classic, len);
	void *to;

	if (!prog)
		return;
	if (!classic) {
		rec->instructions = READ(prog, len);
		rec->program_id = READ(prog, aux, id);
		bpf_core_read(rec->tag, sizeof(rec->tag), &prog->tag);
		return;
	}
	rec->instructions = len;
	to = append_at(slot, &rec->program, FILTER_INSTRUCTIONS_MAX * 8);
	len *= 8;
	barrier_var(len);
	if (!to || len > FILTER_INSTRUCTIONS_MAX * 8)
		return;
	if (bpf_probe_read_kernel(to, len, READ(classic, filter)))
		return;
	rec->program.total = len;
	append_done(slot, &rec->program, len);
}

static __always_inline int on_filter(struct sock *sk, __u32 action, int result, __u32 flags,
				     __u32 hook, __u32 tier)
{
	struct slot *slot =
		record_begin(KIND_socket_filter, hook, tier, sizeof(struct socket_filter_record));
	struct socket *sock = READ(sk, sk_socket);
	struct socket_filter_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	socket_fill(slot, sock);
	rec->action = action & 0xff;
	rec->reuseport = action >> 8;
	rec->socket.record.flags |= flags;
	if (!result && action <= FILTER_ATTACH_BPF)
		filter_fill(slot, rec, sk);
	return record_end(slot, result, LANE_OF_socket_filter);
}

/* What a socket option does with filters, 0 for others; 0x100: to the group of reuseport sockets.
 */
static __always_inline __u32 filter_action(int level, int option)
{
	if (level != SOL_SOCKET)
		return 0;
	switch (option) {
	case SO_ATTACH_FILTER:
		return FILTER_ATTACH;
	case SO_ATTACH_BPF:
		return FILTER_ATTACH_BPF;
	case SO_DETACH_FILTER:
		return FILTER_DETACH;
	case SO_LOCK_FILTER:
		return FILTER_LOCK;
	case SO_ATTACH_REUSEPORT_CBPF:
		return FILTER_ATTACH | 0x100;
	case SO_ATTACH_REUSEPORT_EBPF:
		return FILTER_ATTACH_BPF | 0x100;
	case SO_DETACH_REUSEPORT_BPF:
		return FILTER_DETACH | 0x100;
	}
	return 0;
}

SEC("?fexit/sk_attach_filter")
int PROGRAM(filter_exit, void *fprog, struct sock *sk, int result)
{
	return on_filter(sk, FILTER_ATTACH, result, 0, HOOK_filter_exit, 1);
}

SEC("?fexit/sk_attach_bpf")
int PROGRAM(filter_bpf_exit, __u32 fd, struct sock *sk, int result)
{
	return on_filter(sk, FILTER_ATTACH_BPF, result, 0, HOOK_filter_bpf_exit, 1);
}

/* The rest: seen before its outcome. */
SEC("?fentry/security_socket_setsockopt")
int PROGRAM(filter_option, struct socket *sock, int level, int option)
{
	__u32 action = filter_action(level, option);

	if (!action || action == FILTER_ATTACH || action == FILTER_ATTACH_BPF)
		return 0;
	return on_filter(READ(sock, sk), action, 0, RECORD_RESULT_UNKNOWN, HOOK_filter_option, 1);
}

/* Those of IP go through the functions of inet, but for what brings its own. */
static __always_inline bool has_hooks(struct socket *sock, __u32 kind)
{
	struct sock *sk = READ(sock, sk);
	__u16 family = READ(sk, __sk_common.skc_family);

	if (!is_ip(family))
		return family == AF_UNIX;
	switch (READ(sk, sk_protocol)) {
	case IPPROTO_SMC:
		return false;
	case IPPROTO_SCTP:
		return kind != KIND_connect && kind != KIND_listen;
	case IPPROTO_DCCP:
		return kind != KIND_listen;
	}
	return true;
}

static __always_inline struct socket_record *other_begin(struct slot **slot, struct socket *sock,
							 __u32 kind, __u32 hook)
{
	struct socket_record *rec;

	*slot = has_hooks(sock, kind) ? NULL : record_begin(kind, hook, 1, sizeof(*rec));
	if (!*slot)
		return NULL;
	rec = socket_fill(*slot, sock);
	rec->record.flags |= RECORD_RESULT_UNKNOWN;
	return rec;
}

static __always_inline int on_other(struct socket *sock, void *address, int len, __u32 kind,
				    __u32 hook)
{
	struct slot *slot;
	struct socket_record *rec = other_begin(&slot, sock, kind, hook);

	if (!rec)
		return 0;
	sockaddr_fill(kind == KIND_bind ? &rec->local : &rec->peer, address, len);
	return record_end(slot, 0, LANE_OF_connect);
}

SEC("?fentry/security_socket_connect")
int PROGRAM(other_connect, struct socket *sock, void *address, int len)
{
	return on_other(sock, address, len, KIND_connect, HOOK_other_connect);
}

SEC("?fentry/security_socket_listen")
int PROGRAM(other_listen, struct socket *sock, int backlog)
{
	struct slot *slot;
	struct socket_record *rec = other_begin(&slot, sock, KIND_listen, HOOK_other_listen);

	if (!rec)
		return 0;
	rec->backlog = backlog;
	return record_end(slot, 0, LANE_OF_listen);
}

static __always_inline int on_other_accept(struct socket *sock)
{
	return sock && !has_hooks(sock, KIND_accept) ? on_accept(sock, HOOK_inet_accept_exit, 1)
						     : 0;
}

/* Each accept of whatever family; no hook of its own to the canary, since a kernel may have no
 * family that needs it. */
SEC("?fexit/do_accept")
int PROGRAM(other_accept, void *listener, void *a2, void *a3, void *a4, int flags,
	    struct file *accepted)
{
	if ((__u64)accepted >= -4095UL) /* an error */
		return 0;
	return on_other_accept(GET(TYPED, accepted, private_data));
}

/* Before 5.14 (d32f89da7fa8) it gives a descriptor. */
SEC("?fexit/__sys_accept4_file")
int PROGRAM(other_accept_fd, void *listener, unsigned int file_flags, void *address, void *len,
	    int flags, unsigned long nofile, int fd)
{
	return fd >= 0 ? on_other_accept(socket_of_fd(fd)) : 0;
}

SEC("?fentry/security_socket_bind")
int PROGRAM(other_bind, struct socket *sock, void *address, int len)
{
	return on_other(sock, address, len, KIND_bind, HOOK_other_bind);
}

/*
 * TCP fast open: a connect inside of sendto or sendmsg.  Not a hook of its own to
 * the canary, since net.ipv4.tcp_fastopen may forbid it.
 */
SEC("?fexit/__inet_stream_connect")
int PROGRAM(fastopen_exit, struct socket *sock, void *address, int len, int flags, int is_sendmsg,
	    int result)
{
	if (!is_sendmsg)
		return 0;
	return on_connect(sock, address, len, result, HOOK_inet_stream_connect_exit, 1);
}
