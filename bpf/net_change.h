/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes to the network, its filters, and the audit: netlink messages, and the socket
 * options and ioctls that were there before.  On tier 1 the messages are the kernel's own
 * copy, which waits by thread until the call is over; what the kernel answers meanwhile
 * is the result.
 */
#pragma once

struct net_change {
	__s32 error; /* that the kernel answered first */
	__u32 len;   /* of bytes */
	__u32 total;
	__u32 kind;
	__u8 bytes[RECORD_CHANGE_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct net_change);
} net_changes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct net_change);
} net_change_zero SEC(".maps");

/*
 * The class that messages to the kernel belong to, 0 for none.  When there are several, all of
 * them are looked at in user space.  The canary's change nothing, whatever the kernel is made of.
 */
static __always_inline __u32 netlink_kind(struct sock *sk, const struct netlink_head *head,
					  __u32 len)
{
	__u16 protocol = READ(sk, sk_protocol);
	struct control *c = control_get();
	bool several = len > ((head->len + 3) & ~3u);

	if (protocol != NETLINK_ROUTE && protocol != NETLINK_XFRM && protocol != NETLINK_AUDIT &&
	    protocol != NETLINK_NETFILTER)
		return 0;
	if (len < sizeof(*head) || (!several && !netlink_changes(protocol, head->type)))
		return 0;
	if (protocol == NETLINK_AUDIT || (c && is_canary(c) && head->sequence))
		return KIND_audit_change;
	return KIND_net_change;
}

static __always_inline struct slot *net_change_begin(struct sock *sk, __u32 kind, __u32 how,
						     __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(kind, hook, tier, sizeof(struct net_change_record));

	if (!slot)
		return NULL;
	if (sk)
		socket_fill(slot, READ(sk, sk_socket));
	((struct net_change_record *)slot->data)->how = how;
	return slot;
}

static __always_inline int net_change_end(struct slot *slot, int result)
{
	return record_end(slot, result, LANE_OF_net_change);
}

/* Bytes behind the record, of the kernel or of the process. */
static __always_inline void net_change_bytes(struct slot *slot, const void *from, __u32 len,
					     bool user)
{
	struct net_change_record *rec = (void *)slot->data;

	rec->bytes.off = sizeof(*rec);
	rec->bytes.total = len;
	if (len > RECORD_CHANGE_MAX)
		len = RECORD_CHANGE_MAX;
	barrier_var(len);
	if (len > RECORD_CHANGE_MAX)
		return;
	if (user ? !bpf_probe_read_user(slot->data + sizeof(*rec), len, from)
		 : !bpf_probe_read_kernel(slot->data + sizeof(*rec), len, from))
		append_done(slot, &rec->bytes, len);
}

SEC("?fentry/security_netlink_send")
int PROGRAM(netlink_enter, struct sock *sk, struct sk_buff *skb)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct netlink_head head = {};
	void *data = READ(skb, data);
	__u32 zero = 0, len = READ(skb, len), kind;
	struct net_change *change = bpf_map_lookup_elem(&net_change_zero, &zero);
	struct slot *slot;

	bpf_probe_read_kernel(&head, sizeof(head), data);
	kind = netlink_kind(sk, &head, len);
	if (!kind || !change || is_off(kind))
		return 0;
	bpf_map_update_elem(&net_changes, &who, change, BPF_ANY);
	change = bpf_map_lookup_elem(&net_changes, &who);
	if (!change) { /* too many at once: told now, without its result */
		slot = net_change_begin(sk, kind, CHANGE_NETLINK, HOOK_netlink_exit, 1);
		if (!slot)
			return 0;
		net_change_bytes(slot, data, len, false);
		((struct record *)slot->data)->flags |= RECORD_RESULT_UNKNOWN;
		return net_change_end(slot, 0);
	}
	change->kind = kind;
	change->total = len;
	if (len > RECORD_CHANGE_MAX)
		len = RECORD_CHANGE_MAX;
	barrier_var(len);
	if (len <= RECORD_CHANGE_MAX && !bpf_probe_read_kernel(change->bytes, len, data))
		change->len = len;
	return 0;
}

/* A message that failed is always answered. */
SEC("?fentry/netlink_ack")
int PROGRAM(netlink_answer, struct sk_buff *skb, void *message, int error)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct net_change *change = error ? bpf_map_lookup_elem(&net_changes, &who) : NULL;

	if (change && !change->error)
		change->error = error;
	return 0;
}

/* Processes may talk to each other, too: that changes nothing. */
static __always_inline bool is_to_kernel(struct sock *sk, const void *name)
{
	struct {
		__u16 family, pad;
		__u32 port;
	} to = {};

	if (!name)
		return !READ((struct netlink_sock *)sk, dst_portid);
	bpf_probe_read_kernel(&to, sizeof(to), name);
	return !to.port;
}

