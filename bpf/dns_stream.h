/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DNS over TCP: messages with their length in two bytes before them, however calls cut them. A
 * message is told when all that is kept of it is there; one whose header came without the rest is
 * told at once, and again when it is whole.
 */
#pragma once

#define DNS_PREFIX	 2
#define DNS_HEADER	 12
#define DNS_KEPT	 (DNS_PREFIX + RECORD_DNS_MAX)
#define DNS_MESSAGES_MAX 64 /* of one call */

_Static_assert(__builtin_offsetof(struct dns_record, message) ==
		       __builtin_offsetof(struct opening_record, bytes),
	       "sent_copy");

/* One call, in the slot that its bytes go through. */
struct dns_call {
	__u64 socket;
	struct sent sent;
	__u32 done;  /* bytes of it that were looked at */
	__u32 total; /* of the message that is to be told, as far as is known */
	__u32 what;  /* enum stream_what */
	__u32 hook, tier;
};

/* What is kept of the message under way. Global, for the sake of the stack. */
__noinline int dns_tell(__u32 index)
{
	struct slot *calls = bpf_map_lookup_elem(&slots, &index), *slot;
	struct dns_record *rec;
	struct dns_call *call;
	struct sock *sk;

	if (!calls)
		return 0;
	call = (void *)calls->path;
	slot = record_begin(KIND_dns, call->hook, call->tier, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	sk = (void *)call->socket;
	socket_fill(slot, READ(sk, sk_socket));
	peer_fill(&rec->socket.peer, sk, rec->socket.family);
	rec->flags = call->what == STREAM_DNS_SENT ? DNS_SENT : 0;
	rec->message.total = call->total;
	stream_give(slot->index, call->socket, call->what, DNS_PREFIX,
		    call->total < RECORD_DNS_MAX ? call->total : RECORD_DNS_MAX);
	return record_end(slot, 0, LANE_OF_dns);
}

/* The length of the message under way, with what says it; 0: not known yet. */
static __always_inline __u32 dns_length(const struct stream *stream)
{
	if (stream->kept < DNS_PREFIX)
		return 0;
	return DNS_PREFIX + ((__u32)stream->bytes[0] << 8 | stream->bytes[1]);
}

/* Is it over, and the next bytes another's? */
static __always_inline bool dns_over(const struct stream *stream)
{
	return stream->have && stream->have == dns_length(stream);
}

enum dns_step { DNS_TELL = 1, DNS_LAST = 2 /* the call has no more */ };

/* One message, or what the call has of it. */
__noinline int dns_step(__u32 index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	__u32 had, left, want, take, told;
	struct dns_call *call;
	struct stream *stream;

	if (!slot)
		return DNS_LAST;
	call = (void *)slot->path;
	stream = stream_find(call->socket, call->what);
	left = call->sent.len - call->done;
	if (!stream) {
		call->total = left;
		return DNS_TELL | DNS_LAST;
	}
	if (dns_over(stream))
		stream->have = stream->kept = stream->told = 0;
	had = stream->have;
	if (stream->kept == had && had < DNS_KEPT) {
		slot->used = sizeof(struct opening_record);
		sent_copy(slot, &call->sent, call->done, DNS_KEPT - had);
		stream_keep(index, call->socket, call->what);
	}
	want = dns_length(stream);
	if (!want && stream->kept == had + left) {
		stream->have = stream->kept;
		return DNS_LAST;
	}
	if (!want) { /* where it ends, nobody can read */
		stream->have = stream->kept = 0;
		call->total = left;
		return DNS_TELL | DNS_LAST;
	}
	take = want - had < left ? want - had : left;
	stream->have = had + take;
	call->done += take;
	call->total = want - DNS_PREFIX;
	told = stream->told;
	if (dns_over(stream) || stream->kept >= DNS_KEPT)
		stream->told = TOLD_ALL;
	else if (stream->kept >= DNS_PREFIX + DNS_HEADER)
		stream->told = TOLD_PART;
	return (stream->told != told && call->total ? DNS_TELL : 0) | (take == left ? DNS_LAST : 0);
}

static __always_inline void dns_call_end(struct slot *slot, struct dns_call *call)
{
	struct stream *stream = stream_find(call->socket, call->what);

	if (!stream)
		return;
	if (dns_over(stream) && call->done < call->sent.len) { /* messages without end */
		stream->kept = stream->have = 0;
		call->total = call->sent.len - call->done;
		dns_tell(slot->index);
	}
	if (!stream->have || dns_over(stream))
		stream_end(call->socket, call->what);
}

/* What one call sent to port 53 or got from there. Global, for the sake of the callers' stacks. */
__noinline int on_dns_stream(__u64 socket, __u64 at, __u32 len, __u32 how, __u32 hook_and_tier)
{
	__u32 what = hook_and_tier & HOOK_RECEIVES ? STREAM_DNS_RECEIVED : STREAM_DNS_SENT;
	struct dns_call *call;
	struct slot *slot;
	int step;

	if (!in_scope() || is_off(KIND_dns))
		return 0;
	slot = slot_for_bytes();
	if (!slot) {
		record_missed(KIND_dns);
		return 0;
	}
	call = (void *)slot->path;
	call->socket = socket;
	call->sent.at = at;
	call->sent.len = len;
	call->sent.how = how;
	call->done = 0;
	call->what = what;
	call->hook = HOOK_OF(hook_and_tier);
	call->tier = TIER_OF(hook_and_tier);
	if (!stream_find(socket, what))
		stream_make(socket, what);
	for (__u32 i = 0; i < DNS_MESSAGES_MAX; i++) {
		step = dns_step(slot->index);
		if (step & DNS_TELL)
			dns_tell(slot->index);
		if (step & DNS_LAST)
			break;
	}
	dns_call_end(slot, call);
	slot_release(slot);
	return 0;
}

/* What everybody receives comes by here. */
static __always_inline bool is_from_dns(struct sock *sk)
{
	return sk->__sk_common.skc_dport == __builtin_bswap16(DNS_PORT) ||
	       is_canary_now(); /* which may not take the port */
}

static __always_inline int dns_stream_received(__u64 *ctx, __u32 hook)
{
	struct sock *sk = (void *)ARGUMENT(ctx, 0);
	struct sent sent = {};
	int result;

	if (!is_from_dns(sk))
		return 0;
	result = bytes_taken(ctx, NARGS_TCP_RECEIVE);
	if (result <= 0)
		return 0;
	sent_of(&sent, (void *)ARGUMENT(ctx, 1), result);
	return on_dns_stream(address_number(sk), sent.at, sent.len, sent.how,
			     HOOK_AND_TIER(hook, 1) | HOOK_RECEIVES);
}

SEC("?fexit/tcp_recvmsg")
int PROGRAM_CTX(dns_stream_exit)
{
	return dns_stream_received(ctx, HOOK_dns_stream_exit);
}

SEC("?fexit/mptcp_recvmsg")
int PROGRAM_CTX(mptcp_receive_exit)
{
	return dns_stream_received(ctx, HOOK_mptcp_receive_exit);
}
