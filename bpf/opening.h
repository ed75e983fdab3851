/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process says on a TCP connection: the ClientHello of TLS among the first
 * bytes, and requests to the clouds' metadata service.  No table knows which
 * connections are new: the socket itself counts what it sent, so none can be pushed
 * out, and those that are older than the sensor count as well.  What comes in pieces
 * is told with the first of them, and a hello again when it is whole.
 */
#pragma once

#define HELLO_WITHIN  4096 /* of what the connection sends: behind STARTTLS or a proxy's CONNECT */
#define TLS_HANDSHAKE 22
#define TLS_MAJOR     3
#define CLIENT_HELLO  1
#define HELLO_HEAD    6 /* bytes that tell */
#define PORT_HTTPS    443
#define PORT_DOT      853

enum peer_is { PEER_OTHER, PEER_METADATA, PEER_DNS };

/* Global, for the sake of the callers' stacks. */
__noinline int peer_is(__u64 socket)
{
	struct peer at = {}, *peer = &at;

	peer_of_socket(peer, (struct sock *)socket);
	if (peer->port == DNS_PORT)
		return PEER_DNS;
	if (peer->family == AF_INET) {
		switch (__builtin_bswap32(peer->words[0])) {
#define V4(word) case word:
			FOR_EACH_METADATA_V4(V4)
#undef V4
			return PEER_METADATA;
		}
		return PEER_OTHER;
	}
	if (peer->family != AF_INET6 || peer->words[1] || peer->words[2])
		return PEER_OTHER;
#define V6(high, low)                                                                              \
	if (peer->words[0] == __builtin_bswap32(high) && peer->words[3] == __builtin_bswap32(low)) \
		return PEER_METADATA;
	FOR_EACH_METADATA_V6(V6)
#undef V6
	return PEER_OTHER;
}

/* Did the last `len` bytes that the socket took begin within the first `within` of its stream? */
static __always_inline bool is_early(struct sock *sk, __u32 len, __u32 within)
{
	struct tcp_sock *tcp = (void *)sk;
	__u64 gone = READ(tcp, bytes_sent) - READ(tcp, bytes_retrans);

	if (gone >= within + (__u64)len)
		return false;
	return gone + (__u32)(READ(tcp, write_seq) - READ(tcp, snd_nxt)) < within + len;
}

enum hello { HELLO_NONE, HELLO_PERHAPS, HELLO_SURE, HELLO_PIECES };

static __always_inline int hello_is(const __u8 head[HELLO_HEAD], __u32 len)
{
	if (!len || head[0] != TLS_HANDSHAKE || (len > 1 && head[1] != TLS_MAJOR))
		return HELLO_NONE;
	if (len < HELLO_HEAD)
		return HELLO_PERHAPS;
	return head[5] == CLIENT_HELLO ? HELLO_SURE : HELLO_NONE;
}

/* The same of bytes in small pieces. Global, as most calls have none. */
__noinline int hello_in_pieces(__u64 at, __u32 len, __u32 how)
{
	struct sent sent = {.at = at, .len = len, .how = how};
	struct opening_record *rec;
	struct slot *slot = slot_for_bytes();
	int is;

	if (!slot)
		return HELLO_NONE;
	rec = (void *)slot->data;
	sent_copy(slot, &sent, 0, HELLO_HEAD);
	is = hello_is((__u8 *)(rec + 1), rec->bytes.len);
	slot_release(slot);
	return is;
}

/* Most have all that tells in their first piece. Global, for the sake of the callers' stacks. */
__noinline int starts_hello(__u64 at, __u32 len, __u32 how)
{
	struct sent hello = {.at = at, .len = len, .how = how}, *sent = &hello;
	struct iovec piece = {};
	__u8 head[HELLO_HEAD] = {};

	if (!piece_read(&piece, sent, 0))
		return HELLO_NONE;
	if (piece.iov_len >= sizeof(head)) {
		bpf_probe_read_user(head, sizeof(head), piece.iov_base);
		return hello_is(head, sizeof(head));
	}
	if (piece.iov_len) {
		bpf_probe_read_user(head, 1, piece.iov_base);
		if (head[0] != TLS_HANDSHAKE)
			return HELLO_NONE;
	}
	return HELLO_PIECES;
}

