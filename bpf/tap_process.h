/* SPDX-License-Identifier: GPL-2.0 */
/* What the exit tap does for processes alone: tier 2 of those classes. */
#pragma once

#define PR_CAPBSET_DROP	  24
#define PR_SET_SECUREBITS 28
#define PR_CAP_AMBIENT	  47

/* A signal that was refused; those that went out have a tracepoint. */
static __always_inline int tap_kill(struct call *call)
{
	__s32 target = call->arg[0], sig = call->arg[call->what == TAP_TGKILL ? 2 : 1];
	struct signal_record *rec;
	struct slot *slot;

	if (call->result != -EPERM || sig <= 0)
		return 0;
	slot = call_begin(call, KIND_signal, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->signal = sig;
	if (call->what == TAP_PIDFD_SIGNAL)
		rec->target.key.tgid = tgid_of_pidfd(target);
	else
		rec->target.key.tgid = target > 0 ? target : 0; /* a group, or all */
	rec->to_sensor = is_sensor(rec->target.key.tgid);
	return record_end(slot, call->result, LANE_OF_signal);
}

static __always_inline int tap_prctl(struct call *call)
{
	switch ((__u32)call->arg[0]) {
	case PR_CAPBSET_DROP:
	case PR_SET_SECUREBITS:
	case PR_CAP_AMBIENT:
		return tapped(KIND_cred_change) && !call->result ? tap_creds(call) : 0;
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_SECCOMP:
		return tapped(KIND_sandbox) ? on_sandbox_prctl(call) : 0;
	}
	return tapped(KIND_prctl) ? on_prctl(call) : 0;
}

/* A function of its own, like those of the other subjects: see tap_change.h. */
static __noinline int tap_process(struct call *call)
{
	switch (call->what) {
	case TAP_KILL:
	case TAP_TGKILL:
	case TAP_PIDFD_SIGNAL:
		return tap_kill(call);
	case TAP_PRCTL:
		return tap_prctl(call);
	case TAP_SECCOMP:
		return on_seccomp(call);
	case TAP_MPROTECT:
		return tap_mprotect(call);
	case TAP_USERFAULTFD:
		return on_userfaultfd(call);
	case TAP_MADVISE:
		return on_madvise(call);
	}
	return 0;
}
