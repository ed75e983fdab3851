/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tier 2 of messages, special sockets and filters.  A peer that the socket does
 * not have is the address in user memory, read when the call is over.
 */
#pragma once

#define MSG_FASTOPEN	    0x20000000
#define MESSAGES_MAX	    1024 /* UIO_MAXIOV: no call takes more */
#define NAMES_MAX	    16	 /* of one call that are looked at */
#define NR_SOCKETCALL_32BIT 102

#define HEADER_COMPAT	    1
#define HEADER_LENGTH	    2 /* of a struct mmsghdr: the result stands behind it */
#define HEADER_CUT	    4 /* MSG_TRUNC was asked for: more may have come than was put anywhere */
#define HEADER_GONE	    8  /* on a stream: nothing was */
#define HEADER_NONE	    16 /* no struct msghdr but the name itself */

static __always_inline __u64 user_word(__u64 at, bool compat)
{
	__u64 word = 0;

	bpf_probe_read_user(&word, compat ? 4 : 8, (void *)at);
	return word;
}

/* `how` of UDP, and behind it that of the pieces. */
#define UDP_AND_PIECES(how, pieces) ((how) | (pieces) << 8)

/* Of a message of DNS. */
static __always_inline int dns_message(__u64 at, __u64 name, __u64 bytes, __u32 result, __u32 how)
{
	struct sent sent = {.at = bytes, .len = result, .how = how >> 8};
	struct sock *sk = (void *)at;
	struct peer peer = {};

	if (!name || !peer_of_name(&peer, (void *)name, true))
		peer_of_socket(&peer, sk);
	return on_dns(sk, &peer, &sent, how & 0xff, HOOK_tap, 2);
}

/* 1: it is one of DNS. Global, for the sake of the stack and of the loop below. */
__noinline int tap_flow(__u64 at, __u64 name, __u32 result, __u32 how)
{
	struct sock *sk = (void *)at;
	struct peer peer = {};

	if (!name || !peer_of_name(&peer, (void *)name, true))
		peer_of_socket(&peer, sk);
	if (tapped(KIND_udp_flow))
		on_udp(sk, &peer, result, how & 0xff, HOOK_tap, 2);
	return tapped(KIND_dns) && is_dns(&peer);
}

/* Global, for the sake of the stack. */
__noinline int tap_dns(__u64 sk, __u64 name, __u64 bytes, __u32 result, __u32 how)
{
	return dns_message(sk, name, bytes, result, how);
}

static __always_inline int tap_message(__u64 sk, __u64 name, __u64 bytes, __u32 result, __u32 how)
{
	return tap_flow(sk, name, result, how) ? tap_dns(sk, name, bytes, result, how) : 0;
}

/* How the pieces of a struct msghdr are to be read. */
static __always_inline __u32 header_pieces(__u64 at, __u32 form)
{
	bool compat = form & HEADER_COMPAT;
	__u32 flags = 0;

	if (form & HEADER_CUT)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)(at + (compat ? 24 : 48)));
	if (flags & MSG_TRUNC || form & HEADER_GONE)
		return PIECES_HIDDEN;
	return compat ? PIECES_COMPAT : 0;
}

static __always_inline __u32 header_result(__u64 at, __u32 result, __u32 form)
{
	if (!(form & HEADER_LENGTH))
		return result;
	result = 0;
	bpf_probe_read_user(&result, sizeof(result),
			    (void *)(at + (form & HEADER_COMPAT ? 28 : 56)));
	return result;
}

/* A struct msghdr: its name.  Global, or the loop below is dear to verify. */
__noinline int tap_header_flow(__u64 sk, __u64 at, __u32 result, __u32 how, __u32 form)
{
	return tap_flow(sk, user_word(at, form & HEADER_COMPAT), header_result(at, result, form),
			how);
}

/* Its pieces, too. */
__noinline int tap_header_dns(__u64 sk, __u64 at, __u32 result, __u32 how, __u32 form)
{
	bool compat = form & HEADER_COMPAT;

	return dns_message(sk, user_word(at, compat), user_word(at + (compat ? 8 : 16), compat),
			   header_result(at, result, form),
			   UDP_AND_PIECES(how, header_pieces(at, form)));
}

static __always_inline int tap_header(__u64 sk, __u64 at, __u32 result, __u32 how, __u32 form)
{
	return tap_header_flow(sk, at, result, how, form)
		       ? tap_header_dns(sk, at, result, how, form)
		       : 0;
}

__noinline int tap_messages(__u64 sk, __u64 at, __u32 count, __u32 how, __u32 form)
{
	for (__u32 i = 0; i < MESSAGES_MAX; i++) {
		if (i >= count)
			break;
		tap_header(sk, at, 0, how, form | HEADER_LENGTH);
		at += form & HEADER_COMPAT ? 32 : 64;
	}
	return 0;
}

static __always_inline __u32 transfer_flags(const struct call *call)
{
	return call->what == TAP_SENDMSG || call->what == TAP_RECVMSG ? call->arg[2] : call->arg[3];
}

static __always_inline __u32 transfer_form(const struct call *call, __u32 flags)
{
	return (call->compat ? HEADER_COMPAT : 0) |
	       (call->what >= TAP_RECVFROM && flags & MSG_TRUNC ? HEADER_CUT : 0);
}

/* The bytes of sendto and recvfrom; with MSG_TRUNC there may have been more than there is room for.
 */
static __always_inline __u32 plain_pieces(const struct call *call)
{
	return call->result > (__s64)call->arg[2] ? PIECES_HIDDEN : PIECES_ONE;
}

