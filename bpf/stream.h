/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages that come in several calls: the first bytes of each until it is whole. Who has begun
 * none pays a look at a flag. Where there is no room the entry that was used longest ago leaves,
 * and the message that it stood for is told as far as it went by then. Each cpu has entries of its
 * own: one list for all would give them to whoever asks first, by the hundred.
 */
#pragma once

#define STREAM_BYTES 2048

enum stream_what {
	STREAM_HELLO = 1,
	STREAM_REQUEST,
	STREAM_DNS_SENT,
	STREAM_DNS_RECEIVED,
	STREAM_DATAGRAM,
};

struct stream_key {
	__u64 sk;
	__u32 inode; /* of the socket: addresses are used again */
	__u32 what;  /* enum stream_what */
};

struct stream {
	__u32 have; /* bytes of the message so far */
	__u32 kept; /* the first of them, which are here */
	__u32 told; /* enum stream_told */
	__u32 pad;
	__u8 bytes[2 * STREAM_BYTES]; /* half of it for the verifier */
};

enum stream_told { TOLD_PART = 1, TOLD_ALL };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STREAMS_PER_CPU); /* set before load: per cpu */
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
	__type(key, struct stream_key);
	__type(value, struct stream);
} streams SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stream);
} stream_zero SEC(".maps");

static __always_inline void stream_key_of(struct stream_key *key, __u64 socket, __u32 what)
{
	struct sock *sk = (void *)socket;
	struct socket *sock = READ(sk, sk_socket);

	key->sk = socket;
	key->inode = READ((struct socket_alloc *)sock, vfs_inode.i_ino);
	key->what = what;
}

static __always_inline struct stream *stream_find(__u64 socket, __u32 what)
{
	struct stream_key key = {};

	stream_key_of(&key, socket, what);
	return bpf_map_lookup_elem(&streams, &key);
}

/* Global, for the sake of the callers' stacks. */
__noinline int stream_make(__u64 socket, __u32 what)
{
	struct control *c = control_get();
	struct stream_key key = {};
	struct stream *stream;
	__u32 zero = 0;

	stream_key_of(&key, socket, what);
	stream = bpf_map_lookup_elem(&stream_zero, &zero);
	if (!c || !stream)
		return 0;
	c->streams = 1;
	bpf_map_update_elem(&streams, &key, stream, BPF_ANY);
	return 0;
}

__noinline int stream_end(__u64 socket, __u32 what)
{
	struct stream_key key = {};

	stream_key_of(&key, socket, what);
	bpf_map_delete_elem(&streams, &key);
	return 0;
}

/* Is a message of this kind under way on the socket? */
static __always_inline bool stream_goes_on(const struct control *c, __u64 socket, __u32 what)
{
	return c->streams && stream_find(socket, what);
}

/*
 * What sent_copy put into the slot of these bytes comes behind what is here. Global, for the sake
 * of the callers' stacks; the socket is that of the entry.
 */
__noinline int stream_keep(__u32 index, __u64 socket, __u32 what)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct stream *stream = stream_find(socket, what);
	struct opening_record *rec;
	__u32 n, have, from;

	if (!slot || !stream)
		return 0;
	rec = (void *)slot->data;
	have = stream->kept;
	if (have > STREAM_BYTES)
		return 0;
	n = rec->bytes.len;
	if (n > STREAM_BYTES - have)
		n = STREAM_BYTES - have;
	from = rec->bytes.off;
	barrier_var(from);
	from &= 1023;
	barrier_var(n);
	if (!n || n > STREAM_BYTES)
		return 0;
	barrier_var(have);
	if (have >= STREAM_BYTES)
		return 0;
	bpf_probe_read_kernel(stream->bytes + have, n, slot->data + from);
	stream->kept = have + n;
	return 0;
}

/* The other way round: the record's bytes are those of the entry, from `skip` on and at most `max`.
 */
__noinline int stream_give(__u32 index, __u64 socket, __u32 what, __u32 skip, __u32 max)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct stream *stream = stream_find(socket, what);
	struct opening_record *rec;
	__u32 n, from;

	if (!slot || !stream)
		return 0;
	rec = (void *)slot->data;
	n = stream->kept > skip ? stream->kept - skip : 0;
	if (n > max)
		n = max;
	if (!rec->bytes.off)
		rec->bytes.off = slot->used;
	from = rec->bytes.off;
	barrier_var(from);
	from &= 1023;
	barrier_var(n);
	barrier_var(skip);
	if (n > STREAM_BYTES || skip > STREAM_BYTES - 1)
		return 0;
	bpf_probe_read_kernel(slot->data + from, n, stream->bytes + skip);
	rec->bytes.len = n;
	slot->used = from + ((n + 7) & ~7u);
	return 0;
}

/* A slot for the bytes alone, of no event; NULL: too many at once, and these are not looked at. */
static __always_inline struct slot *slot_for_bytes(void)
{
	struct slot *slot = slot_claim();

	if (slot) {
		__builtin_memset(slot->data, 0, sizeof(struct opening_record));
		slot->used = sizeof(struct opening_record);
	}
	return slot;
}
