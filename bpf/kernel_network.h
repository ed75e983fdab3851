/* SPDX-License-Identifier: GPL-2.0 */
/* More of the kernel's types, of network protocols and messages; how: kernel.h. */
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

struct udp_sock {
	int pending; /* a message is put together: AF_INET or AF_INET6 */
};

struct mptcp_sock {
	struct sock *first;
};

struct iovec {
	void *iov_base;
	unsigned long iov_len;
};

struct iov_iter {
	unsigned long iov_offset, count;
	struct iovec *iov; /* until 6.3 */
};

struct iov_iter___v513 { /* until 5.13: 8cd54c1c8480 */
	unsigned int type;
};

struct iov_iter___v60 { /* from 6.0: fcb14cb1bdac; iter_type from 5.14: 8cd54c1c8480 */
	__u8 iter_type;
	void *ubuf;
};

struct iov_iter___v64 { /* from 6.4: de4f5fed3f23 */
	struct iovec *__iov;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	struct iov_iter msg_iter;
	unsigned int msg_flags;
};

#pragma clang attribute pop
