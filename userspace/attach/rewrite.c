// SPDX-License-Identifier: Apache-2.0
/*
 * The embedded BPF object, and what is rewritten in it for the running kernel.
 *
 * Kernels before 5.12 refuse a program that contains a fetching atomic anywhere.
 * next() in bpf/record.h compiles to
 *	rN = atomic_fetch_add((u64 *)(rP + 0), rN);  rN += 1;  rN = rN
 * and becomes
 *	rN = *(u64 *)(rP + 0);  rN += 1;  *(u64 *)(rP + 0) = rN
 * Those kernels are not preempted inside a program, so on one cpu only an
 * interrupt can come between, and it is over before the program goes on.
 *
 * Kernels from 6.2 on have bpf_rdonly_cast(), for bpf/read.h.  It is called by its
 * number in their BTF, and whether it is there is a constant, so that the verifier
 * leaves the other way to read out.  As a symbol that may be missing libbpf would
 * make a call of it that kernels from 5.13 to 5.15 refuse, although it is never
 * reached.  So are those of bpf/whole.h; where they are not, nothing is done.
 */
#include <hinomi/rewrite.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/internal.h"
#include "hinomi.skel.h"

const void *object_bytes(size_t *size)
{
	return hinomi_bpf__elf_bytes(size);
}

void object_unread(void)
{
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t bytes = (uintptr_t)object_bytes(&size);
	uintptr_t from = (bytes + page - 1) / page * page, to = (bytes + size) / page * page;

	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

static bool is_next(const struct bpf_insn *i)
{
	return i[0].code == (BPF_STX | BPF_DW | BPF_ATOMIC) && i[0].imm == (BPF_ADD | BPF_FETCH) &&
	       i[1].code == (BPF_ALU64 | BPF_ADD | BPF_K) && i[1].imm == 1 &&
	       i[1].dst_reg == i[0].src_reg && i[2].code == (BPF_ALU64 | BPF_MOV | BPF_X) &&
	       i[2].dst_reg == i[0].src_reg && i[2].src_reg == i[0].src_reg;
}

static void without_fetch(struct bpf_insn *i)
{
	unsigned n = i[0].src_reg, p = i[0].dst_reg;

	i[0] = (struct bpf_insn){
		.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = n, .src_reg = p, .off = i[0].off};
	i[2] = (struct bpf_insn){
		.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = p, .src_reg = n, .off = i[0].off};
}

/* Function 0: r0 = 0 */
static void call_kernel(struct bpf_insn *i, int function)
{
	if (function)
		*i = (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
				       .src_reg = BPF_PSEUDO_KFUNC_CALL,
				       .imm = function};
	else
		*i = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
}

static void rewrite_one(struct bpf_insn *i, const struct probe *probe)
{
	if (!probe->fetching_atomics && is_next(i))
		without_fetch(i);
	if (i->code == (BPF_ALU64 | BPF_MOV | BPF_K) && i->imm == REWRITE_CAN_CAST)
		i->imm = probe->cast != 0;
	if (i->code != (BPF_JMP | BPF_CALL))
		return;
	switch (i->imm) {
	case REWRITE_CAST:
		if (probe->cast)
			call_kernel(i, probe->cast);
		break;
	case REWRITE_PREEMPT_OFF:
		call_kernel(i, probe->whole.preempt_off);
		break;
	case REWRITE_PREEMPT_ON:
		call_kernel(i, probe->whole.preempt_on);
		break;
	case REWRITE_IRQ_OFF:
		call_kernel(i, probe->whole.irq_off);
		break;
	case REWRITE_IRQ_ON:
		call_kernel(i, probe->whole.irq_on);
		break;
	}
}

void *object_rewritten(const struct probe *probe, size_t *size)
{
	const void *original = object_bytes(size);
	char *copy = malloc(*size);

	if (!copy)
		return NULL;
	memcpy(copy, original, *size);
	for (size_t at = 0; at + 3 * sizeof(struct bpf_insn) <= *size; at += 8) {
		struct bpf_insn i[3];

		memcpy(i, copy + at, sizeof(i));
		rewrite_one(i, probe);
		memcpy(copy + at, i, sizeof(i));
	}
	return copy;
}