/* How long it seems to be, with the heads of records of the same size; as far as it is kept. */
static __always_inline __u32 hello_size(const __u8 *bytes, __u32 len)
{
	__u32 size, record;

	if (len < 9)
		return 9;
	record = (__u32)bytes[3] << 8 | bytes[4];
	size = 4 + ((__u32)bytes[6] << 16 | (__u32)bytes[7] << 8 | bytes[8]);
	if (record)
		size += 5 * ((size + record - 1) / record);
	return size < STREAM_BYTES ? size : STREAM_BYTES;
}

static __always_inline struct slot *opening_begin(struct sock *sk, __u32 kind, __u32 hook,
						  __u32 tier)
{
	struct slot *slot = record_begin(kind, hook, tier, sizeof(struct opening_record));
	struct opening_record *rec;

	if (!slot)
		return NULL;
	rec = (void *)slot->data;
	socket_fill(slot, READ(sk, sk_socket));
	peer_fill(&rec->socket.peer, sk, rec->socket.family);
	return slot;
}

static __always_inline int on_hello(struct sock *sk, const struct sent *sent, __u32 hook,
				    __u32 tier)
{
	struct slot *slot = opening_begin(sk, KIND_tls_hello, hook, tier);
	struct opening_record *rec;
	struct stream *stream;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	sent_copy(slot, sent, 0, RECORD_OPENING_MAX);
	if (rec->bytes.len && rec->bytes.len < hello_size((__u8 *)(rec + 1), rec->bytes.len)) {
		stream_make((__u64)sk, STREAM_HELLO);
		stream_keep(slot->index, (__u64)sk, STREAM_HELLO);
		stream = stream_find((__u64)sk, STREAM_HELLO);
		if (stream)
			stream->told = TOLD_PART;
	}
	return record_end(slot, 0, LANE_OF_tls_hello);
}

/* As far as it is here. Global, for the sake of the callers' stacks. */
__noinline int hello_tell(__u64 socket, __u32 hook_and_tier)
{
	struct slot *slot = opening_begin((void *)socket, KIND_tls_hello, HOOK_OF(hook_and_tier),
					  TIER_OF(hook_and_tier));

	if (!slot)
		return 0;
	stream_give(slot->index, socket, STREAM_HELLO, 0, STREAM_BYTES);
	return record_end(slot, 0, LANE_OF_tls_hello);
}

enum goes_on { HELLO_TELL = 1, HELLO_END = 2 };

/* More of what is a hello or may become one; bytes that nobody can read are its end. */
__noinline int hello_goes_on(__u64 socket, __u64 at, __u32 len, __u32 how)
{
	struct sent sent = {.at = at, .len = len, .how = how};
	struct stream *stream = stream_find(socket, STREAM_HELLO);
	struct slot *slot = slot_for_bytes();
	struct opening_record *rec;
	bool hidden;
	int is;

	if (!slot)
		return 0;
	if (!stream) {
		slot_release(slot);
		return 0;
	}
	rec = (void *)slot->data;
	sent_copy(slot, &sent, 0, STREAM_BYTES);
	stream_keep(slot->index, socket, STREAM_HELLO);
	hidden = rec->bytes.len < rec->bytes.total;
	slot_release(slot);
	is = hello_is(stream->bytes, stream->kept);
	if (is == HELLO_SURE && stream->kept >= hello_size(stream->bytes, stream->kept))
		return HELLO_TELL | HELLO_END;
	if (is == HELLO_NONE || (is == HELLO_PERHAPS && hidden))
		return HELLO_END | (is == HELLO_PERHAPS ? HELLO_TELL : 0);
	if (is == HELLO_PERHAPS || stream->told)
		return hidden ? HELLO_END : 0;
	stream->told = TOLD_PART;
	return HELLO_TELL | (hidden ? HELLO_END : 0);
}

