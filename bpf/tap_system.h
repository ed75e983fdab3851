/* SPDX-License-Identifier: GPL-2.0 */
/* Tier 2 of the classes about the kernel itself. */
#pragma once

/* Seconds and a part of one, as the program's architecture has them. */
static __always_inline int tap_time(struct call *call, const void *from, bool wide, __u32 action,
				    __u32 scale)
{
	__s64 both[2] = {};
	__s32 narrow[2] = {};

	if (wide) {
		bpf_probe_read_user(both, sizeof(both), from);
		if (call->compat && action == SYSTEM_CLOCK_SET)
			both[1] = (__u32)both[1]; /* padding to the kernel, too */
	} else {
		bpf_probe_read_user(narrow, sizeof(narrow), from);
		both[0] = narrow[0];
		both[1] = narrow[1];
	}
	return on_clock(call, action, both[0], both[1] * scale);
}

/* struct timex begins with its modes; the time is its eleventh member. */
static __always_inline int tap_timex(struct call *call, const void *asked, bool wide)
{
	__u32 modes = 0;

	bpf_probe_read_user(&modes, sizeof(modes), asked);
	if (!(modes & ADJ_SETOFFSET))
		return 0;
	return tap_time(call, asked + (wide ? 72 : 36), wide, SYSTEM_CLOCK_STEP,
			modes & ADJ_NANO ? 1 : NS_PER_US);
}

static __always_inline int tap_stime(struct call *call, const void *from)
{
	__s32 seconds = 0;

	bpf_probe_read_user(&seconds, sizeof(seconds), from);
	return on_clock(call, SYSTEM_CLOCK_SET, seconds, 0);
}

static __always_inline int tap_clock(struct call *call)
{
	void *first = (void *)call->arg[0], *second = (void *)call->arg[1];

	switch (call->what) {
	case TAP_SETTIMEOFDAY:
	case TAP_SETTIMEOFDAY32:
		return first ? tap_time(call, first, call->what == TAP_SETTIMEOFDAY,
					SYSTEM_CLOCK_SET, NS_PER_US)
			     : 0;
	case TAP_STIME:
		return tap_stime(call, first);
	case TAP_CLOCK_SETTIME:
	case TAP_CLOCK_SETTIME32:
		return first ? 0
			     : tap_time(call, second, call->what == TAP_CLOCK_SETTIME,
					SYSTEM_CLOCK_SET, 1);
	case TAP_ADJTIMEX:
	case TAP_ADJTIMEX32:
		return tap_timex(call, first, call->what == TAP_ADJTIMEX);
	case TAP_CLOCK_ADJTIME:
	case TAP_CLOCK_ADJTIME32:
		return first ? 0 : tap_timex(call, second, call->what == TAP_CLOCK_ADJTIME);
	}
	return 0;
}

static __noinline int tap_system(struct call *call)
{
	switch (call->what) {
	case TAP_BPF:
		return on_bpf(call);
	case TAP_PERF_EVENT:
		return on_perf_event(call);
	case TAP_INIT_MODULE:
	case TAP_FINIT_MODULE:
	case TAP_DELETE_MODULE:
		return on_module_refused(call);
	case TAP_ADD_KEY:
	case TAP_REQUEST_KEY:
	case TAP_KEYCTL:
		return on_keyring(call);
	case TAP_KEXEC_LOAD:
		return on_kexec_load(call);
	case TAP_KEXEC_FILE:
		return on_kexec_file(call);
	case TAP_SETHOSTNAME:
	case TAP_SETDOMAINNAME:
		return on_uts_name(call);
	case TAP_SWAPON:
	case TAP_SWAPOFF:
		return on_swap(call);
	case TAP_REBOOT:
		return on_reboot(call);
	case TAP_ACCT:
		return on_acct(call);
	case TAP_IOPL:
	case TAP_IOPERM:
		return on_ports(call);
	case TAP_FANOTIFY:
		return on_fanotify(call);
	case TAP_SYSLOG:
		return on_log(call);
	}
	return tap_clock(call);
}

/* A file of the kernel itself that was opened. A function, so that what follows is gone through
 * once. */
static __noinline int tap_opened(struct call *call, struct file *file)
{
	tap_memory(call, file);
	if (READ(file, f_mode) & FMODE_WRITE)
		sysctl_note(file);
	return 0;
}
