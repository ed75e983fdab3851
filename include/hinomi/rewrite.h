/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Numbers in the BPF object that the loader puts others in place of: userspace/attach/rewrite.c. */
#pragma once

#define REWRITE_CAST	 0x7ca57000 /* a helper, bpf_rdonly_cast() */
#define REWRITE_CAN_CAST 0x7ca57001 /* a constant, 1 where the kernel has it, else 0 */