static __always_inline void on_hello_more(__u64 socket, const struct sent *sent,
					  __u32 hook_and_tier)
{
	int step = hello_goes_on(socket, sent->at, sent->len, sent->how);

	if (step & HELLO_TELL)
		hello_tell(socket, hook_and_tier);
	if (step & HELLO_END)
		stream_end(socket, STREAM_HELLO);
}

static __always_inline bool request_begins(const __u8 *bytes)
{
	__u32 word =
		bytes[0] | (__u32)bytes[1] << 8 | (__u32)bytes[2] << 16 | (__u32)bytes[3] << 24;

	switch (__builtin_bswap32(word)) {
	case 0x47455420: /* GET */
	case 0x50555420: /* PUT */
	case 0x504f5354: /* POST */
	case 0x48454144: /* HEAD */
		return true;
	}
	return false;
}

/* Do the bytes of the record end as the headers of a request do? */
static __always_inline bool request_ends(struct slot *slot)
{
	struct opening_record *rec = (void *)slot->data;
	__u32 at = rec->bytes.off + rec->bytes.len - 4, word = 0;

	if (rec->bytes.len < 4)
		return false;
	barrier_var(at);
	at &= 8191;
	bpf_probe_read_kernel(&word, sizeof(word), slot->data + at);
	return word == __builtin_bswap32(0x0d0a0d0a);
}

/* A request in several calls is told with each of them, as far as it went by then. Global, for the
 * sake of the callers' stacks. */
__noinline int request_join(__u32 index, __u64 socket)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct control *c = control_get();
	struct opening_record *rec;
	bool begins, goes_on;

	if (!slot || !c)
		return 0;
	rec = (void *)slot->data;
	begins = rec->bytes.len >= 4 && request_begins((__u8 *)(rec + 1));
	goes_on = stream_goes_on(c, socket, STREAM_REQUEST);
	if (begins || !goes_on) {
		if (request_ends(slot) || (!begins && rec->bytes.len >= 4) || !rec->bytes.len)
			return goes_on ? stream_end(socket, STREAM_REQUEST) : 0;
		stream_make(socket, STREAM_REQUEST);
		return stream_keep(index, socket, STREAM_REQUEST);
	}
	if (rec->bytes.len < rec->bytes.total) /* the next would not follow */
		return stream_end(socket, STREAM_REQUEST);
	stream_keep(index, socket, STREAM_REQUEST);
	stream_give(index, socket, STREAM_REQUEST, 0, STREAM_BYTES);
	return request_ends(slot) ? stream_end(socket, STREAM_REQUEST) : 0;
}

static __always_inline int on_request(struct sock *sk, const struct sent *sent, __u32 hook,
				      __u32 tier)
{
	struct slot *slot = opening_begin(sk, KIND_metadata_request, hook, tier);

	if (!slot)
		return 0;
	sent_copy(slot, sent, 0, RECORD_OPENING_MAX);
	request_join(slot->index, (__u64)sk);
	return record_end(slot, 0, LANE_OF_metadata_request);
}

/* Bytes that nobody can read, the first of a connection, to where TLS is spoken. */
static __always_inline bool hides_hello(struct sock *sk, __u32 len, __u32 how, __u32 hook_and_tier)
{
	__u16 port = __builtin_bswap16(READ(sk, __sk_common.skc_dport));

	return how & PIECES_HIDDEN && !(hook_and_tier & HOOK_MPTCP) && is_early(sk, len, 1) &&
	       (port == PORT_HTTPS || port == PORT_DOT);
}

