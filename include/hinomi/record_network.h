/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records about sockets. */
#pragma once

#include "record.h"

/* connect, accept, listen, bind */
struct socket_record {
	struct record record;
	struct address local;
	struct address peer; /* family 0: none */
	__u64 cookie;
	__u64 begun_ns; /* of a connect that did not wait: when it was asked for; else 0 */
	__u16 family, type;
	__u16 protocol, pad;
	__u32 net_ns;
	__u32 backlog;
	__u32 peer_tgid;
	__u32 pad2;
};

/* Why a connection ended, of struct tcp_close_record; numbers of TcpClose.Reason. */
enum tcp_end {
	TCP_END_UNSPECIFIED,
	TCP_END_NORMAL, /* both sides closed */
	TCP_END_RESET,	/* by the peer */
	TCP_END_TIMEOUT,
	TCP_END_REFUSED, /* it never came to be */
	TCP_END_ABORTED, /* by this side, with a reset or before it was established */
	TCP_END_ERROR,	 /* record.result says which */
};

struct tcp_close_record {
	struct socket_record socket;
	__u64 start_ns; /* of connect or accept; 0: not seen */
	__u64 bytes_sent, bytes_acked, bytes_received;
	__u32 segments_sent, segments_received, segments_retransmitted;
	__u16 reason; /* enum tcp_end */
	__u16 state;  /* TCP_* that it had before */
	__u16 role;   /* enum tcp_role */
	__u16 pad[3];
};

enum tcp_role { TCP_ROLE_UNKNOWN, TCP_ROLE_CLIENT, TCP_ROLE_SERVER };

/* What went between a process and a peer since its last record, this message included. */
struct udp_flow_record {
	struct socket_record socket;
	__u64 from_ns; /* 0: this is the first message */
	__u64 sent, received, failed;
	__u64 bytes_sent, bytes_received;
};

#define RECORD_DNS_MAX 512

/* A message to or from port 53. */
struct dns_record {
	struct socket_record socket;
	struct bytes_ref message; /* its first RECORD_DNS_MAX bytes */
	__u32 flags;		  /* enum dns_flags */
};

enum dns_flags {
	DNS_SENT = 1, /* else received */
	DNS_PART = 2, /* more of the message is to come in other calls */
};

#define RECORD_OPENING_MAX 4096

/* What a process sent on a TCP connection: a ClientHello, or a request to the metadata service. */
struct opening_record {
	struct socket_record socket;
	struct bytes_ref bytes; /* the first RECORD_OPENING_MAX of them */
	__u32 pad;
};

#define RECORD_CHANGE_MAX 2048 /* on tier 1 */
#define OPTION_BYTES	  32
#define MEMBERSHIP_BYTES  8
#define IOCTL_BYTES	  32 /* a 32-bit struct ifreq, which has what others begin with */
#define IOCTL_ROUTE_BYTES 56 /* of struct rtentry, its addresses */

enum change_how { CHANGE_NETLINK = 1, CHANGE_OPTION, CHANGE_IOCTL };

/* As opening_record begins, so that one function appends the bytes. */
struct net_change_record {
	struct socket_record socket;
	struct bytes_ref bytes; /* messages, the option's value, what the argument points to */
	__u32 how;		/* enum change_how */
	__u32 level;		/* of an option */
	__u32 command;		/* which option or ioctl */
};

/* struct nlmsghdr */
struct netlink_head {
	__u32 len;
	__u16 type, flags;
	__u32 sequence, port;
};

enum filter_action {
	FILTER_ATTACH = 1, /* classic BPF */
	FILTER_ATTACH_BPF,
	FILTER_DETACH,
	FILTER_LOCK,
};

struct socket_filter_record {
	struct socket_record socket;
	struct bytes_ref program; /* classic: struct sock_filter each */
	__u32 action;		  /* enum filter_action */
	__u32 instructions;
	__u32 program_id;
	__u8 tag[8];
	__u32 reuseport;
};
