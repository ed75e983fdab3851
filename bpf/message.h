/* SPDX-License-Identifier: GPL-2.0 */
/* The bytes of a message that a process sent or received: one piece of its memory, or several. */
#pragma once

#define PIECES_MAX 8

enum iter_type { ITER_IOVEC, ITER_UBUF };

enum pieces {
	PIECES_ONE = 1,	   /* no vector: the bytes themselves */
	PIECES_KERNEL = 2, /* the vector, not the bytes, is in the kernel's memory */
	PIECES_COMPAT = 4,
};

/* What a process sent: the bytes are in its memory, where the kernel has just taken them from. */
struct sent {
	__u64 at; /* the bytes, or the vector of their pieces */
	__u32 len;
	__u32 how; /* enum pieces */
};

static __always_inline bool piece_read(struct iovec *piece, const struct sent *sent, __u32 n)
{
	__u32 words[2];

	if (sent->how & PIECES_ONE) {
		piece->iov_base = (void *)sent->at;
		piece->iov_len = n ? 0 : sent->len;
		return true;
	}
	if (sent->how & PIECES_KERNEL)
		return !bpf_probe_read_kernel(piece, 16, (void *)(sent->at + n * 16));
	if (!(sent->how & PIECES_COMPAT))
		return !bpf_probe_read_user(piece, 16, (void *)(sent->at + n * 16));
	if (bpf_probe_read_user(words, 8, (void *)(sent->at + n * 8)))
		return false;
	piece->iov_base = (void *)(__u64)words[0];
	piece->iov_len = words[1];
	return true;
}

static __always_inline bool iter_is(struct iov_iter *iter, enum iter_type type)
{
	struct iov_iter___v60 *v60 = (void *)iter;

	if (!bpf_core_field_exists(v60->iter_type)) /* nothing else comes from a process */
		return type == ITER_IOVEC;
	if (type == ITER_IOVEC)
		return READ(v60, iter_type) == bpf_core_enum_value(enum iter_type, ITER_IOVEC);
	return bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	       READ(v60, iter_type) == bpf_core_enum_value(enum iter_type, ITER_UBUF);
}

/*
 * The vector of a message that was sent whole or in part, `done` bytes of it: the
 * iterator has gone past them.  False where they lie elsewhere.
 */
static __always_inline bool sent_of(struct sent *sent, struct msghdr *msg, __u32 done)
{
	struct iov_iter *iter = &msg->msg_iter;
	struct iov_iter___v60 *v60 = (void *)iter;
	struct iov_iter___v64 *v64 = (void *)iter;
	__u64 behind = READ(iter, iov_offset);
	struct iovec *iov;

	sent->len = done;
	if (iter_is(iter, ITER_UBUF)) {
		sent->at = (__u64)READ(v60, ubuf) + behind - done;
		sent->how = PIECES_ONE;
		return true;
	}
	if (!iter_is(iter, ITER_IOVEC))
		return false;
	iov = bpf_core_field_exists(v64->__iov) ? READ(v64, __iov) : READ(iter, iov);
	for (int i = 0; i < PIECES_MAX && behind < done; i++) {
		iov--;
		behind += READ(iov, iov_len);
	}
	sent->at = (__u64)iov;
	sent->how = PIECES_KERNEL;
	return behind == done;
}

/*
 * The first bytes, behind a record that begins as an opening_record does.  Global, for the sake of
 * the stack and of the loop.
 */
__noinline int sent_copy(__u32 index, __u64 at, __u32 len, __u32 how)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct sent sent = {.at = at, .len = len, .how = how};
	struct opening_record *rec;
	struct iovec piece;
	__u32 from;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	from = slot->used;
	barrier_var(from);
	from &= 1023;
	rec->bytes.off = from;
	rec->bytes.total = len;
	for (__u32 i = 0; i < PIECES_MAX; i++) {
		__u32 have = rec->bytes.len, n;

		if (have >= RECORD_OPENING_MAX || have >= len || !piece_read(&piece, &sent, i))
			break;
		n = piece.iov_len < len - have ? piece.iov_len : len - have;
		if (n > RECORD_OPENING_MAX - have)
			n = RECORD_OPENING_MAX - have;
		barrier_var(n);
		barrier_var(have);
		have &= RECORD_OPENING_MAX - 1;
		if (n > RECORD_OPENING_MAX ||
		    bpf_probe_read_user(slot->data + from + have, n, piece.iov_base))
			break;
		rec->bytes.len += n;
	}
	slot->used = from + ((rec->bytes.len + 7) & ~7u);
	return 0;
}
