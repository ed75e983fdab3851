/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP by process and peer: the first message is a record at once, later ones are
 * counted in `flows` (and as aggregated in the ledger), and what was counted
 * becomes a record when the reader runs the iterator below.  Nothing is evicted:
 * when the table is full, or the user's share of it (share.h), each message of a flow without an
 * entry is a record. An entry goes when it was idle, and one run of the iterator after its end was
 * marked, so that no program is still adding to it.
 */
#pragma once

#define MSG_PEEK      2
#define MSG_TRUNC     0x20
#define MSG_ERRQUEUE  0x2000
#define MSG_MORE      0x8000
#define IPPROTO_UDP   17
#define IPPROTO_MPTCP 262
#define ETH_P_IP      0x0800
#define ETH_P_IPV6    0x86dd
#define FLOW_QUIET_NS (3 * NS_PER_SECOND)  /* idle so long: tell what was counted */
#define FLOW_TELL_NS  (30 * NS_PER_SECOND) /* busy: tell so often */
#define FLOW_IDLE_NS  (60 * NS_PER_SECOND) /* idle so long: over */

struct peer {
	__u16 family;
	__u16 port;
	__u32 scope_id;
	__u32 mapped;
	__u32 words[4];
};

struct flow_key {
	__u64 start_ns;
	__u32 tgid;
	__u32 net_ns;
	struct peer peer;
	__u32 pad;
};

struct flow {
	struct actor actor;
	struct peer local;
	__u64 cookie;
	__u64 last_ns, told_ns;
	__u64 sent, received, failed, bytes_sent, bytes_received;
	__u32 ended;
	__u16 family; /* of the socket */
	__u8 hook, tier;
	__u32 share; /* whose entry it is */
	__u32 pad;
};

#define FLOWS_MAX 16384

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FLOWS_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

static __always_inline void peer4(struct peer *to, __be32 ip)
{
	to->family = AF_INET;
	to->words[0] = ip;
}

static __always_inline void peer6(struct peer *to, const __u32 words[4])
{
	to->family = AF_INET6;
	to->words[0] = words[0];
	to->words[1] = words[1];
	to->words[2] = words[2];
	to->words[3] = words[3];
	if (words[0] || words[1] || words[2] != __builtin_bswap32(0xffff))
		return;
	to->family = AF_INET;
	to->mapped = 1;
	to->words[0] = words[3];
	to->words[1] = to->words[2] = to->words[3] = 0;
}

static __always_inline void address_of_peer(struct address *to, const struct peer *from)
{
	to->family = from->family;
	to->port = from->port;
	to->scope_id = from->scope_id;
	to->mapped = from->mapped;
	to->len = from->family == AF_INET6 ? 16 : from->family == AF_INET ? 4 : 0;
	__builtin_memcpy(to->data, from->words, 16);
}

/* What a message's name or a system call's address says; false: no IP address. */
static __always_inline bool peer_of_name(struct peer *to, const void *name, bool user)
{
	struct {
		__u16 family;
		__be16 port;
		__u32 v4;
		__u32 v6[4];
		__u32 scope_id;
	} in = {};

	if (user ? bpf_probe_read_user(&in, 8, name) : bpf_probe_read_kernel(&in, 8, name))
		return false;
	if (in.family == AF_INET) {
		peer4(to, in.v4);
	} else if (in.family == AF_INET6) {
		if (user)
			bpf_probe_read_user(&in, sizeof(in), name);
		else
			bpf_probe_read_kernel(&in, sizeof(in), name);
		peer6(to, in.v6);
		to->scope_id = in.scope_id;
	} else {
		return false;
	}
	to->port = __builtin_bswap16(in.port);
	return true;
}

/* What the socket is connected to. */
static __always_inline void peer_of_socket(struct peer *to, struct sock *sk)
{
	__u32 words[4];

	if (!READ(sk, __sk_common.skc_dport))
		return;
	to->port = __builtin_bswap16(READ(sk, __sk_common.skc_dport));
	if (READ(sk, __sk_common.skc_family) == AF_INET) {
		peer4(to, READ(sk, __sk_common.skc_daddr));
		return;
	}
	bpf_core_read(words, sizeof(words), &sk->__sk_common.skc_v6_daddr);
	peer6(to, words);
}

