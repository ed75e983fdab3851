/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables from which nothing is evicted, and in which whoever opens sockets has entries: once half
 * of one is taken, a user who has an eighth of it gets no more.  So one user can take half, and
 * there is room for the others; root with all privileges has no limit.  Whose an entry is, is as
 * for the must-keep ring (lane.h).
 */
#pragma once

#define SHARES 1024 /* users by hash: two may have one share together */

enum share_table { SHARE_OWNERS, SHARE_FLOWS, SHARE_TABLES };

/* Entries that are taken: of each table all, then by user. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHARE_TABLES *(SHARES + 1));
	__type(key, __u32);
	__type(value, __u64);
} shares SEC(".maps");

static __always_inline __u64 *share_at(enum share_table table, __u32 at)
{
	__u32 index = table * (SHARES + 1) + at;

	return bpf_map_lookup_elem(&shares, &index);
}

/* The user's share of a table of `size` entries, to be counted once the entry is there; 0: it is
 * used up. */
static __always_inline __u32 share_of(enum share_table table, __u32 size, const struct actor *actor)
{
	__u32 at = 1 + (budget_owner(actor) * 0x9e3779b97f4a7c15 >> 54);
	__u64 *all = share_at(table, 0), *own = share_at(table, at);

	if (!all || !own || (*all >= size / 2 && *own >= size / 8 && !has_all_rights(actor)))
		return 0;
	return at;
}

static __always_inline void share_count(enum share_table table, __u32 at, __s64 n)
{
	__u64 *all = share_at(table, 0), *own = share_at(table, at);

	if (!all || !own)
		return;
	__sync_fetch_and_add(all, n);
	__sync_fetch_and_add(own, n);
}
