/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program is begin, fill, end: begin counts the event and takes a scratch slot,
 * end numbers the record and gives it to its lane's ring.  Whatever happens, each
 * event that was begun ends in exactly one counter of the ledger.
 */
#pragma once

#define SLOTS_PER_CPU 4

struct slot {
	__u64 busy;   /* 0: free */
	__u32 index;  /* of this slot in the map */
	__u32 used;   /* bytes of data */
	struct walk { /* path.h */
		struct dentry *dentry;
		struct vfsmount *mnt; /* where it begins */
		struct mount *mount;
		struct dentry *root;
		__u32 pos;
		__u32 missing;
		struct dentry *up;
		const unsigned char *name;
		__u32 len;
		__u32 pad;
		__u64 window[4];
		struct dentry *parent; /* of where it begins */
	} walk;
	struct bytes_ref asked; /* path.h */
	struct pieces {		/* message.h: of a message, those that are not copied yet */
		__u64 at;
		__u32 how;  /* enum pieces_how */
		__u32 skip; /* bytes that are not wanted */
		__u32 left; /* behind them, bytes that are */
		__u32 pad;
	} pieces;
	__u8 path[RECORD_PATH_MAX +
		  RECORD_NAME_MAX]; /* where a path is put together, from its end */
	__u8 data[RECORD_BYTES_MAX + RECORD_PATH_MAX +
		  RECORD_NAME_MAX]; /* the record; slack for the verifier */
};

#define MAP(name, map_type, flags, key_type, value_type) \
	struct {                                         \
		__uint(type, map_type);                  \
		__uint(max_entries, 1);                  \
		__uint(map_flags, flags);                \
		__type(key, key_type);                   \
		__type(value, value_type);               \
	} name SEC(".maps")

/* sizes are set before load: per cpu, or as configured */
MAP(slots, BPF_MAP_TYPE_ARRAY, 0, __u32, struct slot);
MAP(ledger, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, __u32, struct ledger_cell);
MAP(sequences, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, __u32, struct sequence_cell);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring_keep SEC(".maps"), ring_bulk SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} scope SEC(".maps");

/*
 * ++*p and its new value, in one step.  The fetching add is followed by "+= 1"
 * and a move to itself: the loader turns the three into load, add, store for
 * kernels without fetching atomics (before 5.12, 5ca419f2864a), see
 * userspace/attach/rewrite.c.
 */
static __always_inline __u64 next(__u64 *p)
{
	__u64 n = __sync_fetch_and_add(p, 1);

	asm volatile("%[n] += 1\n"
		     "%[n] = %[n]\n"
		     : [n] "+r"(n));
	return n;
}

static __always_inline struct ledger_cell *ledger_cell(__u32 kind)
{
	__u32 at = bpf_get_smp_processor_id() * KINDS_MAX + kind;

	return bpf_map_lookup_elem(&ledger, &at);
}

static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

static __always_inline struct control *control_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/* Is the current process the canaries' keeper, a canary, or its child?  While a round goes on. */
static __always_inline bool is_canary(const struct control *c)
{
	__u32 keeper = c->canary_tgid;
	struct task_struct *task;

	if (!keeper)
		return false;
	if (keeper == bpf_get_current_pid_tgid() >> 32)
		return true;
	task = (void *)bpf_get_current_task();
	return (__u32)READ(task, real_parent, tgid) == keeper ||
	       (__u32)READ(task, real_parent, real_parent, tgid) == keeper;
}

static __always_inline bool is_canary_now(void)
{
	struct control *c = control_get();

	return c && is_canary(c);
}

static __always_inline bool is_off(__u32 kind)
{
	struct control *c = control_get();

	return !c || kind >= KINDS_MAX || c->off[kind];
}

/* Of classes that share a program of each tier: is it this tier's? */
static __always_inline bool is_on(const struct control *c, __u32 kind, __u32 tier)
{
	return !is_off(kind) && c->tapped[kind] == (tier == 2);
}

/* The tier that the class is on, 0 while it is on none or switched off. */
static __always_inline __u32 tier_of(__u32 kind)
{
	struct control *c = control_get();

	return c && kind < KINDS_MAX ? c->tiers[kind] : 0;
}

