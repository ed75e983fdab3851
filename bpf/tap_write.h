/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tier 2 of what is sent and received without a call of the send and recv families.  The tap leaves
 * read and write alone, since most are nothing to sockets; these tracepoints are in the way of
 * sockets only (from 6.3: 6e6eda44b939).  Of other ways (sendfile, splice, io_uring) they tell that
 * something was sent, and not what.
 */
#pragma once

/* Calls that the tap looks at itself. */
static __always_inline bool is_transfer(REGS *regs, bool is_32bit)
{
	__u32 nr = call_number(regs), what;
	struct control *c = control_get();

	if (!c || nr >= TAP_SYSCALLS)
		return false;
	barrier_var(nr);
	nr &= TAP_SYSCALLS - 1;
	what = is_32bit ? c->tap_compat[nr] : c->tap_native[nr];
	return what == TAP_SOCKETCALL || (what >= TAP_SENDTO && what <= TAP_RECVMMSG);
}

/* The pieces of read and write, readv and writev; false: none of these. */
static __always_inline bool piece_of_call(struct sent *sent, REGS *regs, bool is_32bit, bool reads)
{
	__u32 nr = call_number(regs);
	struct call call = {};

	if (reads ? is_read(nr, is_32bit) : is_write(nr, is_32bit))
		sent->how = PIECES_ONE;
	else if (reads ? is_readv(nr, is_32bit) : is_writev(nr, is_32bit))
		sent->how = is_32bit || call_is_x32(regs) ? PIECES_COMPAT : 0;
	else
		return false;
	call_arguments(&call, regs, ADDRESS, is_32bit);
	sent->at = call.arg[1];
	return true;
}

SEC("?tp_btf/sock_send_length")
int PROGRAM(socket_write, struct sock *sk, int result, int flags)
{
	struct sent sent = {.len = result, .how = PIECES_HIDDEN};
	__u16 family = sk->__sk_common.skc_family, protocol = sk->sk_protocol;
	bool is_32bit, netlink = family == AF_NETLINK;
	REGS *regs;

	if (result <= 0 || (!netlink && !is_stream(family, protocol)))
		return 0;
	regs = current_regs();
	is_32bit = current_is_compat();
	if (regs && is_transfer(regs, is_32bit))
		return 0;
	if ((!regs || !piece_of_call(&sent, regs, is_32bit, false)) && netlink)
		return 0;
	if (netlink)
		return READ((struct netlink_sock *)sk, dst_portid)
			       ? 0
			       : on_netlink_sent(address_number(sk), sent.at, result, sent.how,
						 HOOK_socket_write);
	return on_sent(address_number(sk), &sent,
		       HOOK_AND_TIER(HOOK_socket_write, 2) |
			       (protocol == IPPROTO_MPTCP ? HOOK_MPTCP : 0));
}

/* Of TCP from port 53 alone. */
SEC("?tp_btf/sock_recv_length")
int PROGRAM(socket_read, struct sock *sk, int result, int flags)
{
	struct sent sent = {.len = result, .how = PIECES_HIDDEN};
	bool is_32bit;
	REGS *regs;

	if (!is_from_dns(sk))
		return 0;
	if (result <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE) ||
	    !is_stream(sk->__sk_common.skc_family, sk->sk_protocol))
		return 0;
	regs = current_regs();
	is_32bit = current_is_compat();
	if (regs && is_transfer(regs, is_32bit))
		return 0;
	if (regs)
		piece_of_call(&sent, regs, is_32bit, true);
	return on_dns_stream(address_number(sk), sent.at, sent.len, sent.how,
			     HOOK_AND_TIER(HOOK_socket_read, 2) | HOOK_RECEIVES);
}
