/* SPDX-License-Identifier: GPL-2.0 */
/* What is asked for by ioctl(2): changes of network, and BPF programs for events of perf. */
#pragma once

#define IOCTL_PERF_SET_BPF 0x40042408 /* PERF_EVENT_IOC_SET_BPF */
#define BPF_PERF_EVENT	   41	      /* enum bpf_attach_type, from 5.15 on */

/* The event keeps the program until it is closed. */
static __noinline int on_perf_bpf(struct call *call)
{
	struct slot *slot = kernel_begin(call, KIND_bpf, sizeof(struct bpf_record), BPF_ATTACH);
	struct perf_event *event;
	struct bpf_record *rec;
	struct pmu *pmu;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->operation = BPF_ATTACH;
	rec->attach_type = BPF_PERF_EVENT;
	event = call->result < 0 ? NULL : object_of_fd(call->arg[0]);
	if (event) { /* else the descriptors may be of anything */
		pmu = READ(event, pmu);
		append_string(slot, &rec->target, READ(pmu, name), false);
		fd_fill(slot, rec, call->arg[2]);
	}
	return record_end(slot, call->result, LANE_OF_bpf);
}

static __always_inline int on_any_ioctl(struct call *call)
{
	return (__u32)call->arg[1] == IOCTL_PERF_SET_BPF ? on_perf_bpf(call) : on_ioctl(call);
}

/* Called too often for CALL_REGISTERS(), and described everywhere. */
SEC("?fexit/" CALL_FUNCTION "ioctl")
int PROGRAM(ioctl_exit, REGS *regs, long result)
{
	struct call call = {.result = result, .hook = HOOK_ioctl_exit, .tier = 1};

	call_arguments(&call, regs, TYPED, false);
	return on_any_ioctl(&call);
}

#if defined(__TARGET_ARCH_x86)
SEC("?fexit/__ia32_compat_sys_ioctl")
#else
SEC("?fexit/__arm64_compat_sys_ioctl")
#endif
int PROGRAM(ioctl_compat, REGS *regs, long result)
{
	struct call call = {.result = result, .hook = HOOK_ioctl_exit, .tier = 1, .compat = true};

	call_arguments(&call, regs, ADDRESS, true);
	return on_any_ioctl(&call);
}