/* Is the current process one that we look at? */
static __always_inline bool in_scope(void)
{
	struct control *c = control_get();

	if (!c || bpf_get_current_pid_tgid() >> 32 == c->own_tgid)
		return false;
	if (!settings.has_scope || bpf_current_task_under_cgroup(&scope, 0) == 1)
		return true;
	return is_canary(c);
}

static __always_inline struct slot *slot_claim(void)
{
	__u32 first = bpf_get_smp_processor_id() * SLOTS_PER_CPU;

	for (__u32 i = 0; i < SLOTS_PER_CPU; i++) {
		__u32 index = first + i;
		struct slot *slot = bpf_map_lookup_elem(&slots, &index);

		if (!slot)
			return NULL;
		if (next(&slot->busy) == 1) {
			slot->index = index;
			return slot;
		}
		__sync_fetch_and_add(&slot->busy, -1);
	}
	return NULL;
}

/* The fixed part of every kind fits in the first, that of sockets and of most in the others; it is
 * what begin clears. */
#define RECORD_FIXED_MAX    768
#define RECORD_FIXED_SOCKET 576
#define RECORD_FIXED_MOST   384
#define FIXED_FITS(type)    _Static_assert(sizeof(struct type) <= RECORD_FIXED_MAX, #type)
FIXED_FITS(exec_record);
FIXED_FITS(rename_record);
FIXED_FITS(socket_record);
FIXED_FITS(link_record);
FIXED_FITS(times_record);

/* The event turned out to be of no interest: as if it had not begun. */
static __always_inline void slot_release(struct slot *slot)
{
	__sync_fetch_and_add(&slot->busy, -1);
}

/* An event whose facts are gone: the table that they waited in was too small. */
static __always_inline void record_missed(__u32 kind)
{
	struct ledger_cell *cell = ledger_cell(kind);

	if (!cell || is_off(kind))
		return;
	count(&cell->seen);
	count(in_scope() ? &cell->lost_scratch : &cell->filtered);
}

/*
 * The global functions below are verified once each, whatever calls them; the
 * slot's index goes between them, since 5.10 lets no pointer through.
 */

static __always_inline struct slot *slot_begin(__u32 kind, __u32 hook, __u32 tier, __u32 size,
					       bool ours)
{
	struct ledger_cell *cell = ledger_cell(kind);
	struct record *rec;
	struct slot *slot;

	if (!cell || is_off(kind))
		return NULL;
	count(&cell->seen);
	if (!ours) {
		count(&cell->filtered);
		return NULL;
	}
	slot = slot_claim();
	if (!slot) {
		count(&cell->lost_scratch);
		return NULL;
	}
	__builtin_memset(slot->data, 0, RECORD_FIXED_MOST);
	if (size > RECORD_FIXED_MOST)
		__builtin_memset(slot->data + RECORD_FIXED_MOST, 0,
				 RECORD_FIXED_SOCKET - RECORD_FIXED_MOST);
	if (size > RECORD_FIXED_SOCKET)
		__builtin_memset(slot->data + RECORD_FIXED_SOCKET, 0,
				 RECORD_FIXED_MAX - RECORD_FIXED_SOCKET);
	rec = (void *)slot->data;
	rec->kind = kind;
	rec->hook = hook;
	rec->tier = tier;
	slot->used = size;
	return slot;
}

/* Counts an event and begins its record; index of the slot, or -1 when there is nothing to fill. */
__noinline int record_open(__u32 kind, __u32 hook, __u32 tier, __u32 size)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct slot *slot = slot_begin(kind, hook, tier, size, in_scope());
	struct task_struct *who;
	struct record *rec;

	if (!slot)
		return -1;
	who = accountable(task);
	rec = (void *)slot->data;
	if (call_is_foreign())
		rec->flags |= RECORD_COMPAT;
	if (who == task) {
		actor_of_current(&rec->actor);
		if (is_canary_now())
			rec->flags |= RECORD_CANARY;
	} else {
		actor_fill(&rec->actor, who, ADDRESS);
	}
	return slot->index;
}

/* The same where the current process has nothing to do with it: the caller knows whose it is. */
__noinline int record_open_for(__u32 kind, __u32 hook, __u32 tier, __u32 size, __u32 ours)
{
	struct slot *slot = slot_begin(kind, hook, tier, size, ours);

	return slot ? slot->index : -1;
}

