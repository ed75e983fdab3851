/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages to a unix socket by its name, without connect: told as one, once for each
 * program of a process, name and result, as long as the table remembers.
 */
#pragma once

struct unix_key {
	struct process_key process;
	__u32 net_ns; /* which abstract names belong to */
	__s32 result;
	__u32 len;
	__u8 name[ADDRESS_RAW_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct unix_key);
	__type(value, __u32);
} unix_told SEC(".maps");

/* What `name` is, a struct sockaddr_un of `len` bytes; false: no name. */
static __always_inline bool unix_key_fill(struct unix_key *key, __u64 name, __u32 len, bool user)
{
	__u32 n = len - 2;
	__u16 family = 0;

	if (len <= 2 || n > ADDRESS_RAW_MAX)
		return false;
	barrier_var(n);
	if (n > ADDRESS_RAW_MAX)
		return false;
	key->len = n;
	if (user) {
		bpf_probe_read_user(&family, sizeof(family), (void *)name);
		return family == AF_UNIX && !bpf_probe_read_user(key->name, n, (void *)(name + 2));
	}
	bpf_probe_read_kernel(&family, sizeof(family), (void *)name);
	return family == AF_UNIX && !bpf_probe_read_kernel(key->name, n, (void *)(name + 2));
}

static __always_inline int unix_tell(const struct unix_key *key, struct socket *sock, __u32 tier)
{
	struct socket_record *rec;
	struct slot *slot = record_begin(KIND_connect, tier == 2 ? HOOK_tap : HOOK_unix_send_exit,
					 tier, sizeof(*rec));

	if (!slot)
		return 0;
	rec = socket_fill(slot, sock);
	rec->peer.family = AF_UNIX;
	rec->peer.len = key->len;
	__builtin_memcpy(rec->peer.data, key->name, ADDRESS_RAW_MAX);
	return record_end(slot, key->result, LANE_OF_connect);
}

/* Global, for the sake of the callers' stacks.  The name is in user memory on tier 2. */
__noinline int unix_sent(__u64 socket, __u64 name, __u32 len, __s32 result, __u32 tier)
{
	struct socket *sock = (void *)socket;
	struct unix_key *key;
	struct slot *slot;
	__u32 one = 1;

	if (is_off(KIND_connect) || !in_scope())
		return 0;
	slot = slot_claim();
	if (!slot) {
		record_missed(KIND_connect);
		return 0;
	}
	key = (void *)slot->path;
	__builtin_memset(key, 0, sizeof(*key));
	if (unix_key_fill(key, name, len, tier == 2)) {
		key_fill(&key->process, (void *)bpf_get_current_task(), ADDRESS);
		key->net_ns = READ(sock, sk, __sk_common.skc_net.net, ns.inum);
		key->result = result < 0 ? result : 0;
		if (!bpf_map_lookup_elem(&unix_told, key)) {
			bpf_map_update_elem(&unix_told, key, &one, BPF_ANY);
			unix_tell(key, sock, tier);
		}
	}
	slot_release(slot);
	return 0;
}

SEC("?fexit/unix_dgram_sendmsg")
int PROGRAM(unix_send_exit, struct socket *sock, struct msghdr *msg, unsigned long size, int result)
{
	int len = GET(TYPED, msg, msg_namelen);

	return len > 0 ? unix_sent(address_number(sock), address_number(GET(TYPED, msg, msg_name)),
				   len, result, 1)
		       : 0;
}
