/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of TCP connections.  It is told by a tracepoint that mostly runs in a
 * soft interrupt, where the current process has nothing to do with it; so who
 * connected or accepted is kept in `owners` from then on.  The table is keyed by
 * the socket's address: storage in the socket itself needs a typed pointer, which
 * the tap does not have, and 5.11.  Entries go when the connection does; in a
 * full table, or when its user has no share of it left (share.h), a new connection
 * has no entry, and its end says that nobody is known.
 */
#pragma once

#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT	2
#define TCP_CLOSE	7
#define TCP_CLOSE_WAIT	8
#define TCP_LISTEN	10
#define IPPROTO_TCP	6
#define ECONNRESET	104
#define EPIPE		32
#define ETIMEDOUT	110
#define ECONNREFUSED	111

struct owner {
	struct actor actor;
	__u64 start_ns;
	__u64 cookie;
	__u32 role;  /* enum tcp_role */
	__u32 share; /* whose entry it is */
};

#define OWNERS_MAX 32768

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWNERS_MAX);
	__type(key, __u64);
	__type(value, struct owner);
} owners SEC(".maps");

static __always_inline bool is_inet(const struct sock *sk)
{
	__u16 family = READ(sk, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6;
}

static __always_inline bool is_tcp(const struct sock *sk)
{
	return is_inet(sk) && READ(sk, sk_protocol) == IPPROTO_TCP;
}

static __always_inline void owner_forget(__u64 key, __u32 share)
{
	if (!bpf_map_delete_elem(&owners, &key))
		share_count(SHARE_OWNERS, share, -1);
}

/* The current process connects or has accepted: from here on the connection is its own. */
static __always_inline void owner_set(const struct sock *sk, __u32 role)
{
	struct owner owner = {.role = role};
	struct socket *sock = READ(sk, sk_socket);
	__u64 key = (__u64)sk;
	struct owner *before = bpf_map_lookup_elem(&owners, &key);

	if (before) /* the end of another socket at this address was not seen */
		owner_forget(key, before->share);
	if (!in_scope())
		return;
	actor_of_current(&owner.actor);
	owner.share = share_of(SHARE_OWNERS, OWNERS_MAX, &owner.actor);
	if (!owner.share)
		return;
	owner.start_ns = bpf_ktime_get_boot_ns();
	if (sock)
		owner.cookie = READ((struct socket_alloc *)sock, vfs_inode.i_ino);
	if (!bpf_map_update_elem(&owners, &key, &owner, BPF_NOEXIST))
		share_count(SHARE_OWNERS, owner.share, 1);
}

/* A function of its own, for the sake of the callers' stacks. */
__noinline int owner_accepted(__u64 at)
{
	const struct sock *sk = (void *)at;

	if (is_tcp(sk))
		owner_set(sk, TCP_ROLE_SERVER);
	return 0;
}

static __always_inline __u32 end_reason(int err, int state)
{
	switch (err) {
	case 0:
		break;
	case ECONNRESET:
	case EPIPE: /* a reset after the peer's FIN */
		return TCP_END_RESET;
	case ETIMEDOUT:
		return TCP_END_TIMEOUT;
	case ECONNREFUSED:
		return TCP_END_REFUSED;
	default:
		return TCP_END_ERROR;
	}
	if (state == TCP_ESTABLISHED || state == TCP_SYN_SENT || state == TCP_CLOSE_WAIT)
		return TCP_END_ABORTED;
	return TCP_END_NORMAL;
}

static __always_inline void tcp_counts_fill(struct tcp_close_record *rec, struct tcp_sock *tcp)
{
	rec->bytes_sent = READ(tcp, bytes_sent);
	rec->bytes_acked = READ(tcp, bytes_acked);
	rec->bytes_received = READ(tcp, bytes_received);
	rec->segments_sent = READ(tcp, segs_out);
	rec->segments_received = READ(tcp, segs_in);
	rec->segments_retransmitted = READ(tcp, total_retrans);
}

static __always_inline int on_tcp_end(struct sock *sk, int state, __u32 hook, __u32 tier)
{
	__u64 key = (__u64)sk;
	struct owner *owner = bpf_map_lookup_elem(&owners, &key);
	struct slot *slot =
		record_begin_for(KIND_tcp_close, hook, tier, sizeof(struct tcp_close_record),
				 owner || !settings.has_scope);
	struct tcp_close_record *rec;
	int err = READ(sk, sk_err);

	if (!slot)
		goto done;
	rec = (void *)slot->data;
	rec->socket.family = READ(sk, __sk_common.skc_family);
	rec->socket.type = READ(sk, sk_type);
	rec->socket.protocol = IPPROTO_TCP;
	rec->socket.net_ns = READ(sk, __sk_common.skc_net.net, ns.inum);
	local_fill(&rec->socket.local, sk, rec->socket.family);
	/* skc_num is given back already */
	rec->socket.local.port = __builtin_bswap16(READ((struct inet_sock *)sk, inet_sport));
	peer_fill(&rec->socket.peer, sk, rec->socket.family);
	tcp_counts_fill(rec, (void *)sk);
	rec->reason = end_reason(err, state);
	rec->state = state;
	if (owner) {
		rec->socket.record.actor = owner->actor;
		rec->socket.cookie = owner->cookie;
		rec->start_ns = owner->start_ns;
		rec->role = owner->role;
	} else {
		rec->socket.record.flags = RECORD_NO_ACTOR;
	}
	record_end(slot, -err, LANE_OF_tcp_close);
done:
	if (owner)
		owner_forget(key, owner->share);
	return 0;
}

static __always_inline int on_tcp_state(struct sock *sk, int from, int to, __u32 hook, __u32 tier)
{
	if (to == TCP_SYN_SENT && is_tcp(sk))
		owner_set(sk, TCP_ROLE_CLIENT);
	else if (to == TCP_CLOSE && from != TCP_CLOSE && from != TCP_LISTEN && is_tcp(sk))
		on_tcp_end(sk, from, hook, tier);
	return 0;
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state_tp, struct sock *sk, int from, int to)
{
	return on_tcp_state(sk, from, to, HOOK_tcp_state_tp, 1);
}

SEC("?raw_tp/inet_sock_set_state")
int BPF_PROG(tcp_state_raw, struct sock *sk, int from, int to)
{
	return on_tcp_state(sk, from, to, HOOK_tcp_state_raw, 2);
}