static __always_inline __u64 wakeup_flags(void *ring, __u32 lane)
{
	struct control *c = control_get();

	if (c && c->sleeping) {
		c->sleeping = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= settings.wake_bytes[lane])
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/*
 * 0: none to be had.  Without fetching atomics next() is a load, an add and a
 * store, and a record made in an interrupt between them would get the number
 * that the interrupted one is about to store.  Such a record, of a window of
 * three instructions, is counted as lost.  An interrupt before or behind the
 * window is over before the program goes on, so a plain flag is enough.
 */
static __always_inline __u64 sequence_next(struct sequence_cell *cell, __u32 lane)
{
	volatile __u64 *busy = &cell->busy;
	__u64 n;

	if (settings.fetching_atomics)
		return next(&cell->next[lane]);
	if (*busy)
		return 0;
	*busy = 1;
	barrier();
	n = next(&cell->next[lane]);
	barrier();
	*busy = 0;
	return n;
}

/* Whether it is in the ring. */
static __always_inline bool record_send(struct slot *slot, void *ring, __u32 lane)
{
	struct record *rec = (void *)slot->data;
	__u32 cpu = bpf_get_smp_processor_id();
	struct sequence_cell *sequence = bpf_map_lookup_elem(&sequences, &cpu);
	struct ledger_cell *cell = ledger_cell(rec->kind);
	__u32 size = slot->used;

	if (!cell)
		return false; /* cannot be: it was counted there when it began */
	if (size > RECORD_BYTES_MAX)
		size = RECORD_BYTES_MAX;
	rec->lane = lane;
	rec->cpu = cpu;
	rec->size = size;
	rec->time_ns = bpf_ktime_get_boot_ns();
	rec->seq = sequence ? sequence_next(sequence, lane) : 0;
	if (!rec->seq) {
		count(&cell->lost_scratch);
		return false;
	}
	count(&cell->sent[lane]); /* before anybody can read it */
	if (!bpf_ringbuf_output(ring, slot->data, size, wakeup_flags(ring, lane)))
		return true;
	count(&cell->lost_ring[lane]);
	return false;
}

#include "lane.h"

/* bulk.h: counts the record instead, where the ring is nearly full; 0: it is to be sent */
int bulk_gather(__u32 index);

/*
 * What closes a record: its lane, whether it is counted in another event, its number and the ring.
 * Global functions, only one of which is on the stack at a time: on 5.10 it is full.
 */
__noinline int record_lane(__u32 index, __u32 wanted)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);

	return slot ? lane_of((void *)slot->data, slot->used, wanted) : LANE_BULK;
}

__noinline int record_put(__u32 index, __u32 lane)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return 0;
	if (lane == LANE_KEEP)
		return record_send(slot, &ring_keep, LANE_KEEP);
	return record_send(slot, &ring_bulk, LANE_BULK);
}

/* `wanted` is the lane that the class says.  1: it is in its ring, or counted in another event. */
__noinline int record_close(__u32 index, __u32 wanted)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	int lane, sent;

	if (!slot)
		return 0;
	lane = record_lane(index, wanted);
	sent = lane == LANE_BULK ? bulk_gather(index) : 0;
	if (!sent)
		sent = record_put(index, lane);
	slot_release(slot);
	return sent;
}

#define LANE_OF(kind) LANE_OF_##kind
enum {
#define KIND(name, number, lane) LANE_OF_##name = lane,
	FOR_EACH_KERNEL_KIND(KIND)
#undef KIND
};

/* The slot of a new record of struct `type`, NULL when the event is not recorded. */
static __always_inline struct slot *record_begin(__u32 kind, __u32 hook, __u32 tier, __u32 size)
{
	__u32 index = record_open(kind, hook, tier, size);

	return bpf_map_lookup_elem(&slots, &index); /* -1 is out of range */
}

static __always_inline struct slot *record_begin_for(__u32 kind, __u32 hook, __u32 tier, __u32 size,
						     bool ours)
{
	__u32 index = record_open_for(kind, hook, tier, size, ours);

	return bpf_map_lookup_elem(&slots, &index);
}

static __always_inline int record_end(struct slot *slot, __s32 result, __u32 wanted)
{
	((struct record *)slot->data)->result = result;
	record_close(slot->index, wanted);
	return 0;
}
