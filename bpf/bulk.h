/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bulk lane when its ring gets full: a record that repeats is not sent but counted in
 * `summaries`, by class, process, object and result, and as aggregated in the ledger.  It takes no
 * number, so no hole is left.  The last quarter of the ring stays for what is told by more than its
 * object, and the last eighth for classes that are in no list below: forks, ends of processes,
 * programs.
 *
 * What was counted becomes a record when the reader runs the iterator below.  The reader gives each
 * time a number (control.turn), which is part of the key: an entry that is two turns old is added
 * to by no program any more, is told, and taken away only when its record is in the ring.  Nothing
 * is evicted; when the table is full, records go to the ring as always.
 */
#pragma once

#define OBJECT_FILES(K)  \
	K(file_create)   \
	K(file_open)     \
	K(file_read)     \
	K(file_unlink)   \
	K(file_rename)   \
	K(file_link)     \
	K(file_mode)     \
	K(file_owner)    \
	K(file_xattr)    \
	K(file_flags)    \
	K(file_truncate) \
	K(file_times)    \
	K(file_map)      \
	K(file_close)    \
	K(file_make)     \
	K(exec_failed)   \
	K(mount)         \
	K(chroot)        \
	K(image_load)    \
	K(memory_exec)   \
	K(file_received)
#define OBJECT_SOCKETS(K)   \
	K(connect)          \
	K(accept)           \
	K(listen)           \
	K(bind)             \
	K(tcp_close)        \
	K(socket_special)   \
	K(socket_filter)    \
	K(dns)              \
	K(tls_hello)        \
	K(metadata_request) \
	K(net_change)       \
	K(audit_change)
/* each has more to tell than its object */
#define WORDY(K)            \
	K(mount)            \
	K(namespace)        \
	K(process_access)   \
	K(cred_change)      \
	K(dns)              \
	K(tls_hello)        \
	K(metadata_request) \
	K(net_change)       \
	K(audit_change)     \
	K(signal)           \
	K(sandbox)          \
	K(process_name)     \
	K(userfaultfd)      \
	K(prctl)            \
	K(io_uring)         \
	K(keyring)          \
	K(kernel_attempt)
#define IN_LOW(kind)	   | (KIND_##kind < 64 ? 1ULL << (KIND_##kind & 63) : 0)
#define IN_HIGH(kind)	   | (KIND_##kind < 64 ? 0 : 1ULL << (KIND_##kind & 63))
#define KIND_IS(kind, SET) ((((kind) < 64 ? (0 SET(IN_LOW)) : (0 SET(IN_HIGH))) >> ((kind)&63)) & 1)

static __always_inline bool repeats(__u32 kind)
{
	return KIND_IS(kind, OBJECT_FILES) || KIND_IS(kind, OBJECT_SOCKETS) || KIND_IS(kind, WORDY);
}

struct summary_key {
	struct process_key process;
	__u64 inode;
	__u32 device;
	__u32 kind;
	__s32 result;
	__u32 turn;
	struct address address; /* peer; the local one of bind and listen */
};

struct summary {
	struct actor actor; /* actor, file and path: of the first */
	struct file_ref file;
	__u64 count, first_ns, last_ns;
	__u32 flags; /* of the record */
	__u32 tier;
	char path[SUMMARY_PATH_MAX]; /* its end */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192); /* as configured */
	__type(key, struct summary_key);
	__type(value, struct summary);
} summaries SEC(".maps");

/* Is the ring so full that a record of this class is better counted?  A quarter at a time is what
 * settings.wake_bytes has. */
static __always_inline bool bulk_is_tight(struct control *c, __u32 kind, __u64 size)
{
	__u64 quarter = settings.wake_bytes[LANE_BULK];
	__u64 used = bpf_ringbuf_query(&ring_bulk, BPF_RB_AVAIL_DATA) + size;

	if (used > 3 * quarter) {
		if (!c->tight)
			c->tight = 1;
	} else if (c->tight && used < 2 * quarter) {
		c->tight = 0;
	}
	if (KIND_IS(kind, WORDY))
		return used > 3 * quarter + quarter / 2;
	return c->tight;
}

static __always_inline void summary_key_fill(struct summary_key *key, const struct record *rec,
					     __u32 turn)
{
	const struct socket_record *socket = (void *)rec;
	const struct unlink_record *file = (void *)rec;

	__builtin_memset(key, 0, sizeof(*key));
	key->process = rec->actor.key;
	key->kind = rec->kind;
	key->result = rec->result;
	key->turn = turn;
	if (KIND_IS(key->kind, OBJECT_FILES)) {
		key->inode = file->file.inode;
		key->device = file->file.device;
	} else if (KIND_IS(key->kind, OBJECT_SOCKETS)) {
		if (key->kind == KIND_bind || key->kind == KIND_listen)
			key->address = socket->local;
		else
			key->address = socket->peer;
	}
}

static __always_inline void summary_file(struct summary *to, struct slot *slot)
{
	const struct file_ref *file = &((struct unlink_record *)slot->data)->file;
	__u32 from = file->path.off, len = file->path.len;

	to->file = *file;
	if (len > SUMMARY_PATH_MAX) {
		from += len - SUMMARY_PATH_MAX;
		len = SUMMARY_PATH_MAX;
		to->file.flags |= FILE_PATH_TRUNCATED;
	}
	barrier_var(from);
	from &= RECORD_BYTES_MAX - 1;
	barrier_var(len);
	if (len > SUMMARY_PATH_MAX || bpf_probe_read_kernel(to->path, len, slot->data + from))
		len = 0;
	to->file.path.len = len;
}

