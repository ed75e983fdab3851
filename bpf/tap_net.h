/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tier 2 of messages, special sockets and filters.  A peer that the socket does
 * not have is the address in user memory, read when the call is over.
 */
#pragma once

#define MSG_FASTOPEN	    0x20000000
#define STREAM_MESSAGES_MAX 16 /* of one call that are looked at */
#define NR_SOCKETCALL_32BIT 102
#define MESSAGES_MAX	    1024 /* UIO_MAXIOV: no call takes more */

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

static __always_inline int tap_udp(struct call *call, struct sock *sk, bool sends)
{
	__u32 flags = call->what == TAP_SENDMSG || call->what == TAP_RECVMSG ? call->arg[2]
									     : call->arg[3];
	__u32 how = sends ? UDP_SENT : 0;

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

static __always_inline int tap_bytes(struct sock *sk, bool netlink, __u64 at, __u32 len, __u32 how)
{
	if (netlink)
		return on_netlink_sent((__u64)sk, at, len, how, HOOK_tap);
	return on_sent((__u64)sk, at, len, how, HOOK_AND_TIER(HOOK_tap, 2));
}

/*
 * What goes out on TCP and to the kernel, by send, sendmsg or sendmmsg: `count` messages, one of
 * them `len` bytes long.  Global, for the sake of the caller's stack.
 */
__noinline int tap_stream(__u64 socket, __u64 at, __u32 len, __u32 count, __u32 form)
{
	struct sock *sk = (void *)socket;
	bool compat = form & HEADER_COMPAT, netlink = is_netlink(sk);

	for (__u32 i = 0; i < STREAM_MESSAGES_MAX && i < count; i++) {
		if (form & HEADER_LENGTH)
			bpf_probe_read_user(&len, sizeof(len), (void *)(at + (compat ? 28 : 56)));
		tap_bytes(sk, netlink, user_word(at + (compat ? 8 : 16), compat), len,
			  compat ? PIECES_COMPAT : 0);
		at += compat ? 32 : 64;
	}
	return 0;
}

static __always_inline int tap_sent(struct call *call, struct sock *sk)
{
	__u32 form = call->compat ? HEADER_COMPAT : 0;

	if (call->what == TAP_SENDTO)
		return tap_bytes(sk, is_netlink(sk), call->arg[1], call->result, PIECES_ONE);
	if (call->what == TAP_SENDMMSG)
		return tap_stream((__u64)sk, call->arg[1], 0, call->result, form | HEADER_LENGTH);
	return tap_stream((__u64)sk, call->arg[1], call->result, 1, form);
}

/* Processes may talk to each other over netlink, too. */
static __always_inline bool is_to_process(struct call *call, struct sock *sk)
{
	__u64 name =
		call->what == TAP_SENDTO ? call->arg[4] : user_word(call->arg[1], call->compat);
	__u32 port = 0;

	if (!name)
		return READ((struct netlink_sock *)sk, dst_portid);
	bpf_probe_read_user(&port, sizeof(port), (void *)(name + 4));
	return port;
}

/* A function for the sake of the stack.  Connect by sending: the socket has the peer by now, or the
 * call failed */
static __noinline int tap_fastopen(struct call *call)
{
	__u64 name =
		call->what == TAP_SENDTO ? call->arg[4] : user_word(call->arg[1], call->compat);
	struct socket *sock = socket_of_fd(call->arg[0]);
	struct sock *sk = READ(sock, sk);
	struct socket_record *rec;
	struct slot *slot;
	struct peer peer = {};
	int result = call->result < 0 ? call->result : 0;

	if (!sock || !is_tcp(sk) || !peer_of_name(&peer, (void *)name, true))
		return 0;
	if (result == -EINPROGRESS)
		result = connect_outcome((__u64)sk);
	if (result == CONNECT_LATER)
		return 0;
	slot = call_begin(call, KIND_connect, sizeof(*rec));
	if (!slot)
		return 0;
	rec = socket_fill(slot, sock);
	if (call->result >= 0)
		peer_fill(&rec->peer, sk, rec->family);
	else
		address_of_peer(&rec->peer, &peer);
	return record_end(slot, result, LANE_OF_connect);
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

/* The length of the name that sendto was given; 32-bit programs may have made it by socketcall. */
static __noinline __u32 sendto_length(void)
{
	REGS *regs = current_regs();
	bool is_32bit = current_is_compat();

#if defined(__TARGET_ARCH_x86)
	if (is_32bit && call_number(regs) == NR_SOCKETCALL_32BIT)
		return user_word(call_second(regs, ADDRESS, true) + 20, true);
#endif
	return call_sixth(regs, is_32bit);
}

#define HEADER_NONE 4 /* no struct msghdr but the name itself */

static __always_inline bool is_unix_name(__u64 name)
{
	__u16 family = 0;

	return name && !bpf_probe_read_user(&family, sizeof(family), (void *)name) &&
	       family == AF_UNIX;
}

/* To unix sockets by name, `count` messages.  Global, for the sake of the stack and of the loop. */
__noinline int tap_unix(int fd, __u64 at, __u32 count, __s32 result, __u32 form)
{
	bool compat = form & HEADER_COMPAT, plain = form & HEADER_NONE;
	struct socket *sock = NULL;

	for (__u32 i = 0; i < STREAM_MESSAGES_MAX && i < count; i++) {
		__u64 name = plain ? at : user_word(at, compat);
		__u32 len = 0;

		if (!is_unix_name(name))
			return 0;
		if (!sock)
			sock = socket_of_fd(fd);
		if (READ(sock, sk, __sk_common.skc_family) != AF_UNIX ||
		    READ(sock, type) != SOCK_DGRAM)
			return 0;
		if (plain)
			len = sendto_length();
		else
			bpf_probe_read_user(&len, sizeof(len), (void *)(at + (compat ? 4 : 8)));
		unix_sent((__u64)sock, name, len, result, 2);
		at += compat ? 32 : 64;
	}
	return 0;
}

static __noinline int tap_named(struct call *call)
{
	bool plain = call->what == TAP_SENDTO;
	bool many = call->what == TAP_SENDMMSG && call->result > 0;

	return tap_unix(call->arg[0], call->arg[plain ? 4 : 1], many ? call->result : 1,
			call->result,
			(call->compat ? HEADER_COMPAT : 0) | (plain ? HEADER_NONE : 0));
}

static __always_inline int tap_payload(struct call *call, bool sends)
{
	bool udp = tapped(KIND_udp_flow) || tapped(KIND_dns);
	bool went = sends && call->result > 0;
	bool tcp = went && (tapped(KIND_tls_hello) || tapped(KIND_metadata_request));
	bool change = went && (tapped(KIND_net_change) || tapped(KIND_audit_change));
	struct socket *sock;
	struct sock *sk;

	if (!udp && !tcp && !change)
		return 0;
	sock = socket_of_fd(call->arg[0]);
	sk = READ(sock, sk);
	if (!sk)
		return 0;
	if (is_tcp(sk))
		return tcp ? tap_sent(call, sk) : 0;
	if (is_netlink(sk))
		return change && !is_to_process(call, sk) ? tap_sent(call, sk) : 0;
	if (!udp || !is_inet(sk) || READ(sk, sk_protocol) != IPPROTO_UDP ||
	    READ(sock, type) != SOCK_DGRAM)
		return 0;
	return tap_udp(call, sk, sends);
}

static __always_inline int tap_transfer(struct call *call)
{
	bool sends = call->what >= TAP_SENDTO && call->what <= TAP_SENDMMSG;

	if (call->what == TAP_RECVMSG && tapped(KIND_file_received))
		tap_received(call);
	if (sends && tapped(KIND_connect)) {
		if (is_fastopen(call))
			tap_fastopen(call);
		else
			tap_named(call);
	}
	return tap_payload(call, sends);
}

static __always_inline int tap_option(struct call *call)
{
	__u32 action = filter_action(call->arg[1], call->arg[2]);
	bool changes = tapped(KIND_net_change) && option_changes(call->arg[1], call->arg[2]);
	struct socket *sock = action || changes ? socket_of_fd(call->arg[0]) : NULL;

	if (!sock)
		return 0;
	if (changes)
		return on_option(READ(sock, sk), call->arg[1], call->arg[2], call->arg[3],
				 call->result, 0, HOOK_tap, 2);
	return tapped(KIND_socket_filter)
		       ? on_filter(READ(sock, sk), action, call->result, 0, HOOK_tap, 2)
		       : 0;
}

static __always_inline int tap_net(struct call *call)
{
	struct socket *sock;

	switch (call->what) {
	case TAP_SOCKET:
		sock = call->result >= 0 ? socket_of_fd(call->result) : NULL;
		return on_special(sock, call->arg[0], call->arg[1], call->arg[2],
				  call->result < 0 ? call->result : 0, HOOK_tap, 2);
	case TAP_SETSOCKOPT:
		return tap_option(call);
	case TAP_SENDTO ... TAP_RECVMMSG:
		return tap_transfer(call);
	}
	return 0;
}
