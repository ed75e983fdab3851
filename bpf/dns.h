/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes to and comes from port 53 over UDP: the first bytes of each message,
 * and of no other, for userspace/decode/dns.c to read.  They are in the caller's
 * memory, where the kernel has just taken them from or put them.
 */
#pragma once

#define DNS_PORT 53

/* The canary may not take the port that answers come from. */
static __always_inline bool is_dns(const struct peer *peer)
{
	struct control *c = control_get();

	return peer->port == DNS_PORT || (c && is_canary(c));
}

static __always_inline int on_dns(struct sock *sk, const struct peer *peer, __u64 from, __s32 len,
				  __u32 how, __u32 hook, __u32 tier)
{
	struct dns_record *rec;
	struct slot *slot;
	__u32 n = len;

	if (!is_dns(peer) || len <= 0 || !from)
		return 0;
	slot = record_begin(KIND_dns, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	socket_fill(slot, READ(sk, sk_socket));
	address_of_peer(&rec->socket.peer, peer);
	rec->sent = how & UDP_SENT;
	if (how & UDP_UNKNOWN)
		rec->socket.record.flags |= RECORD_RESULT_UNKNOWN;
	rec->message.off = sizeof(*rec);
	rec->message.total = n;
	if (n > RECORD_DNS_MAX)
		n = RECORD_DNS_MAX;
	barrier_var(n);
	if (n <= RECORD_DNS_MAX && !bpf_probe_read_user(slot->data + sizeof(*rec), n, (void *)from))
		append_done(slot, &rec->message, n);
	return record_end(slot, 0, LANE_OF_dns);
}

/* Where the bytes of a message of one piece begin, once `done` of them were copied; 0: elsewhere.
 */
static __always_inline __u64 bytes_of(struct msghdr *msg, __u32 done)
{
	struct sent sent = {};
	struct iovec *iov;

	if (!sent_of(&sent, msg, done))
		return 0;
	if (sent.how & PIECES_ONE)
		return sent.at;
	iov = (void *)sent.at;
	return READ(iov, iov_len) >= done ? (__u64)READ(iov, iov_base) : 0;
}

static __always_inline void peer_of_message(struct peer *peer, struct sock *sk, struct msghdr *msg)
{
	const void *name = READ(msg, msg_name);

	if (!name || !peer_of_name(peer, name, false))
		peer_of_socket(peer, sk);
}

SEC("?fexit/udp_sendmsg")
int BPF_PROG(dns_send_exit, struct sock *sk, struct msghdr *msg, unsigned long len, int result)
{
	struct peer peer = {};

	peer_of_message(&peer, sk, msg);
	if (!is_dns(&peer) || result <= 0)
		return 0;
	return on_dns(sk, &peer, bytes_of(msg, result), result, UDP_SENT, HOOK_dns_send_exit, 1);
}

SEC("?fentry/udpv6_sendmsg")
int BPF_PROG(dns6_send_enter, struct sock *sk, struct msghdr *msg, unsigned long len)
{
	struct peer peer = {};

	peer_of_message(&peer, sk, msg);
	if (!is_dns(&peer) || peer.family == AF_INET)
		return 0;
	return on_dns(sk, &peer, bytes_of(msg, 0), len, UDP_SENT | UDP_UNKNOWN,
		      HOOK_dns6_send_enter, 1);
}

static __always_inline int dns_received(__u64 *ctx, __u32 hook)
{
	struct sock *sk = (void *)ARGUMENT(ctx, 0);
	struct msghdr *msg = (void *)ARGUMENT(ctx, 1);
	struct peer peer = {};
	int result, flags;

	switch (settings.nargs[NARGS_UDP_RECEIVE]) {
	case 6: /* until 5.18: ec095263a965 */
		flags = ARGUMENT(ctx, 4);
		result = ARGUMENT(ctx, 6);
		break;
	case 5:
		flags = ARGUMENT(ctx, 3);
		result = ARGUMENT(ctx, 5);
		break;
	default:
		flags = ARGUMENT(ctx, 3);
		result = ARGUMENT(ctx, 4);
	}
	if (result <= 0 || flags & MSG_PEEK)
		return 0;
	peer_of_message(&peer, sk, msg);
	if (!is_dns(&peer))
		return 0;
	return on_dns(sk, &peer, bytes_of(msg, result), result, 0, hook, 1);
}

SEC("?fexit/udp_recvmsg")
int dns_receive_exit(__u64 *ctx)
{
	return dns_received(ctx, HOOK_dns_receive_exit);
}

SEC("?fexit/udpv6_recvmsg")
int dns6_receive_exit(__u64 *ctx)
{
	return dns_received(ctx, HOOK_dns6_receive_exit);
}