static __always_inline void local_of_socket(struct peer *to, struct sock *sk)
{
	__u32 words[4];

	if (READ(sk, __sk_common.skc_family) == AF_INET) {
		peer4(to, READ(sk, __sk_common.skc_rcv_saddr));
	} else {
		bpf_core_read(words, sizeof(words), &sk->__sk_common.skc_v6_rcv_saddr);
		peer6(to, words);
	}
	to->port = READ(sk, __sk_common.skc_num);
}

#define UDP_SENT    1 /* else received */
#define UDP_UNKNOWN 2 /* the outcome */
#define UDP_MORE    4 /* the message goes on in another call: MSG_MORE, UDP_CORK */

/* One message: its length, or the negative errno that sending it gave. */
static __always_inline void flow_count(struct flow *flow, __s32 result, __u32 how)
{
	if (result < 0) {
		__sync_fetch_and_add(&flow->failed, 1);
	} else if (how & UDP_SENT) {
		__sync_fetch_and_add(&flow->sent, 1);
		__sync_fetch_and_add(&flow->bytes_sent, result);
	} else {
		__sync_fetch_and_add(&flow->received, 1);
		__sync_fetch_and_add(&flow->bytes_received, result);
	}
	flow->last_ns = bpf_ktime_get_boot_ns();
}

static __always_inline void flow_take(__u64 *to, __u64 *from)
{
	__u64 n = *from;

	*to = n;
	__sync_fetch_and_add(from, -n);
}

static __always_inline struct udp_flow_record *flow_record(struct slot *slot,
							   const struct flow *flow,
							   const struct flow_key *key)
{
	struct udp_flow_record *rec = (void *)slot->data;

	rec->socket.family = flow->family;
	rec->socket.type = 2; /* SOCK_DGRAM */
	rec->socket.protocol = IPPROTO_UDP;
	rec->socket.net_ns = key->net_ns;
	rec->socket.cookie = flow->cookie;
	address_of_peer(&rec->socket.local, &flow->local);
	address_of_peer(&rec->socket.peer, &key->peer);
	return rec;
}

static __always_inline int flow_first(struct sock *sk, struct flow_key *key, __s32 result,
				      __u32 how, __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(KIND_udp_flow, hook, tier, sizeof(struct udp_flow_record));
	struct socket *sock = READ(sk, sk_socket);
	struct udp_flow_record *rec;
	struct flow *flow;

	if (!slot)
		return 0;
	flow = (void *)slot->path;
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->actor = ((struct record *)slot->data)->actor;
	flow->family = READ(sk, __sk_common.skc_family);
	flow->cookie = READ((struct socket_alloc *)sock, vfs_inode.i_ino);
	flow->hook = hook;
	flow->tier = tier;
	flow->last_ns = flow->told_ns = bpf_ktime_get_boot_ns();
	local_of_socket(&flow->local, sk);
	rec = flow_record(slot, flow, key);
	flow->share = share_of(SHARE_FLOWS, FLOWS_MAX, &flow->actor);
	if (flow->share && !bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST))
		share_count(SHARE_FLOWS, flow->share, 1);
	if (how & UDP_UNKNOWN)
		rec->socket.record.flags |= RECORD_RESULT_UNKNOWN;
	if (result < 0) {
		rec->failed = 1;
	} else if (how & UDP_SENT) {
		rec->sent = 1;
		rec->bytes_sent = result;
	} else {
		rec->received = 1;
		rec->bytes_received = result;
	}
	return record_end(slot, result < 0 ? result : 0, LANE_OF_udp_flow);
}

static __always_inline int on_udp(struct sock *sk, const struct peer *peer, __s32 result, __u32 how,
				  __u32 hook, __u32 tier)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct flow_key key = {};
	struct ledger_cell *cell;
	struct flow *flow;

	key.start_ns = READ(task, group_leader, start_boottime);
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	key.net_ns = READ(sk, __sk_common.skc_net.net, ns.inum);
	key.peer = *peer;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow || flow->ended)
		return flow_first(sk, &key, result, how, hook, tier);
	flow_count(flow, result, how);
	cell = ledger_cell(KIND_udp_flow);
	if (!cell)
		return 0;
	count(&cell->seen);
	count(&cell->aggregated);
	return 0;
}

