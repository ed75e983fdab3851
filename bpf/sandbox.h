/* SPDX-License-Identifier: GPL-2.0 */
/* What a process gives up for good: system calls (seccomp), and privileges by exec. */
#pragma once

#define SECCOMP_SET_MODE_STRICT	     0
#define SECCOMP_SET_MODE_FILTER	     1
#define SECCOMP_FILTER_FLAG_LISTENER 8
#define PR_SET_SECCOMP		     22
#define PR_SET_NO_NEW_PRIVS	     38

/* The filter that was added last; its instructions follow the record. */
static __always_inline void sandbox_program(struct slot *slot, struct sandbox_record *rec)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct bpf_prog *prog = READ(task, seccomp.filter, prog);
	struct sock_fprog_kern *classic = READ(prog, orig_prog);
	__u32 len = READ(classic, len);
	void *to;

	rec->filters = READ(task, seccomp.filter_count.counter);
	rec->instructions = classic ? len : READ(prog, len);
	to = append_at(slot, &rec->program, FILTER_INSTRUCTIONS_MAX * 8);
	len *= 8;
	barrier_var(len);
	if (!to || !len || len > FILTER_INSTRUCTIONS_MAX * 8)
		return;
	if (bpf_probe_read_kernel(to, len, READ(classic, filter)))
		return;
	rec->program.total = len;
	append_done(slot, &rec->program, len);
}

/* Libraries ask with a call that must fail: told of the canary alone. */
static __always_inline int on_sandbox(struct call *call, __u32 change, __u32 flags)
{
	struct control *c = control_get();
	struct sandbox_record *rec;
	struct slot *slot;

	if (!c || (call->result < 0 && !is_canary(c)))
		return 0;
	slot = call_begin(call, KIND_sandbox, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->change = change;
	rec->flags = flags;
	rec->listener = !!(flags & SECCOMP_FILTER_FLAG_LISTENER);
	if (change == SANDBOX_FILTER && call->result >= 0)
		sandbox_program(slot, rec);
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_sandbox);
}

static __always_inline int on_seccomp(struct call *call)
{
	if (call->arg[0] == SECCOMP_SET_MODE_STRICT)
		return on_sandbox(call, SANDBOX_STRICT, 0);
	if (call->arg[0] == SECCOMP_SET_MODE_FILTER)
		return on_sandbox(call, SANDBOX_FILTER, call->arg[1]);
	return 0;
}

static __always_inline int on_sandbox_prctl(struct call *call)
{
	switch ((__u32)call->arg[0]) {
	case PR_SET_NO_NEW_PRIVS:
		return on_sandbox(call, SANDBOX_NO_NEW_PRIVS, 0);
	case PR_SET_SECCOMP: /* 1 strict, 2 filter */
		return on_sandbox(call, call->arg[1] == 1 ? SANDBOX_STRICT : SANDBOX_FILTER, 0);
	}
	return 0;
}

CALL_EXIT(seccomp, on_seccomp)
CALL_EXIT_AS(sandbox_prctl, prctl, on_sandbox_prctl)
