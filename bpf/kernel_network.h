/* SPDX-License-Identifier: GPL-2.0 */
/* More of the kernel's types, of network protocols; how: kernel.h. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u64 bytes_sent, bytes_retrans, bytes_acked, bytes_received;
	__u32 write_seq, snd_nxt;
	__u32 segs_in, segs_out, total_retrans;
	bool is_mptcp;
};

struct mptcp_sock {
	struct sock *first;
};

#pragma clang attribute pop