/* The entry of a record: found, or made. */
static __always_inline struct summary *summary_of(struct slot *slot, __u32 turn, __u64 now)
{
	struct summary_key *key = (void *)slot->path; /* the path is in the record by now */
	struct summary *new = (void *)slot->path + sizeof(*key);
	struct record *rec = (void *)slot->data;
	struct summary *at;

	summary_key_fill(key, rec, turn);
	at = bpf_map_lookup_elem(&summaries, key);
	if (at)
		return at;
	__builtin_memset(new, 0, sizeof(*new));
	new->actor = rec->actor;
	new->flags = rec->flags;
	new->tier = rec->tier;
	new->first_ns = now;
	if (KIND_IS(key->kind, OBJECT_FILES))
		summary_file(new, slot);
	bpf_map_update_elem(&summaries, key, new, BPF_NOEXIST);
	return bpf_map_lookup_elem(&summaries, key);
}

/* Counts the record of a slot instead of sending it; 0: it is to be sent. */
__noinline int bulk_gather(__u32 index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct control *c = control_get();
	__u64 now = bpf_ktime_get_boot_ns();
	struct ledger_cell *cell;
	struct summary *at;
	struct record *rec;
	__u32 kind;

	if (!slot || !c || !c->tiers[KIND_summary])
		return 0;
	rec = (void *)slot->data;
	kind = rec->kind;
	if (!repeats(kind) || rec->flags & RECORD_PREEXISTING || is_canary(c))
		return 0;
	if (kind == KIND_signal && ((struct signal_record *)rec)->to_sensor)
		return 0;
	if (kind == KIND_tcp_close &&
	    c->canary_tgid) /* may be its, and another process is running */
		return 0;
	if (!bulk_is_tight(c, kind, slot->used))
		return 0;
	cell = ledger_cell(kind);
	at = cell ? summary_of(slot, c->turn, now) : NULL;
	if (!at)
		return 0;
	count(&at->count);
	at->last_ns = now;
	count(&cell->aggregated);
	return 1;
}

/* Whether its record is in the ring. */
static __always_inline bool summary_tell(struct summary *at, const struct summary_key *key,
					 __u64 counted, __u32 hook)
{
	struct slot *slot =
		record_begin_for(KIND_summary, hook, at->tier, sizeof(struct summary_record), true);
	struct summary_record *rec;
	bool sent;

	if (!slot)
		return false;
	rec = (void *)slot->data;
	rec->record.actor = at->actor;
	rec->record.flags = at->flags;
	rec->record.result = key->result;
	rec->of = key->kind;
	rec->count = counted;
	rec->first_ns = at->first_ns;
	rec->last_ns = at->last_ns;
	rec->address = key->address;
	rec->file = at->file;
	rec->file.path.off = sizeof(*rec);
	__builtin_memcpy(slot->data + sizeof(*rec), at->path, SUMMARY_PATH_MAX);
	slot->used += (at->file.path.len + 7) & ~7u;
	sent = record_send(slot, &ring_bulk, LANE_BULK);
	slot_release(slot);
	return sent;
}

/* Is there room for one more?  The very last of the ring is not for it. */
static __always_inline bool summary_fits(void)
{
	__u64 quarter = settings.wake_bytes[LANE_BULK];

	return bpf_ringbuf_query(&ring_bulk, BPF_RB_AVAIL_DATA) < 3 * quarter + quarter / 2;
}

static __always_inline void summary_visit(const void *key_at, __u32 hook)
{
	struct control *c = control_get();
	struct summary_key key;
	struct summary *at;
	bool is_over;
	__u64 n;

	if (!key_at || !c)
		return;
	bpf_probe_read_kernel(&key, sizeof(key), key_at);
	at = bpf_map_lookup_elem(&summaries, &key);
	is_over = c->turn - key.turn >= 2;
	if (!at || (!is_over && !c->flush))
		return;
	n = at->count;
	if (n && summary_fits() && summary_tell(at, &key, n, hook)) {
		__sync_fetch_and_add(&at->count, -n);
		n = 0;
	}
	if (n)
		c->untold = 1;
	else if (is_over)
		bpf_map_delete_elem(&summaries, &key);
}

SEC("?iter/bpf_map_elem")
int summaries_tell(struct bpf_iter__bpf_map_elem *ctx)
{
	summary_visit(ctx->key, HOOK_summaries_tell);
	return 0;
}

static long summary_walk(struct bpf_map *map, const void *key, void *value, void *ctx)
{
	summary_visit(key, HOOK_summaries_walk);
	return 0;
}

/* Where the kernel lets nobody iterate over a map: with the first of the maps that there are. */
SEC("?iter/bpf_map")
int summaries_walk(struct bpf_iter__bpf_map *ctx)
{
	if (ctx->map && !ctx->meta->seq_num)
		bpf_for_each_map_elem(&summaries, summary_walk, NULL, 0);
	return 0;
}
