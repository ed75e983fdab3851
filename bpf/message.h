/* SPDX-License-Identifier: GPL-2.0 */
/* The bytes of a message that a process sent or received: one piece of its memory, or several. */
#pragma once

#define PIECES_MAX 1024 /* UIO_MAXIOV: no call takes more */

enum iter_type { ITER_IOVEC, ITER_UBUF };
#define ITER_IOVEC_V513 4 /* until 5.13, with the direction in the lowest bit */

enum pieces_how {
	PIECES_ONE = 1,	   /* no vector: the bytes themselves */
	PIECES_KERNEL = 2, /* the vector, not the bytes, is in the kernel's memory */
	PIECES_COMPAT = 4,
	PIECES_HIDDEN = 8, /* in no memory of the process: pages of a file or a pipe */
};

/* What a global function is told of its caller, in one number. */
#define HOOK_AND_TIER(hook, tier) ((hook) << 8 | (tier))
#define HOOK_OF(hook_and_tier)	  ((hook_and_tier) >> 8 & 0xffff)
#define TIER_OF(hook_and_tier)	  ((hook_and_tier)&3)
#define HOOK_RECEIVES		  4 /* else it sends */
#define HOOK_MPTCP		  8 /* the socket is no tcp_sock */

/* What a process sent: the bytes are in its memory, where the kernel has just taken them from. */
struct sent {
	__u64 at; /* the bytes, or the vector of their pieces */
	__u32 len;
	__u32 how; /* enum pieces_how */
};

static __always_inline bool piece_read(struct iovec *piece, const struct sent *sent, __u32 n)
{
	__u32 words[2];

	if (sent->how & PIECES_HIDDEN)
		return false;
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
	struct iov_iter___v513 *v513 = (void *)iter;
	struct iov_iter___v60 *v60 = (void *)iter;

	if (!bpf_core_field_exists(v60->iter_type))
		return type == ITER_IOVEC && READ(v513, type) & ITER_IOVEC_V513;
	if (type == ITER_IOVEC)
		return READ(v60, iter_type) == bpf_core_enum_value(enum iter_type, ITER_IOVEC);
	return bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	       READ(v60, iter_type) == bpf_core_enum_value(enum iter_type, ITER_UBUF);
}

/*
 * How many pieces before the one at `at` hold `done` bytes, `behind` of which lie in that one
 * itself; -1: none. Global, or whatever comes behind the loop is verified once for each way out.
 */
__noinline int pieces_back(__u64 at, __u64 behind, __u32 done)
{
	struct iovec *iov = (void *)at;
	int n = 0;

	for (int i = 0; i < PIECES_MAX && behind < done; i++) {
		iov--;
		behind += READ(iov, iov_len);
		n++;
	}
	return behind == done ? n : -1;
}

/*
 * The pieces of a message of which `done` bytes were sent or received: the iterator has gone past
 * them.  A message that was received with MSG_TRUNC has more bytes than went anywhere.
 */
static __always_inline void sent_of(struct sent *sent, struct msghdr *msg, __u32 done)
{
	struct iov_iter *iter = &msg->msg_iter;
	struct iov_iter___v60 *v60 = (void *)iter;
	struct iov_iter___v64 *v64 = (void *)iter;
	__u64 behind = READ(iter, iov_offset);
	struct iovec *iov;
	int back;

	sent->len = done;
	if (iter_is(iter, ITER_UBUF)) {
		sent->how = behind < done ? PIECES_HIDDEN : PIECES_ONE;
		sent->at = (__u64)READ(v60, ubuf) + behind - done;
		return;
	}
	if (!iter_is(iter, ITER_IOVEC)) {
		sent->how = PIECES_HIDDEN;
		return;
	}
	iov = bpf_core_field_exists(v64->__iov) ? READ(v64, __iov) : READ(iter, iov);
	back = pieces_back((__u64)iov, behind, done);
	sent->at = (__u64)iov - back * 16;
	sent->how = back >= 0 ? PIECES_KERNEL : PIECES_HIDDEN;
}

/* The next piece of those that lie in the slot's `pieces`. */
static __always_inline bool piece_next(struct pieces *pieces, struct iovec *piece)
{
	struct sent sent = {.at = pieces->at, .how = pieces->how};

	sent.len = pieces->skip + pieces->left;
	if (!sent.at || !piece_read(piece, &sent, 0))
		return false;
	if (sent.how & PIECES_ONE)
		pieces->at = 0;
	else
		pieces->at += sent.how & PIECES_COMPAT ? 8 : 16;
	return true;
}

/*
 * One piece more behind a record that begins as an opening_record does; 1: that was the last that
 * is wanted or can be read.  Global, for the sake of the stack and of the loop below.
 */
__noinline int piece_copy(__u32 index)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct opening_record *rec;
	struct pieces *pieces;
	struct iovec piece;
	__u32 from, have, n;

	if (!slot)
		return 1;
	rec = (void *)slot->data;
	pieces = &slot->pieces;
	if (!piece_next(pieces, &piece))
		return 1;
	if (piece.iov_len <= pieces->skip) {
		pieces->skip -= piece.iov_len;
		return 0;
	}
	have = rec->bytes.len;
	n = piece.iov_len - pieces->skip < pieces->left ? piece.iov_len - pieces->skip
							: pieces->left;
	if (n > RECORD_OPENING_MAX - have)
		n = RECORD_OPENING_MAX - have;
	from = slot->used;
	barrier_var(from);
	from &= 1023;
	barrier_var(n);
	barrier_var(have);
	have &= RECORD_OPENING_MAX - 1;
	if (!n || n > RECORD_OPENING_MAX ||
	    bpf_probe_read_user(slot->data + from + have, n, piece.iov_base + pieces->skip))
		return 1;
	pieces->skip = 0;
	pieces->left -= n;
	rec->bytes.len = have + n;
	return !pieces->left || rec->bytes.len >= RECORD_OPENING_MAX;
}

__noinline int pieces_copy(__u32 index)
{
	for (__u32 i = 0; i < PIECES_MAX; i++)
		if (piece_copy(index))
			break;
	return 0;
}

/* Up to `max` of the bytes behind the first `skip`, behind a record as above. */
static __always_inline void sent_copy(struct slot *slot, const struct sent *sent, __u32 skip,
				      __u32 max)
{
	struct opening_record *rec = (void *)slot->data;
	__u32 left = sent->len - skip;

	rec->bytes.off = slot->used;
	rec->bytes.len = 0;
	rec->bytes.total = left;
	slot->pieces.at = sent->at;
	slot->pieces.how = sent->how;
	slot->pieces.skip = skip;
	slot->pieces.left = left < max ? left : max;
	pieces_copy(slot->index);
	slot->used = rec->bytes.off + ((rec->bytes.len + 7) & ~7u);
}
