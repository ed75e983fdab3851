/* SPDX-License-Identifier: GPL-2.0 */
/* What the exit tap does for processes and the kernel's own objects: tier 2 of those classes. */
#pragma once

#define PTRACE_TRACEME 0
#define PTRACE_ATTACH  16
#define PTRACE_SEIZE   0x4206

static __always_inline int tap_exec_failed(struct call *call, int dfd, const void *path)
{
	struct exec_failed_record *rec;
	struct slot *slot;

	if (call->result >= 0)
		return 0;
	slot = call_begin(call, KIND_exec_failed, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	append_asked(slot, &rec->file, dfd, path, true);
	append_string(slot, &rec->filename, path, true);
	return record_end(slot, call->result, LANE_OF_exec_failed);
}

static __always_inline int tap_mount(struct call *call)
{
	struct slot *slot = call_begin(call, KIND_mount, sizeof(struct mount_record));
	struct mount_record *rec;
	bool umount = call->what == TAP_UMOUNT;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->action = umount ? MOUNT_UMOUNT : MOUNT_MOUNT;
	rec->flags = umount ? call->arg[1] : call->arg[3];
	append_asked(slot, &rec->target, AT_FDCWD, (void *)(umount ? call->arg[0] : call->arg[1]),
		     true);
	if (!umount) {
		append_string(slot, &rec->source, (void *)call->arg[0], true);
		append_string(slot, &rec->type, (void *)call->arg[2], true);
	}
	return record_end(slot, call->result, LANE_OF_mount);
}

/* The target by the number that the caller used: nothing here finds its task. */
static __always_inline int tap_access(struct call *call, REGS *regs)
{
	struct access_record *rec;
	struct slot *slot;
	__u64 request = call->arg[0];

	if (call->what == TAP_PTRACE && request != PTRACE_TRACEME && request != PTRACE_ATTACH &&
	    request != PTRACE_SEIZE)
		return 0;
	slot = call_begin(call, KIND_process_access, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	access_call(rec, regs);
	if (call->what == TAP_PTRACE && request == PTRACE_TRACEME) {
		rec->operation = ACCESS_TRACE_ME;
		rec->target.key = rec->record.actor.parent;
	} else if (call->what == TAP_PIDFD_GETFD) {
		rec->target.key.tgid = tgid_of_pidfd(call->arg[0]);
	} else {
		rec->target.key.tgid = call->what == TAP_PTRACE ? call->arg[1] : call->arg[0];
	}
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_process_access);
}

#include "tap_process.h"

static __noinline int tap_kernel(struct call *call, REGS *regs)
{
	if (call->what >= TAP_KILL)
		return tap_process(call);
	switch (call->what) {
	case TAP_PTRACE:
	case TAP_VM_ACCESS:
	case TAP_PIDFD_GETFD:
		return tap_access(call, regs);
	case TAP_EXECVE:
		return tap_exec_failed(call, AT_FDCWD, (void *)call->arg[0]);
	case TAP_EXECVEAT:
		return tap_exec_failed(call, call->arg[0], (void *)call->arg[1]);
	case TAP_MOUNT:
	case TAP_UMOUNT:
		return tap_mount(call);
	case TAP_MOVE_MOUNT:
		return on_move_mount(call);
	case TAP_MOUNT_SETATTR ... TAP_FSCONFIG:
		return tap_mount_api(call);
	case TAP_PIVOT_ROOT:
		return on_pivot_root(call);
	case TAP_CHROOT:
		return on_chroot(call);
	case TAP_UNSHARE:
		return on_unshare(call);
	case TAP_SETNS:
		return on_setns(call);
	case TAP_WRITE:
		return tap_write(call);
	}
	return 0;
}