SEC("?fexit/netlink_sendmsg")
int PROGRAM(netlink_exit, struct socket *sock, struct msghdr *msg, unsigned long len, int result)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct net_change *change = bpf_map_lookup_elem(&net_changes, &who);
	struct net_change_record *rec;
	struct sock *sk;
	struct slot *slot;

	if (!change)
		return 0;
	sk = READ(sock, sk);
	slot = is_to_kernel(sk, READ(msg, msg_name))
		       ? net_change_begin(sk, change->kind, CHANGE_NETLINK, HOOK_netlink_exit, 1)
		       : NULL;
	if (slot) {
		net_change_bytes(slot, change->bytes, change->len, false);
		rec = (void *)slot->data;
		rec->bytes.total = change->total;
		net_change_end(slot, result < 0 ? result : change->error);
	}
	bpf_map_delete_elem(&net_changes, &who);
	return 0;
}

/* Tier 2: what the process sent, as it lies in its memory when the call is over. */
__noinline int on_netlink_sent(__u64 socket, __u64 at, __u32 len, __u32 how, __u32 hook)
{
	struct sent sent = {.at = at, .len = len, .how = how};
	struct sock *sk = (void *)socket;
	struct control *c = control_get();
	union { /* for the sake of the stack */
		struct iovec piece;
		struct netlink_head head;
	} in = {};
	struct slot *slot;
	void *from;
	__u32 kind;

	if (!c || !piece_read(&in.piece, &sent, 0))
		return 0;
	from = in.piece.iov_base;
	__builtin_memset(&in, 0, sizeof(in));
	bpf_probe_read_user(&in.head, sizeof(in.head), from);
	kind = netlink_kind(sk, &in.head, len);
	if (!kind || !c->tapped[kind])
		return 0;
	slot = net_change_begin(sk, kind, CHANGE_NETLINK, hook, 2);
	if (!slot)
		return 0;
	((struct record *)slot->data)->flags |= RECORD_RESULT_UNKNOWN;
	sent_copy(slot, &sent, 0, RECORD_OPENING_MAX);
	return net_change_end(slot, 0);
}

static __always_inline bool is_netlink(const struct sock *sk)
{
	return READ(sk, __sk_common.skc_family) == AF_NETLINK;
}

/* An option that changes something; value is in the memory of the process, 0 when not known. */
static __always_inline int on_option(struct sock *sk, __u32 level, __u32 option, __u64 value,
				     int result, __u32 flags, __u32 hook, __u32 tier)
{
	__u32 membership[2] = {0, PACKET_PROMISC};
	struct net_change_record *rec;
	struct slot *slot;

	if (!option_changes(level, option))
		return 0;
	if (level == LEVEL_PACKET) {
		bpf_probe_read_user(membership, sizeof(membership), (void *)value);
		if ((membership[1] & 0xffff) != PACKET_PROMISC)
			return 0;
	}
	slot = net_change_begin(sk, KIND_net_change, CHANGE_OPTION, hook, tier);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->level = level;
	rec->command = option;
	rec->socket.record.flags |= flags;
	if (value)
		net_change_bytes(slot, (void *)value,
				 level == LEVEL_PACKET ? MEMBERSHIP_BYTES : OPTION_BYTES, true);
	return net_change_end(slot, result);
}

/* All ways to set an option come here, before the outcome; the value only with setsockopt itself.
 */
SEC("?fentry/security_socket_setsockopt")
int PROGRAM(option_enter, struct socket *sock, int level, int option)
{
	struct call call = {};
	__u64 value = 0;
	REGS *regs;

	if (!option_changes(level, option))
		return 0;
	regs = current_regs();
	if (regs) {
		bool is_32bit = current_is_compat();

		call_arguments(&call, regs, ADDRESS, is_32bit);
		if (is_setsockopt(call_number(regs), is_32bit))
			value = call.arg[3];
	}
	return on_option(READ(sock, sk), level, option, value, 0, RECORD_RESULT_UNKNOWN,
			 HOOK_option_enter, 1);
}

static __always_inline int on_ioctl(struct call *call)
{
	struct net_change_record *rec;
	struct socket *sock;
	struct slot *slot;

	if (!ioctl_changes(call->arg[1]))
		return 0;
	sock = socket_of_fd(call->arg[0]);
	slot = net_change_begin(sock ? READ(sock, sk) : NULL, KIND_net_change, CHANGE_IOCTL,
				call->hook, call->tier);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->command = call->arg[1];
	if (call->compat)
		rec->socket.record.flags |= RECORD_COMPAT;
	net_change_bytes(slot, (void *)call->arg[2],
			 call->arg[1] == IOCTL_ADD_ROUTE || call->arg[1] == IOCTL_DEL_ROUTE
				 ? IOCTL_ROUTE_BYTES
				 : IOCTL_BYTES,
			 true);
	return net_change_end(slot, call->result);
}
