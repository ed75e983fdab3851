/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tier 2 of messages, special sockets and filters.  A peer that the socket does
 * not have is the address in user memory, read when the call is over.
 */
#pragma once

#define SOCK_DGRAM   2
#define SOCK_STREAM  1
#define MSG_FASTOPEN 0x20000000
#define MESSAGES_MAX 1024 /* UIO_MAXIOV: no call takes more */

static __always_inline bool tapped(__u32 kind)
{
	struct control *c = control_get();

	return c && c->tapped[kind];
}

/* Global, for the sake of the stack and of the loop below. */
__noinline int tap_message(__u64 at, __u64 name, __u64 bytes, __u32 result, __u32 how)
{
	struct sock *sk = (void *)at;
	struct peer peer = {};

	if (!name || !peer_of_name(&peer, (void *)name, true))
		peer_of_socket(&peer, sk);
	if (tapped(KIND_udp_flow))
		on_udp(sk, &peer, result, how, HOOK_tap, 2);
	if (tapped(KIND_dns))
		on_dns(sk, &peer, bytes, result, how, HOOK_tap, 2);
	return 0;
}

static __always_inline __u64 user_word(__u64 at, bool compat)
{
	__u64 word = 0;

	bpf_probe_read_user(&word, compat ? 4 : 8, (void *)at);
	return word;
}

#define HEADER_COMPAT 1
#define HEADER_LENGTH 2 /* of a struct mmsghdr: the result stands behind it */

/* A struct msghdr: its name, and the first of its pieces.  Global, or the loop below is dear to
 * verify. */
__noinline int tap_header(__u64 sk, __u64 at, __u32 result, __u32 how, __u32 form)
{
	bool compat = form & HEADER_COMPAT;
	__u64 name = user_word(at, compat), iov = user_word(at + (compat ? 8 : 16), compat);

	if (form & HEADER_LENGTH) {
		result = 0;
		bpf_probe_read_user(&result, sizeof(result), (void *)(at + (compat ? 28 : 56)));
	}
	return tap_message(sk, name, user_word(iov, compat), result, how);
}

__noinline int tap_messages(__u64 sk, __u64 at, __u32 count, __u32 how, __u32 compat)
{
	for (__u32 i = 0; i < MESSAGES_MAX; i++) {
		if (i >= count)
			break;
		tap_header(sk, at, 0, how, compat | HEADER_LENGTH);
		at += compat ? 32 : 64;
	}
	return 0;
}

static __always_inline int tap_udp(struct call *call, struct sock *sk)
{
	bool sends = call->what >= TAP_SENDTO && call->what <= TAP_SENDMMSG;
	__u32 how = sends ? UDP_SENT : 0;
	__u32 flags = call->what == TAP_SENDMSG || call->what == TAP_RECVMSG ? call->arg[2]
									     : call->arg[3];

	if (!sends && (call->result < 0 || flags & MSG_PEEK))
		return 0;
	switch (call->what) {
	case TAP_SENDTO:
	case TAP_RECVFROM:
		return tap_message((__u64)sk, call->arg[4], call->arg[1], call->result, how);
	case TAP_SENDMSG:
	case TAP_RECVMSG:
		return tap_header((__u64)sk, call->arg[1], call->result, how, call->compat);
	}
	if (call->result < 0)
		return tap_header((__u64)sk, call->arg[1], call->result, how, call->compat);
	return tap_messages((__u64)sk, call->arg[1], call->result, how, call->compat);
}

/* connect by sending: the socket has the peer by now, or the call failed */
static __always_inline int tap_fastopen(struct call *call)
{
	__u64 name =
		call->what == TAP_SENDTO ? call->arg[4] : user_word(call->arg[1], call->compat);
	struct socket *sock = socket_of_fd(call->arg[0]);
	struct sock *sk = READ(sock, sk);
	struct socket_record *rec;
	struct slot *slot;
	struct peer peer = {};

	if (!sock || !is_tcp(sk) || !peer_of_name(&peer, (void *)name, true))
		return 0;
	slot = call_begin(call, KIND_connect, sizeof(*rec));
	if (!slot)
		return 0;
	rec = socket_fill(slot, sock);
	if (call->result >= 0)
		peer_fill(&rec->peer, sk, rec->family);
	else
		address_of_peer(&rec->peer, &peer);
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_connect);
}

static __always_inline bool is_fastopen(struct call *call)
{
	switch (call->what) {
	case TAP_SENDTO:
		return call->arg[3] & MSG_FASTOPEN && call->arg[4];
	case TAP_SENDMSG:
		return call->arg[2] & MSG_FASTOPEN;
	case TAP_SENDMMSG:
		return call->arg[3] & MSG_FASTOPEN;
	}
	return false;
}

static __always_inline int tap_transfer(struct call *call)
{
	struct socket *sock;
	struct sock *sk;
	__u16 family;

	if (is_fastopen(call))
		return tapped(KIND_connect) ? tap_fastopen(call) : 0;
	if (!tapped(KIND_udp_flow) && !tapped(KIND_dns))
		return 0;
	sock = socket_of_fd(call->arg[0]);
	if (!sock || READ(sock, type) != SOCK_DGRAM)
		return 0;
	sk = READ(sock, sk);
	family = READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) || READ(sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	return tap_udp(call, sk);
}

static __always_inline int tap_net(struct call *call)
{
	struct socket *sock;
	__u32 action;

	switch (call->what) {
	case TAP_SOCKET:
		sock = call->result >= 0 ? socket_of_fd(call->result) : NULL;
		return on_special(sock, call->arg[0], call->arg[1], call->arg[2],
				  call->result < 0 ? call->result : 0, HOOK_tap, 2);
	case TAP_SETSOCKOPT:
		action = filter_action(call->arg[1], call->arg[2]);
		sock = action ? socket_of_fd(call->arg[0]) : NULL;
		return sock ? on_filter(READ(sock, sk), action, call->result, 0, HOOK_tap, 2) : 0;
	case TAP_SENDTO ... TAP_RECVMMSG:
		return tap_transfer(call);
	}
	return 0;
}
