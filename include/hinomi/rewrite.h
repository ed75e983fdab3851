/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Numbers in the BPF object that the loader puts others in place of: userspace/attach/rewrite.c. */
#pragma once

#define REWRITE_CAST	    0x7ca57000 /* a helper, bpf_rdonly_cast() */
#define REWRITE_CAN_CAST    0x7ca57001 /* a constant, 1 where the kernel has it, else 0 */
#define REWRITE_PREEMPT_OFF 0x7ca57002 /* a helper, bpf_preempt_disable() */
#define REWRITE_PREEMPT_ON  0x7ca57003 /* bpf_preempt_enable() */
#define REWRITE_IRQ_OFF	    0x7ca57004 /* bpf_local_irq_save() */
#define REWRITE_IRQ_ON	    0x7ca57005 /* bpf_local_irq_restore() */
