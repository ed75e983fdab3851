/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes to and comes from port 53: the first bytes of each message, and of no
 * other, for userspace/decode/dns.c to read.  They are in the caller's memory, where
 * the kernel has just taken them from or put them.
 */
#pragma once

#define DNS_PORT 53

/* The canary may not take the port that answers come from. */
static __always_inline bool is_dns(const struct peer *peer)
{
	return peer->port == DNS_PORT || is_canary_now();
}

enum dns_part { DNS_WHOLE, DNS_FIRST, DNS_NEXT, DNS_LAST_PART };

/* A message that other calls go on with, or have begun. Global, for the sake of the callers'
 * stacks. */
__noinline int dns_part(__u64 socket, __u64 at, __u32 len, __u32 pieces, __u32 how)
{
	struct sent sent = {.at = at, .len = len, .how = pieces};
	struct stream *stream = stream_find(socket, STREAM_DATAGRAM);
	struct slot *slot;
	int part = how & UDP_MORE ? stream ? DNS_NEXT : DNS_FIRST : DNS_LAST_PART;

	if (!stream && !(how & UDP_MORE))
		return DNS_WHOLE;
	if (!stream) {
		stream_make(socket, STREAM_DATAGRAM);
		stream = stream_find(socket, STREAM_DATAGRAM);
	}
	slot = stream ? slot_for_bytes() : NULL;
	if (!slot)
		return part;
	sent_copy(slot, &sent, 0, RECORD_DNS_MAX);
	if (stream->kept == stream->have)
		stream_keep(slot->index, socket, STREAM_DATAGRAM);
	stream->have += len;
	slot_release(slot);
	return part;
}

/* Global, for the same reason. */
__noinline int part_give(__u32 index, __u64 socket, __u32 part)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct stream *stream = stream_find(socket, STREAM_DATAGRAM);
	struct dns_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (part == DNS_FIRST)
		rec->flags |= DNS_PART;
	if (!stream)
		return 0;
	rec->message.total = stream->have;
	stream_give(index, socket, STREAM_DATAGRAM, 0, RECORD_DNS_MAX);
	return part == DNS_LAST_PART ? stream_end(socket, STREAM_DATAGRAM) : 0;
}

static __always_inline int on_dns(struct sock *sk, const struct peer *peer, const struct sent *sent,
				  __u32 how, __u32 hook, __u32 tier)
{
	struct control *c = control_get();
	struct dns_record *rec;
	int part = DNS_WHOLE;
	struct slot *slot;

	if (!c || !is_dns(peer) || (__s32)sent->len <= 0)
		return 0;
	if (how & UDP_SENT && (how & UDP_MORE || c->streams))
		part = dns_part((__u64)sk, sent->at, sent->len, sent->how, how);
	if (part == DNS_NEXT)
		return 0;
	slot = record_begin(KIND_dns, hook, tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	socket_fill(slot, READ(sk, sk_socket));
	address_of_peer(&rec->socket.peer, peer);
	rec->flags = how & UDP_SENT ? DNS_SENT : 0;
	if (how & UDP_UNKNOWN)
		rec->socket.record.flags |= RECORD_RESULT_UNKNOWN;
	if (part != DNS_WHOLE)
		part_give(slot->index, (__u64)sk, part);
	else
		sent_copy(slot, sent, 0, RECORD_DNS_MAX);
	return record_end(slot, 0, LANE_OF_dns);
}

/* Is it kept for another call? Once this one is over. */
static __always_inline __u32 udp_more(struct sock *sk)
{
	return READ((struct udp_sock *)sk, pending) ? UDP_MORE : 0;
}

static __always_inline void peer_of_message(struct peer *peer, struct sock *sk, struct msghdr *msg)
{
	const void *name = READ(msg, msg_name);

	if (!name || !peer_of_name(peer, name, false))
		peer_of_socket(peer, sk);
}

SEC("?fexit/udp_sendmsg")
int PROGRAM(dns_send_exit, struct sock *sk, struct msghdr *msg, unsigned long len, int result)
{
	struct peer peer = {};
	struct sent sent = {};

	peer_of_message(&peer, sk, msg);
	if (!is_dns(&peer) || result <= 0)
		return 0;
	sent_of(&sent, msg, result);
	return on_dns((void *)address_number(sk), &peer, &sent, UDP_SENT | udp_more(sk),
		      HOOK_dns_send_exit, 1);
}

SEC("?fentry/udpv6_sendmsg")
int PROGRAM(dns6_send_enter, struct sock *sk, struct msghdr *msg, unsigned long len)
{
	struct peer peer = {};
	struct sent sent = {};

	peer_of_message(&peer, sk, msg);
	if (!is_dns(&peer) || peer.family == AF_INET)
		return 0;
	sent_of(&sent, msg, 0);
	sent.len = len;
	return on_dns((void *)address_number(sk), &peer, &sent,
		      UDP_SENT | UDP_UNKNOWN | (READ(msg, msg_flags) & MSG_MORE ? UDP_MORE : 0),
		      HOOK_dns6_send_enter, 1);
}

/* How many bytes udp_recvmsg or tcp_recvmsg took out of the queue. */
static __always_inline int bytes_taken(__u64 *ctx, enum nargs_of function)
{
	int result, flags;

	switch (settings.nargs[function]) {
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
	return flags & (MSG_PEEK | MSG_ERRQUEUE) ? 0 : result;
}

static __always_inline int dns_received(__u64 *ctx, __u32 hook)
{
	struct sock *sk = (void *)ARGUMENT(ctx, 0);
	struct msghdr *msg = (void *)ARGUMENT(ctx, 1);
	struct peer peer = {};
	struct sent sent = {};
	int result = bytes_taken(ctx, NARGS_UDP_RECEIVE);

	if (result <= 0)
		return 0;
	peer_of_message(&peer, sk, msg);
	if (!is_dns(&peer))
		return 0;
	sent_of(&sent, msg, result);
	return on_dns(sk, &peer, &sent, 0, hook, 1);
}

SEC("?fexit/udp_recvmsg")
int PROGRAM_CTX(dns_receive_exit)
{
	return dns_received(ctx, HOOK_dns_receive_exit);
}

SEC("?fexit/udpv6_recvmsg")
int PROGRAM_CTX(dns6_receive_exit)
{
	return dns_received(ctx, HOOK_dns6_receive_exit);
}
