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
#define TCP_SYN_RECV	3
#define TCP_CLOSE	7
#define TCP_CLOSE_WAIT	8
#define TCP_LISTEN	10
#define O_NONBLOCK	04000
#define NO_TIMEOUT	0x7fffffffffffffffL /* MAX_SCHEDULE_TIMEOUT */
#define ECONNABORTED	103
#define ECONNRESET	104
#define EPIPE		32
#define ETIMEDOUT	110
#define ECONNREFUSED	111

struct owner {
	struct actor actor;
	__u64 start_ns;
	__u64 cookie;
	__u32 share; /* whose entry it is */
	__u16 flags;
	__u8 role;    /* enum tcp_role */
	__u8 waits;   /* its connect may return before it is decided */
	__u8 decided; /* and now it is */
};

#define OWNERS_MAX 32768

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OWNERS_MAX);
	__type(key, __u64);
	__type(value, struct owner);
} owners SEC(".maps");

/*
 * Connects that returned before they were decided, by socket.  Who takes the entry
 * out tells the connect: the end of the handshake, or the call, when that end came
 * between.  `decided` is set before the entry is asked for and read behind its
 * making, and the table's lock orders the two.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} connecting SEC(".maps");

static __always_inline bool is_inet(const struct sock *sk)
{
	return is_ip(READ(sk, __sk_common.skc_family));
}

/* The socket of TCP whose connection it is; NULL for none. */
static __always_inline struct sock *tcp_of(struct sock *sk)
{
	__u16 protocol = READ(sk, sk_protocol);

	if (!is_inet(sk))
		return NULL;
	if (protocol == IPPROTO_MPTCP)
		return subflow_of(sk);
	return protocol == IPPROTO_TCP ? sk : NULL;
}

static __always_inline bool is_tcp(const struct sock *sk)
{
	return is_inet(sk) && READ(sk, sk_protocol) == IPPROTO_TCP;
}

/* Before the handshake is over.  The kernel's own sockets, as MPTCP's subflow was, have no file. */
static __always_inline bool may_return_early(const struct sock *sk, struct socket *sock)
{
	struct file *file = READ(sock, file);

	return !file || READ(file, f_flags) & O_NONBLOCK || READ(sk, sk_sndtimeo) != NO_TIMEOUT;
}

static __always_inline void owner_forget(__u64 at, __u32 share)
{
	if (!bpf_map_delete_elem(&owners, &at))
		share_count(SHARE_OWNERS, share, -1);
}

/* Of another socket at this address, whose end was not seen. */
static __always_inline void owner_drop(__u64 at)
{
	struct owner *before = bpf_map_lookup_elem(&owners, &at);

	if (before)
		owner_forget(at, before->share);
}

static __always_inline void owner_put(__u64 at, const struct owner *owner)
{
	if (!bpf_map_update_elem(&owners, &at, owner, BPF_NOEXIST))
		share_count(SHARE_OWNERS, owner->share, 1);
}

/* The current process connects or has accepted: from here on the connection is its own.  A function
 * of its own, for the sake of the callers' stacks. */
__noinline int owner_set(__u64 at, __u32 role)
{
	const struct sock *sk = (void *)at;
	struct owner owner = {.role = role};
	struct socket *sock = READ(sk, sk_socket);

	owner_drop(at);
	if (!in_scope())
		return 0;
	actor_of_current(&owner.actor);
	owner.share = share_of(SHARE_OWNERS, OWNERS_MAX, &owner.actor);
	if (!owner.share)
		return 0;
	owner.start_ns = bpf_ktime_get_boot_ns();
	if (sock)
		owner.cookie = READ((struct socket_alloc *)sock, vfs_inode.i_ino);
	if (sock && role == TCP_ROLE_CLIENT && may_return_early(sk, sock)) {
		owner.waits = 1;
		owner.flags = call_is_foreign() ? RECORD_COMPAT : 0;
	}
	owner_put(at, &owner);
	return 0;
}

/* The same for who accepts, whose record, where there is one, says who that is. */
__noinline int owner_accepted(__u64 at, __u32 index)
{
	struct sock *sk = tcp_of((void *)at);
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct owner *owner;

	if (!sk || READ(sk, __sk_common.skc_state) == TCP_CLOSE) /* its end was told already */
		return 0;
	at = (__u64)sk;
	if (!slot)
		return owner_set(at, TCP_ROLE_SERVER);
	owner_drop(at);
	owner = (void *)slot->path;
	owner->actor = ((struct record *)slot->data)->actor;
	owner->share = share_of(SHARE_OWNERS, OWNERS_MAX, &owner->actor);
	if (!owner->share)
		return 0;
	owner->start_ns = bpf_ktime_get_boot_ns();
	owner->cookie = ((struct socket_record *)slot->data)->cookie;
	owner->role = TCP_ROLE_SERVER;
	owner->flags = owner->waits = owner->decided = 0;
	owner_put(at, owner);
	return 0;
}