SEC("?fexit/udp_sendmsg")
int PROGRAM(udp_send_exit, struct sock *sk, struct msghdr *msg, unsigned long len, int result)
{
	const void *name = READ(msg, msg_name);
	struct peer peer = {};

	if (!name || !peer_of_name(&peer, name, false))
		peer_of_socket(&peer, sk);
	return on_udp(sk, &peer, result, UDP_SENT, HOOK_udp_send_exit, 1);
}

/*
 * At its entry, since it puts another name in place of a mapped one.  Messages to
 * IPv4 go through udp_sendmsg from here and are counted there.
 */
SEC("?fentry/udpv6_sendmsg")
int PROGRAM(udp6_send_enter, struct sock *sk, struct msghdr *msg, unsigned long len)
{
	const void *name = READ(msg, msg_name);
	struct peer peer = {};

	if (!name || !peer_of_name(&peer, name, false))
		peer_of_socket(&peer, sk);
	if (peer.family == AF_INET)
		return 0;
	return on_udp(sk, &peer, len, UDP_SENT | UDP_UNKNOWN, HOOK_udp6_send_enter, 1);
}

/* Each message that a process took, with its packet; the length is negative when it was only looked
 * at. */
SEC("?fentry/skb_consume_udp")
int PROGRAM(udp_receive, struct sock *sk, struct sk_buff *skb, int len)
{
	unsigned char *head = READ(skb, head);
	__be16 protocol = READ(skb, protocol), port = 0;
	struct peer peer = {};
	__u32 words[4] = {};

	if (len < 0)
		return 0;
	bpf_probe_read_kernel(&port, sizeof(port), head + READ(skb, transport_header));
	head += READ(skb, network_header);
	if (protocol == __builtin_bswap16(ETH_P_IP)) {
		bpf_probe_read_kernel(words, 4, head + 12);
		peer4(&peer, words[0]);
	} else if (protocol == __builtin_bswap16(ETH_P_IPV6)) {
		bpf_probe_read_kernel(words, 16, head + 8);
		peer6(&peer, words);
	}
	peer.port = __builtin_bswap16(port);
	return on_udp(sk, &peer, len, 0, HOOK_udp_receive, 1);
}

static __always_inline void flow_tell(struct flow *flow, const struct flow_key *key, __u64 now)
{
	struct slot *slot = record_begin_for(KIND_udp_flow, HOOK_flows, flow->tier,
					     sizeof(struct udp_flow_record), true);
	struct udp_flow_record *rec;

	if (!slot)
		return;
	rec = flow_record(slot, flow, key);
	rec->socket.record.actor = flow->actor;
	rec->from_ns = flow->told_ns;
	flow_take(&rec->sent, &flow->sent);
	flow_take(&rec->received, &flow->received);
	flow_take(&rec->failed, &flow->failed);
	flow_take(&rec->bytes_sent, &flow->bytes_sent);
	flow_take(&rec->bytes_received, &flow->bytes_received);
	flow->told_ns = now;
	record_end(slot, 0, LANE_OF_udp_flow);
}

static __always_inline void flow_visit(const void *at)
{
	struct control *c = control_get();
	__u64 now = bpf_ktime_get_boot_ns();
	struct flow_key key;
	struct flow *flow;

	if (!at || !c)
		return;
	__builtin_memcpy(&key, at, sizeof(key));
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow)
		return;
	if (flow->sent || flow->received || flow->failed) {
		if (c->flush || flow->ended || now - flow->last_ns > FLOW_QUIET_NS ||
		    now - flow->told_ns > FLOW_TELL_NS)
			flow_tell(flow, &key, now);
		return;
	}
	if (flow->ended) {
		__u32 share = flow->share;

		if (!bpf_map_delete_elem(&flows, &key))
			share_count(SHARE_FLOWS, share, -1);
	} else if (now - flow->last_ns > FLOW_IDLE_NS) {
		flow->ended = 1;
	}
}

SEC("?iter/bpf_map_elem")
int flows_tell(struct bpf_iter__bpf_map_elem *ctx)
{
	flow_visit(ctx->key);
	return 0;
}

static long flow_walk(struct bpf_map *map, const void *key, void *value, void *ctx)
{
	flow_visit(key);
	return 0;
}

/* As summaries_walk. */
SEC("?iter/bpf_map")
int flows_walk(struct bpf_iter__bpf_map *ctx)
{
	if (ctx->map && !ctx->meta->seq_num)
		bpf_for_each_map_elem(&flows, flow_walk, NULL, 0);
	return 0;
}
