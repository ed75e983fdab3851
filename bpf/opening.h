/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process says on a TCP connection: the ClientHello of TLS among the first
 * bytes, and requests to the clouds' metadata service.  No table knows which
 * connections are new: the socket itself counts what it sent, so none can be pushed
 * out, and those that are older than the sensor count as well.
 */
#pragma once

#define HELLO_WITHIN  4096 /* of what the connection sends: behind STARTTLS or a proxy's CONNECT */
#define TLS_HANDSHAKE 22
#define TLS_MAJOR     3
#define CLIENT_HELLO  1

/* Global, for the sake of the callers' stacks. */
__noinline int is_metadata(__u64 socket)
{
	struct peer at = {}, *peer = &at;

	peer_of_socket(peer, (struct sock *)socket);
	if (peer->family == AF_INET) {
		switch (__builtin_bswap32(peer->words[0])) {
#define V4(word) case word:
			FOR_EACH_METADATA_V4(V4)
#undef V4
			return true;
		}
		return false;
	}
	if (peer->family != AF_INET6 || peer->words[1] || peer->words[2])
		return false;
#define V6(high, low)                                                                              \
	if (peer->words[0] == __builtin_bswap32(high) && peer->words[3] == __builtin_bswap32(low)) \
		return true;
	FOR_EACH_METADATA_V6(V6)
#undef V6
	return false;
}

/* Did the last `len` bytes that the socket took begin early in its stream? */
static __always_inline bool is_early(struct sock *sk, __u32 len)
{
	struct tcp_sock *tcp = (void *)sk;
	__u64 gone = READ(tcp, bytes_sent) - READ(tcp, bytes_retrans);

	if (gone >= HELLO_WITHIN + (__u64)len)
		return false;
	return gone + (__u32)(READ(tcp, write_seq) - READ(tcp, snd_nxt)) < HELLO_WITHIN + len;
}

/*
 * Six bytes tell; they may lie in two pieces, the header of the record in one of its own.  Global,
 * for the sake of the callers' stacks.
 */
__noinline int starts_hello(__u64 at, __u32 len, __u32 how)
{
	struct sent hello = {.at = at, .len = len, .how = how}, *sent = &hello;
	struct iovec piece = {};
	__u8 head[6] = {};

	if (sent->len < sizeof(head) || !piece_read(&piece, sent, 0))
		return false;
	if (piece.iov_len >= sizeof(head)) {
		bpf_probe_read_user(head, sizeof(head), piece.iov_base);
	} else if (piece.iov_len == sizeof(head) - 1) {
		bpf_probe_read_user(head, sizeof(head) - 1, piece.iov_base);
		if (piece_read(&piece, sent, 1))
			bpf_probe_read_user(&head[5], 1, piece.iov_base);
	}
	return head[0] == TLS_HANDSHAKE && head[1] == TLS_MAJOR && head[5] == CLIENT_HELLO;
}

static __always_inline int on_opening(struct sock *sk, const struct sent *sent, __u32 kind,
				      __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(kind, hook, tier, sizeof(struct opening_record));
	struct opening_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	socket_fill(slot, READ(sk, sk_socket));
	peer_fill(&rec->socket.peer, sk, rec->socket.family);
	sent_copy(slot->index, sent->at, sent->len, sent->how);
	return record_end(slot, 0, LANE_OF_tls_hello);
}

/* Global, for the sake of the callers' stacks. */
__noinline int on_sent(__u64 socket, __u64 at, __u32 len, __u32 how, __u32 hook_and_tier)
{
	__u32 hook = hook_and_tier >> 8, tier = hook_and_tier & 0xff;
	struct sent sent = {.at = at, .len = len, .how = how};
	struct sock *sk = (void *)socket;
	struct control *c = control_get();

	if (!c)
		return 0;
	if (is_on(c, KIND_tls_hello, tier) && is_early(sk, len) && starts_hello(at, len, how))
		return on_opening(sk, &sent, KIND_tls_hello, hook, tier);
	if (!is_on(c, KIND_metadata_request, tier))
		return 0;
	/* the canary can reach no such service */
	if (!is_metadata(socket) && !is_canary(c))
		return 0;
	return on_opening(sk, &sent, KIND_metadata_request, hook, tier);
}

#define HOOK_AND_TIER(hook, tier) ((hook) << 8 | (tier))

SEC("?fexit/tcp_sendmsg")
int BPF_PROG(opening_exit, struct sock *sk, struct msghdr *msg, unsigned long size, int result)
{
	struct sent sent = {};

	if (result <= 0 || !sent_of(&sent, msg, result))
		return 0;
	return on_sent(address_number(sk), sent.at, sent.len, sent.how,
		       HOOK_AND_TIER(HOOK_opening_exit, 1));
}
