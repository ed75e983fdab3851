/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets, tier 1: at the exit of the functions behind the protocols' operation
 * tables, which a call always goes through by pointer and no compiler can inline.
 * Addresses come from the socket, or from the kernel's copy of the sockaddr.
 */
#pragma once

#define AF_UNIX	      1
#define AF_INET	      2
#define AF_INET6      10

#define AF_VSOCK      40

#define IPPROTO_TCP   6
#define IPPROTO_DCCP  33
#define IPPROTO_SCTP  132
#define IPPROTO_SMC   256
#define IPPROTO_MPTCP 262

#define EINPROGRESS   115
#define CONNECT_LATER 1

/* MPTCP has a socket of TCP for each way that it takes. */
static __always_inline bool is_subflow(const struct sock *sk)
{
	struct tcp_sock *tcp = (void *)sk;

	return bpf_core_field_exists(tcp->is_mptcp) && READ(tcp, is_mptcp);
}

/* The first subflow of a socket of MPTCP. */
static __always_inline struct sock *subflow_of(const struct sock *sk)
{
	struct mptcp_sock *mptcp = (void *)sk;

	return bpf_core_field_exists(mptcp->first) ? READ(mptcp, first) : NULL;
}

static __always_inline bool is_ip(__u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

static __always_inline void ip6_fill(struct address *to, const struct in6_addr *from)
{
	__u32 words[4];

	bpf_core_read(words, sizeof(words), from);
	to->family = AF_INET6;
	to->len = 16;
	__builtin_memcpy(to->data, words, 16);
	if (words[0] || words[1] || words[2] != __builtin_bswap32(0xffff))
		return;
	to->family = AF_INET;
	to->mapped = 1;
	to->len = 4;
	__builtin_memset(to->data, 0, 16);
	__builtin_memcpy(to->data, &words[3], 4);
}

static __always_inline void ip4_fill(struct address *to, __be32 from)
{
	to->family = AF_INET;
	to->len = 4;
	__builtin_memcpy(to->data, &from, 4);
}

/* name: a struct sockaddr_un of len bytes */
static __always_inline void unix_name_fill(struct address *to, const char *name, int len)
{
	__u32 n = len - 2;

	to->family = AF_UNIX;
	if (len <= 2 || n > ADDRESS_RAW_MAX)
		return;
	barrier_var(n);
	if (n > ADDRESS_RAW_MAX)
		return;
	bpf_probe_read_kernel(to->data, n, name + 2);
	to->len = n;
}

static __always_inline void unix_fill(struct address *to, struct sock *sk)
{
	struct unix_address *addr = READ((struct unix_sock *)sk, addr);

	to->family = AF_UNIX;
	if (addr)
		unix_name_fill(to, (void *)addr + bpf_core_field_offset(addr->name),
			       READ(addr, len));
}

/* A sockaddr that the kernel holds, as far as its family is one that we know. */
static __always_inline void sockaddr_fill(struct address *to, const void *from, int len)
{
	struct {
		__u16 family;
		__be16 port;
		__be32 v4;
		struct in6_addr v6;
		__u32 scope_id;
	} in = {};
	__u32 n = len;

	if (len < 2)
		return;
	bpf_probe_read_kernel(&in, 8, from);
	switch (in.family) {
	case AF_INET:
		ip4_fill(to, in.v4);
		to->port = __builtin_bswap16(in.port);
		return;
	case AF_INET6:
		bpf_probe_read_kernel(&in, sizeof(in), from);
		ip6_fill(to, &in.v6);
		to->port = __builtin_bswap16(in.port);
		to->scope_id = in.scope_id;
		return;
	case AF_UNIX:
		unix_name_fill(to, from, len);
		return;
	}
	to->family = in.family;
	n -= 2;
	if (n > ADDRESS_RAW_MAX)
		n = ADDRESS_RAW_MAX;
	barrier_var(n);
	if (n > ADDRESS_RAW_MAX)
		return;
	bpf_probe_read_kernel(to->data, n, from + 2);
	to->len = n;
}

/*
 * struct vsock_sock is a module's, which may be loaded later; behind its struct sock it
 * has a pointer and two struct sockaddr_vm (net/af_vsock.h, since 5.5: c0cfa2d8a788).
 */
static __always_inline void vsock_fill(struct address *to, struct sock *sk, __u32 n)
{
	__u64 at = (__u64)sk + bpf_core_type_size(struct sock) + 8 + n * 16;
	__u16 family = 0;

	bpf_probe_read_kernel(&family, sizeof(family), (void *)at);
	if (family != AF_VSOCK || bpf_probe_read_kernel(to->data, 14, (void *)(at + 2)))
		return;
	to->family = AF_VSOCK;
	to->len = 14;
}

static __always_inline void local_fill(struct address *to, struct sock *sk, __u16 family)
{
	if (family == AF_UNIX) {
		unix_fill(to, sk);
		return;
	}
	if (family == AF_INET)
		ip4_fill(to, READ(sk, __sk_common.skc_rcv_saddr));
	else if (family == AF_INET6)
		ip6_fill(to, &sk->__sk_common.skc_v6_rcv_saddr);
	else if (family == AF_VSOCK)
		vsock_fill(to, sk, 0);
	if (!is_ip(family))
		return;
	to->port = READ(sk, __sk_common.skc_num);
	to->scope_id = READ(sk, __sk_common.skc_bound_dev_if);
}

static __always_inline void peer_fill(struct address *to, struct sock *sk, __u16 family)
{
	if (family == AF_UNIX) {
		struct sock *peer = READ((struct unix_sock *)sk, peer);

		if (peer)
			unix_fill(to, peer);
		return;
	}
	if (family == AF_INET)
		ip4_fill(to, READ(sk, __sk_common.skc_daddr));
	else if (family == AF_INET6)
		ip6_fill(to, &sk->__sk_common.skc_v6_daddr);
	else if (family == AF_VSOCK)
		vsock_fill(to, sk, 1);
	if (!is_ip(family))
		return;
	to->port = __builtin_bswap16(READ(sk, __sk_common.skc_dport));
}

static __always_inline struct socket_record *socket_fill(struct slot *slot, struct socket *sock)
{
	struct socket_record *rec = (void *)slot->data;
	struct sock *sk = READ(sock, sk);
	struct pid *peer;

	rec->family = READ(sk, __sk_common.skc_family);
	rec->type = READ(sock, type);
	rec->protocol = READ(sk, sk_protocol);
	if (rec->protocol == IPPROTO_TCP && !READ(sock, file) && is_subflow(sk))
		rec->protocol = IPPROTO_MPTCP;
	rec->net_ns = READ(sk, __sk_common.skc_net.net, ns.inum);
	rec->cookie = READ((struct socket_alloc *)sock, vfs_inode.i_ino);
	peer = READ(sk, sk_peer_pid);
	if (peer)
		rec->peer_tgid = READ(peer, numbers[0].nr);
	local_fill(&rec->local, sk, rec->family);
	return rec;
}

int connect_outcome(__u64 at); /* flow.h */

static __always_inline int on_connect(struct socket *sock, const void *address, int len, int result,
				      __u32 hook, __u32 tier)
{
	struct socket_record *rec;
	struct slot *slot;

	if (result == -EINPROGRESS)
		result = connect_outcome((__u64)READ(sock, sk));
	if (result == CONNECT_LATER)
		return 0;
	slot = record_begin(KIND_connect, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = socket_fill(slot, sock);
	sockaddr_fill(&rec->peer, address, len);
	return record_end(slot, result, LANE_OF_connect);
}

int owner_accepted(__u64 at, __u32 index); /* flow.h */

static __always_inline int on_accept(struct socket *sock, __u32 hook, __u32 tier)
{
	struct sock *sk = READ(sock, sk);
	struct socket_record *rec;
	struct slot *slot;

	if (!sk) /* nothing was accepted */
		return 0;
	slot = record_begin(KIND_accept, hook, tier, sizeof(*rec));
	if (!slot)
		return owner_accepted((__u64)sk, -1);
	rec = socket_fill(slot, sock);
	peer_fill(&rec->peer, sk, rec->family);
	owner_accepted((__u64)sk, slot->index);
	return record_end(slot, 0, LANE_OF_accept);
}

static __always_inline int on_listen(struct socket *sock, int backlog, int result, __u32 hook,
				     __u32 tier)
{
	struct slot *slot = record_begin(KIND_listen, hook, tier, sizeof(struct socket_record));

	if (!slot)
		return 0;
	socket_fill(slot, sock)->backlog = backlog;
	return record_end(slot, result, LANE_OF_listen);
}

/* On failure the address asked for, else the one that the socket got (port 0 asks for any). */
static __always_inline int on_bind(struct socket *sock, const void *address, int len, int result,
				   __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(KIND_bind, hook, tier, sizeof(struct socket_record));
	struct socket_record *rec;

	if (!slot)
		return 0;
	rec = socket_fill(slot, sock);
	if (result) {
		__builtin_memset(&rec->local, 0, sizeof(rec->local));
		sockaddr_fill(&rec->local, address, len);
	}
	return record_end(slot, result, LANE_OF_bind);
}

#define CONNECT_HOOK(function)                                                               \
	SEC("?fexit/" #function)                                                             \
	int PROGRAM(function##_exit, struct socket *sock, void *address, int len, int flags, \
		    int result)                                                              \
	{                                                                                    \
		return on_connect(sock, address, len, result, HOOK_##function##_exit, 1);    \
	}

CONNECT_HOOK(inet_stream_connect)
CONNECT_HOOK(inet_dgram_connect)
CONNECT_HOOK(unix_stream_connect)
CONNECT_HOOK(unix_dgram_connect)

/* `hook` is who proves it to the canary. */
#define ACCEPT_HOOK_AS(function, hook)                                             \
	SEC("?fexit/" #function)                                                   \
	int PROGRAM(function##_exit, struct socket *listener, struct socket *sock) \
	{                                                                          \
		return on_accept(sock, HOOK_##hook##_exit, 1);                     \
	}
#define ACCEPT_HOOK(function) ACCEPT_HOOK_AS(function, function)

ACCEPT_HOOK(inet_accept)
ACCEPT_HOOK(unix_accept)

#define LISTEN_HOOK_AS(function, hook)                                             \
	SEC("?fexit/" #function)                                                   \
	int PROGRAM(function##_exit, struct socket *sock, int backlog, int result) \
	{                                                                          \
		return on_listen(sock, backlog, result, HOOK_##hook##_exit, 1);    \
	}
#define LISTEN_HOOK(function) LISTEN_HOOK_AS(function, function)

LISTEN_HOOK(inet_listen)
LISTEN_HOOK(unix_listen)

#define BIND_HOOK_AS(function, hook)                                                          \
	SEC("?fexit/" #function)                                                              \
	int PROGRAM(function##_exit, struct socket *sock, void *address, int len, int result) \
	{                                                                                     \
		return on_bind(sock, address, len, result, HOOK_##hook##_exit, 1);            \
	}
#define BIND_HOOK(function) BIND_HOOK_AS(function, function)

BIND_HOOK(inet_bind)
BIND_HOOK(inet6_bind)
BIND_HOOK(unix_bind)

/*
 * MPTCP: its subflow's socket used to go through the functions above, as it does for connect in
 * every kernel; userspace/attach/probe.c tells.
 */
BIND_HOOK_AS(mptcp_bind, inet_bind)
LISTEN_HOOK_AS(mptcp_listen, inet_listen)
ACCEPT_HOOK_AS(mptcp_stream_accept, inet_accept)
