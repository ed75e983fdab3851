/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is done to the machine as a whole: another kernel, its end, its clock,
 * name, swap, log and accounts, its memory as a file, its ports, and who is asked
 * before files are opened or types in another one's place.
 */
#pragma once

#define SYSLOG_READ_CLEAR    4
#define SYSLOG_CONSOLE_LEVEL 8
#define ADJ_SETOFFSET	     0x0100
#define ADJ_NANO	     0x2000
#define NS_PER_US	     1000
#define UTS_NAME_MAX	     65

static __always_inline struct slot *system_begin(struct call *call, __u32 action)
{
	struct slot *slot = kernel_begin(call, KIND_system, sizeof(struct system_record), action);

	if (slot)
		((struct system_record *)slot->data)->action = action;
	return slot;
}

static __always_inline int system_end(struct slot *slot, struct call *call)
{
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_system);
}

static __always_inline int on_kexec_load(struct call *call)
{
	struct slot *slot = system_begin(call, SYSTEM_KEXEC_LOAD);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->number = call->arg[1];
	rec->flags = call->arg[3];
	return system_end(slot, call);
}

static __always_inline int on_kexec_file(struct call *call)
{
	struct slot *slot = system_begin(call, SYSTEM_KEXEC_FILE);
	struct file *file = file_of_fd(call->arg[0]);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->flags = call->arg[4];
	if (file)
		file_fill(slot, &rec->file, file, ADDRESS);
	append_string(slot, &rec->text, (void *)call->arg[3], true);
	return system_end(slot, call);
}

/* The name that is there afterwards; one that was refused as it was asked for. */
static __always_inline void uts_name(struct slot *slot, struct bytes_ref *ref, struct call *call)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct uts_namespace *uts = READ(task, nsproxy, uts_ns);
	__u32 len = call->arg[1];
	void *to;

	if (call->result >= 0) {
		append_string(slot, ref,
			      call->what == TAP_SETHOSTNAME ? (void *)&uts->name.nodename
							    : (void *)&uts->name.domainname,
			      false);
		return;
	}
	to = append_at(slot, ref, RECORD_PATH_MAX);
	if (len >= UTS_NAME_MAX)
		len = UTS_NAME_MAX - 1;
	barrier_var(len);
	if (!to || !len || len >= UTS_NAME_MAX ||
	    bpf_probe_read_user(to, len, (void *)call->arg[0]))
		return;
	ref->total = len;
	append_done(slot, ref, len);
}

static __always_inline int on_uts_name(struct call *call)
{
	struct slot *slot = system_begin(call, call->what == TAP_SETHOSTNAME ? SYSTEM_HOST_NAME
									     : SYSTEM_DOMAIN_NAME);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	uts_name(slot, &rec->text, call);
	return system_end(slot, call);
}

static __always_inline int on_swap(struct call *call)
{
	struct slot *slot =
		system_begin(call, call->what == TAP_SWAPON ? SYSTEM_SWAP_ON : SYSTEM_SWAP_OFF);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	append_asked(slot, &rec->file, AT_FDCWD, (void *)call->arg[0], true);
	if (call->what == TAP_SWAPON)
		rec->flags = call->arg[1];
	return system_end(slot, call);
}

/* What ends the machine does not come back, so it is told before. */
static __always_inline int on_reboot(struct call *call)
{
	struct slot *slot = system_begin(call, SYSTEM_REBOOT);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->number = (__u32)call->arg[2];
	if (call->tier == 1)
		rec->record.flags |= RECORD_RESULT_UNKNOWN;
	return system_end(slot, call);
}

static __always_inline int on_log(struct call *call)
{
	__u32 type = call->arg[0];
	struct system_record *rec;
	struct slot *slot;

	if (type < SYSLOG_READ_CLEAR || type > SYSLOG_CONSOLE_LEVEL)
		return 0;
	slot = system_begin(call, SYSTEM_LOG);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->number = type;
	return system_end(slot, call);
}

/* Of process accounting; without a name it ends. */
static __always_inline int on_acct(struct call *call)
{
	struct slot *slot = system_begin(call, SYSTEM_ACCOUNTING);

	if (!slot)
		return 0;
	if (call->arg[0])
		append_asked(slot, &((struct system_record *)slot->data)->file, AT_FDCWD,
			     (void *)call->arg[0], true);
	return system_end(slot, call);
}

#define IO_PORTS  65536
#define IOPL_FULL 3

static __always_inline int on_ports(struct call *call)
{
	struct slot *slot = system_begin(call, SYSTEM_IO_PORTS);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (call->what == TAP_IOPL) {
		rec->flags = (__u32)call->arg[0] >= IOPL_FULL ? IO_PORTS : 0;
	} else {
		rec->number = call->arg[0];
		rec->flags = (__u32)call->arg[2] ? call->arg[1] : 0;
	}
	return system_end(slot, call);
}

#define FAN_CLASSES 0x0c /* that are asked before; 0: is only told */

static __always_inline int on_fanotify(struct call *call)
{
	struct slot *slot;

	if (!(call->arg[0] & FAN_CLASSES))
		return 0;
	slot = system_begin(call, SYSTEM_FILE_EVENTS);
	if (!slot)
		return 0;
	((struct system_record *)slot->data)->flags = call->arg[0];
	return system_end(slot, call);
}

