/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tier 2 of what write and writev send.  The tap leaves them alone, since most are
 * nothing to sockets; this tracepoint is in the way of sockets only (from 6.3:
 * 6e6eda44b939).
 */
#pragma once

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_write, struct sock *sk, int result, int flags)
{
	struct call call = {};
	REGS *regs;
	__u32 nr, how;
	bool is_32bit;

	if (result <= 0 || (!is_tcp(sk) && !is_netlink(sk)))
		return 0;
	regs = current_regs();
	if (!regs)
		return 0;
	nr = call_number(regs);
	is_32bit = current_is_compat();
	if (is_write(nr, is_32bit))
		how = PIECES_ONE;
	else if (is_writev(nr, is_32bit))
		how = is_32bit || call_is_x32(regs) ? PIECES_COMPAT : 0;
	else
		return 0;
	call_arguments(&call, regs, ADDRESS, is_32bit);
	if (is_netlink(sk))
		return READ((struct netlink_sock *)sk, dst_portid)
			       ? 0
			       : on_netlink_sent(address_number(sk), call.arg[1], result, how,
						 HOOK_socket_write);
	return on_sent(address_number(sk), call.arg[1], result, how,
		       HOOK_AND_TIER(HOOK_socket_write, 2));
}