static __always_inline int connect_error(const struct sock *sk)
{
	int err = READ(sk, sk_err);

	return err ? -err : -ECONNABORTED;
}

/*
 * What a connect comes to that returned EINPROGRESS: its result where that is known
 * by now, CONNECT_LATER where it is told when it is, and EINPROGRESS where nobody will tell.
 */
__noinline int connect_outcome(__u64 at)
{
	struct sock *sk = tcp_of((void *)at);
	struct owner *owner;

	if (!sk)
		return -EINPROGRESS;
	at = (__u64)sk;
	owner = bpf_map_lookup_elem(&owners, &at);
	if (owner && owner->waits && !owner->decided) {
		if (bpf_map_update_elem(&connecting, &at, &at, BPF_ANY))
			return -EINPROGRESS;
		owner = bpf_map_lookup_elem(&owners, &at);
		if ((owner && !owner->decided) || bpf_map_delete_elem(&connecting, &at))
			return CONNECT_LATER;
	}
	if (owner)
		return owner->decided ? 0 : -EINPROGRESS;
	switch (READ(sk, __sk_common.skc_state)) {
	case TCP_CLOSE:
		return connect_error(sk);
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return -EINPROGRESS;
	}
	return 0;
}

static __always_inline void tcp_fill(struct socket_record *rec, struct sock *sk)
{
	rec->family = READ(sk, __sk_common.skc_family);
	rec->type = READ(sk, sk_type);
	rec->protocol = IPPROTO_TCP;
	rec->net_ns = READ(sk, __sk_common.skc_net.net, ns.inum);
	local_fill(&rec->local, sk, rec->family);
	/* at its end skc_num is given back already */
	rec->local.port = __builtin_bswap16(READ((struct inet_sock *)sk, inet_sport));
	peer_fill(&rec->peer, sk, rec->family);
}

static __always_inline void owner_fill(struct socket_record *rec, const struct owner *owner)
{
	rec->record.actor = owner->actor;
	rec->cookie = owner->cookie;
}

/* A handshake is over: the connect that began it, where that has not been told. */
__noinline int connect_decided(__u64 at, __s32 result)
{
	struct owner *owner = bpf_map_lookup_elem(&owners, &at);
	__u32 tier = tier_of(KIND_connect);
	struct socket_record *rec;
	struct slot *slot;

	if (!owner || !owner->waits || owner->decided)
		return 0;
	*(volatile __u8 *)&owner->decided = 1;
	if (bpf_map_delete_elem(&connecting, &at))
		return 0;
	slot = record_begin_for(KIND_connect, tier == 2 ? HOOK_tap : HOOK_inet_stream_connect_exit,
				tier, sizeof(*rec), true);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	tcp_fill(rec, (void *)at);
	if (is_subflow((void *)at))
		rec->protocol = IPPROTO_MPTCP;
	owner_fill(rec, owner);
	rec->record.flags = owner->flags;
	rec->begun_ns = owner->start_ns;
	return record_end(slot, result, LANE_OF_connect);
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
	tcp_fill(&rec->socket, sk);
	tcp_counts_fill(rec, (void *)sk);
	rec->reason = end_reason(err, state);
	rec->state = state;
	if (owner) {
		owner_fill(&rec->socket, owner);
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
	__u64 at = address_number(sk);

	if (to == TCP_ESTABLISHED) {
		if (READ(sk, sk_socket)) /* nobody has what is not accepted yet */
			connect_decided(at, 0);
	} else if (to == TCP_SYN_SENT) {
		if (is_tcp(sk))
			owner_set(at, TCP_ROLE_CLIENT);
	} else if (to == TCP_CLOSE && from != TCP_CLOSE && from != TCP_LISTEN && is_tcp(sk)) {
		if (from == TCP_SYN_SENT || from == TCP_SYN_RECV)
			connect_decided(at, connect_error(sk));
		on_tcp_end(sk, from, hook, tier);
	}
	return 0;
}

SEC("?tp_btf/inet_sock_set_state")
int PROGRAM(tcp_state_tp, struct sock *sk, int from, int to)
{
	return on_tcp_state(sk, from, to, HOOK_tcp_state_tp, 1);
}

SEC("?raw_tp/inet_sock_set_state")
int PROGRAM(tcp_state_raw, struct sock *sk, int from, int to)
{
	return on_tcp_state(sk, from, to, HOOK_tcp_state_raw, 2);
}