CALL_EXIT_COMPAT(kexec_load, TAP_KEXEC_LOAD, on_kexec_load)
CALL_EXIT_AT(CALL_FUNCTION, kexec_file_load, _exit, false, TAP_KEXEC_FILE, on_kexec_file)
CALL_EXIT_TAP(sethostname, TAP_SETHOSTNAME, on_uts_name)
CALL_EXIT_TAP(setdomainname, TAP_SETDOMAINNAME, on_uts_name)
CALL_EXIT_TAP(swapon, TAP_SWAPON, on_swap)
CALL_EXIT_TAP(swapoff, TAP_SWAPOFF, on_swap)
CALL_EXIT_TAP(syslog, TAP_SYSLOG, on_log)
CALL_EXIT_TAP(acct, TAP_ACCT, on_acct)
CALL_EXIT_TAP(fanotify_init, TAP_FANOTIFY, on_fanotify)
#if defined(__TARGET_ARCH_x86)
CALL_EXIT_TAP(iopl, TAP_IOPL, on_ports)
CALL_EXIT_TAP(ioperm, TAP_IOPERM, on_ports)
#endif

SEC("?fentry/" CALL_FUNCTION "reboot")
int PROGRAM_CTX(reboot_enter)
{
	struct call call = {.hook = HOOK_reboot_enter, .tier = 1};

	CALL_REGISTERS(&call, ctx, false);
	return on_reboot(&call);
}

#if defined(__TARGET_ARCH_x86)
SEC("?fentry/__ia32_sys_reboot")
int PROGRAM_CTX(reboot_enter_ia32)
{
	struct call call = {.hook = HOOK_reboot_enter, .tier = 1};

	CALL_REGISTERS(&call, ctx, true);
	return on_reboot(&call);
}
#endif

static __always_inline int on_clock(struct call *call, __u32 action, __s64 seconds, __s64 ns)
{
	struct slot *slot = system_begin(call, action);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->number = seconds * (__s64)NS_PER_SECOND + ns;
	return system_end(slot, call);
}

SEC("?fexit/do_sys_settimeofday64")
int PROGRAM(settime_exit, struct timespec64 *to, void *zone, int result)
{
	struct call call = {.result = result, .hook = HOOK_settime_exit, .tier = 1};

	return to ? on_clock(&call, SYSTEM_CLOCK_SET, READ(to, tv_sec), READ(to, tv_nsec)) : 0;
}

/* Steps only: what slows the clock down or speeds it up is a time server's daily work. */
SEC("?fexit/do_adjtimex")
int PROGRAM(adjtimex_exit, struct __kernel_timex *asked, int result)
{
	struct call call = {.result = result, .hook = HOOK_adjtimex_exit, .tier = 1};
	__u32 modes = READ(asked, modes);
	__s64 part = READ(asked, time.tv_usec);

	if (!(modes & ADJ_SETOFFSET))
		return 0;
	return on_clock(&call, SYSTEM_CLOCK_STEP, READ(asked, time.tv_sec),
			modes & ADJ_NANO ? part : part * NS_PER_US);
}

#define MEMORY_MAJOR 1 /* of character devices: mem 1, kmem 2, port 4 */

static __always_inline bool is_memory_device(dev_t device)
{
	__u32 minor = device & 0xfffff;

	return device >> 20 == MEMORY_MAJOR && (minor == 1 || minor == 2 || minor == 4);
}

static __always_inline int on_memory_opened(struct call *call, struct file *file)
{
	struct slot *slot = system_begin(call, SYSTEM_MEMORY);
	struct system_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->flags = READ(file, f_flags);
	file_fill(slot, &rec->file, file, ADDRESS);
	return system_end(slot, call);
}

/* On tier 2, of any file that was opened. */
static __always_inline void tap_memory(struct call *call, struct file *file)
{
	if (is_memory_device(READ(file, f_inode, i_rdev)))
		on_memory_opened(call, file);
}

SEC("?fexit/memory_open")
int PROGRAM(memory_exit, struct inode *inode, struct file *file, int result)
{
	struct call call = {
		.result = result, .hook = HOOK_memory_exit, .tier = tier_of(KIND_system)};

	return is_memory_device(READ(inode, i_rdev)) ? on_memory_opened(&call, file) : 0;
}

SEC("?fexit/open_kcore")
int PROGRAM(kcore_exit, struct inode *inode, struct file *file, int result)
{
	struct call call = {
		.result = result, .hook = HOOK_kcore_exit, .tier = tier_of(KIND_system)};

	return on_memory_opened(&call, file);
}

#define TIOCSTI	       0x5412
#define TIOCLINUX      0x541C
#define TIOCL_PASTESEL 3

/* Which byte is nobody's business here: it may be of a password. */
SEC("?fexit/tty_ioctl")
int PROGRAM(terminal_exit, struct file *file, unsigned int request, unsigned long argument,
	    long result)
{
	struct call call = {
		.result = result, .hook = HOOK_terminal_exit, .tier = tier_of(KIND_system)};
	struct slot *slot;
	char what = 0;

	if (request == TIOCLINUX)
		bpf_probe_read_user(&what, sizeof(what), (void *)argument);
	if (request != TIOCSTI && what != TIOCL_PASTESEL)
		return 0;
	slot = system_begin(&call, SYSTEM_TERMINAL_INPUT);
	if (!slot)
		return 0;
	file_fill(slot, &((struct system_record *)slot->data)->file, file, ADDRESS);
	return system_end(slot, &call);
}