static __always_inline int tap_udp(struct call *call, struct sock *sk, bool sends)
{
	__u32 flags = transfer_flags(call), how = sends ? UDP_SENT | udp_more(sk) : 0;
	__u32 form = transfer_form(call, flags);

	if (!sends && (call->result < 0 || flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return 0;
	switch (call->what) {
	case TAP_SENDTO:
	case TAP_RECVFROM:
		return tap_message((__u64)sk, call->arg[4], call->arg[1], call->result,
				   UDP_AND_PIECES(how, plain_pieces(call)));
	case TAP_SENDMSG:
	case TAP_RECVMSG:
		return tap_header((__u64)sk, call->arg[1], call->result, how, form);
	}
	if (call->result < 0)
		return tap_header((__u64)sk, call->arg[1], call->result, how, form);
	return tap_messages((__u64)sk, call->arg[1], call->result, how, form);
}

/* What a stream took or gave: TCP, or netlink that goes to the kernel. */
static __always_inline int tap_bytes(__u64 socket, __u64 at, __u32 len, __u32 how,
				     __u32 hook_and_tier)
{
	struct sent sent = {.at = at, .len = len, .how = how};

	if (hook_and_tier & HOOK_RECEIVES)
		return on_dns_stream(socket, at, len, how, hook_and_tier);
	if (is_netlink((struct sock *)socket))
		return on_netlink_sent(socket, at, len, how, HOOK_OF(hook_and_tier));
	return on_sent(socket, &sent, hook_and_tier);
}

/* Global, for the sake of the stack and of the loop below. */
__noinline int tap_stream_header(__u64 socket, __u64 at, __u32 len, __u32 form, __u32 hook_bits)
{
	bool compat = form & HEADER_COMPAT;

	if (form & HEADER_LENGTH)
		bpf_probe_read_user(&len, sizeof(len), (void *)(at + (compat ? 28 : 56)));
	return tap_bytes(socket, user_word(at + (compat ? 8 : 16), compat), len,
			 header_pieces(at, form), HOOK_AND_TIER(HOOK_tap, 2) | hook_bits);
}

/* `count` messages of sendmmsg or recvmmsg. */
__noinline int tap_stream(__u64 socket, __u64 at, __u32 count, __u32 form, __u32 hook_bits)
{
	for (__u32 i = 0; i < MESSAGES_MAX && i < count; i++) {
		tap_stream_header(socket, at, 0, form | HEADER_LENGTH, hook_bits);
		at += form & HEADER_COMPAT ? 32 : 64;
	}
	return 0;
}

static __always_inline int tap_streamed(struct call *call, struct sock *sk, bool sends)
{
	__u32 bits = (sends ? 0 : HOOK_RECEIVES) |
		     (READ(sk, sk_protocol) == IPPROTO_MPTCP ? HOOK_MPTCP : 0);
	__u32 flags = transfer_flags(call);
	__u32 form = transfer_form(call, flags);

	if (!sends && flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	if (form & HEADER_CUT)
		form |= HEADER_GONE;
	switch (call->what) {
	case TAP_SENDTO:
	case TAP_RECVFROM:
		return tap_bytes((__u64)sk, call->arg[1], call->result,
				 form & HEADER_GONE ? PIECES_HIDDEN : PIECES_ONE,
				 HOOK_AND_TIER(HOOK_tap, 2) | bits);
	case TAP_SENDMSG:
	case TAP_RECVMSG:
		return tap_stream_header((__u64)sk, call->arg[1], call->result, form, bits);
	}
	return tap_stream((__u64)sk, call->arg[1], call->result, form, bits);
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

	for (__u32 i = 0; i < NAMES_MAX && i < count; i++) {
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

/* TCP in any form. */
static __always_inline bool is_stream(__u16 family, __u16 protocol)
{
	return (family == AF_INET || family == AF_INET6) &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

/* What TCP gave to a process is looked at for DNS alone. */
static __always_inline bool stream_matters(struct sock *sk, bool sends)
{
	if (sends)
		return tapped(KIND_tls_hello) || tapped(KIND_metadata_request) || tapped(KIND_dns);
	return tapped(KIND_dns) &&
	       (READ(sk, __sk_common.skc_dport) == __builtin_bswap16(DNS_PORT) || is_canary_now());
}

static __always_inline int tap_payload(struct call *call, bool sends)
{
	bool udp = tapped(KIND_udp_flow) || tapped(KIND_dns), went = call->result > 0;
	bool tcp = went &&
		   (tapped(KIND_tls_hello) || tapped(KIND_metadata_request) || tapped(KIND_dns));
	bool change = sends && went && (tapped(KIND_net_change) || tapped(KIND_audit_change));
	__u16 family, protocol;
	struct socket *sock;
	struct sock *sk;

	if (!udp && !tcp && !change)
		return 0;
	sock = socket_of_fd(call->arg[0]);
	sk = READ(sock, sk);
	if (!sk)
		return 0;
	family = READ(sk, __sk_common.skc_family);
	protocol = READ(sk, sk_protocol);
	if (is_stream(family, protocol))
		return tcp && stream_matters(sk, sends) ? tap_streamed(call, sk, sends) : 0;
	if (family == AF_NETLINK)
		return change && !is_to_process(call, sk) ? tap_streamed(call, sk, true) : 0;
	if (!udp || (family != AF_INET && family != AF_INET6) || protocol != IPPROTO_UDP ||
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