/* True: they are told. Global, for the sake of the callers' stacks. */
__noinline int early_sent(__u64 socket, __u64 at, __u32 len, __u32 how, __u32 hook_and_tier)
{
	struct sent sent = {.at = at, .len = len, .how = how};
	struct sock *sk = (void *)socket;
	struct control *c = control_get();
	int is;

	if (!c)
		return 0;
	if (stream_goes_on(c, socket, STREAM_HELLO)) {
		on_hello_more(socket, &sent, hook_and_tier);
		return 0;
	}
	is = starts_hello(at, len, how);
	if (is == HELLO_PIECES)
		is = hello_in_pieces(at, len, how);
	if (is == HELLO_SURE || hides_hello(sk, len, how, hook_and_tier)) {
		on_hello(sk, &sent, HOOK_OF(hook_and_tier), TIER_OF(hook_and_tier));
		return 1;
	}
	if (is == HELLO_PERHAPS && in_scope()) {
		stream_make(socket, STREAM_HELLO);
		on_hello_more(socket, &sent, hook_and_tier);
	}
	return 0;
}

/* A request, or part of one. Global, for the sake of the callers' stacks. */
__noinline int request_sent(__u64 socket, __u64 at, __u32 len, __u32 how, __u32 hook_and_tier)
{
	struct sent sent = {.at = at, .len = len, .how = how};

	return on_request((void *)socket, &sent, HOOK_OF(hook_and_tier), TIER_OF(hook_and_tier));
}

enum sent_is { SENT_EARLY = 1, SENT_DNS = 2, SENT_METADATA = 4 };

/* What is to be looked at. Global, for the sake of the callers' stacks. */
__noinline int sent_is(__u64 socket, __u32 len, __u32 hook_and_tier)
{
	__u32 tier = TIER_OF(hook_and_tier), is = 0;
	struct control *c = control_get();
	int peer;

	if (!c)
		return 0;
	if (is_on(c, KIND_tls_hello, tier) &&
	    (hook_and_tier & HOOK_MPTCP || is_early((struct sock *)socket, len, HELLO_WITHIN)))
		is = SENT_EARLY;
	peer = peer_is(socket);
	if (peer == PEER_DNS)
		return is_on(c, KIND_dns, tier) ? is | SENT_DNS : is;
	/* the canary can reach no such service */
	if (is_on(c, KIND_metadata_request, tier) && (peer == PEER_METADATA || is_canary(c)))
		is |= SENT_METADATA;
	return is;
}

static __always_inline int on_sent(__u64 socket, const struct sent *sent, __u32 hook_and_tier)
{
	int is = sent_is(socket, sent->len, hook_and_tier);

	if (is & SENT_EARLY && early_sent(socket, sent->at, sent->len, sent->how, hook_and_tier))
		return 0;
	if (is & SENT_DNS)
		return on_dns_stream(socket, sent->at, sent->len, sent->how, hook_and_tier);
	if (is & SENT_METADATA)
		return request_sent(socket, sent->at, sent->len, sent->how, hook_and_tier);
	return 0;
}

SEC("?fexit/tcp_sendmsg")
int PROGRAM(opening_exit, struct sock *sk, struct msghdr *msg, unsigned long size, int result)
{
	struct sent sent = {};

	if (result <= 0)
		return 0;
	sent_of(&sent, msg, result);
	return on_sent(address_number(sk), &sent, HOOK_AND_TIER(HOOK_opening_exit, 1));
}

/* Pages of a file or a pipe (sendfile, splice), until 6.4; they go through the other since. */
SEC("?fexit/tcp_sendpage")
int PROGRAM(sendpage_exit, struct sock *sk, void *page, int offset, unsigned long size, int flags,
	    int result)
{
	struct sent sent = {.len = result, .how = PIECES_HIDDEN};

	if (result <= 0)
		return 0;
	return on_sent(address_number(sk), &sent, HOOK_AND_TIER(HOOK_sendpage_exit, 1));
}

/* Nothing of it goes through the other, and how much was sent is not counted. */
SEC("?fexit/mptcp_sendmsg")
int PROGRAM(mptcp_send_exit, struct sock *sk, struct msghdr *msg, unsigned long size, int result)
{
	struct sent sent = {};

	if (result <= 0)
		return 0;
	sent_of(&sent, msg, result);
	return on_sent(address_number(sk), &sent,
		       HOOK_AND_TIER(HOOK_mptcp_send_exit, 1) | HOOK_MPTCP);
}
