/* SPDX-License-Identifier: GPL-2.0 */
/* A ring through which a process asks for work without system calls. */
#pragma once

static __always_inline int on_uring(__u32 sq_entries, __u32 cq_entries, __u32 flags, __u32 hook,
				    __u32 tier)
{
	struct slot *slot = record_begin(KIND_io_uring, hook, tier, sizeof(struct uring_record));
	struct uring_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->sq_entries = sq_entries;
	rec->cq_entries = cq_entries;
	rec->flags = flags;
	return record_end(slot, 0, LANE_OF_io_uring);
}

SEC("?tp_btf/io_uring_create")
int PROGRAM(io_uring_tp, int fd, void *ring, __u32 sq_entries, __u32 cq_entries, __u32 flags)
{
	return on_uring(sq_entries, cq_entries, flags, HOOK_io_uring_tp, 1);
}

SEC("?raw_tp/io_uring_create")
int PROGRAM(io_uring_raw, int fd, void *ring, __u32 sq_entries, __u32 cq_entries, __u32 flags)
{
	return on_uring(sq_entries, cq_entries, flags, HOOK_io_uring_raw, 2);
}
