/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of classes about what processes do to each other and to the kernel. */
#include "decode/bodies.h"

#include <sys/mount.h>

#include "decode/source.h"

void decode_exec_failed(struct source *source, Hinomi__Event *event)
{
	BODY(exec_failed_record, Hinomi__ExecFailed, hinomi__exec_failed__init, exec_failed,
	     EXEC_FAILED);
	if (rec->file.inode || rec->file.path.len)
		body->file = source_file(source, &rec->file);
	body->filename = source_bytes(source, &rec->filename);
}

static Hinomi__Target *source_target(struct source *source, const struct target *from)
{
	Hinomi__Target *target = source_alloc(source, sizeof(*target));

	if (!target)
		return NULL;
	hinomi__target__init(target);
	target->key = source_key(source, &from->key);
	target->comm = source_name(from->comm, sizeof(from->comm));
	target->uid = from->uid;
	return target;
}

void decode_process_access(struct source *source, Hinomi__Event *event)
{
	BODY(access_record, Hinomi__ProcessAccess, hinomi__process_access__init, process_access,
	     PROCESS_ACCESS);
	body->target = source_target(source, &rec->target);
	body->operation = (Hinomi__ProcessAccess__Operation)rec->operation;
	body->mode = rec->mode;
	body->call_known = rec->call >= 0;
	if (!body->call_known)
		return;
	body->system_call = (uint32_t)rec->call;
	if (rec->operation == ACCESS_PTRACE || rec->operation == ACCESS_TRACE_ME ||
	    rec->operation == ACCESS_ADVISE)
		body->request = rec->request;
}

void decode_signal(struct source *source, Hinomi__Event *event)
{
	BODY(signal_record, Hinomi__Signal, hinomi__signal__init, signal, SIGNAL);
	body->target = source_target(source, &rec->target);
	body->signal = rec->signal;
	body->code = rec->code;
	body->to_sensor = !!rec->to_sensor;
}

/* As path_mount() of the kernel tells them apart, in its order. */
static Hinomi__Mount__Action mount_action(const struct mount_record *rec)
{
	switch (rec->action) {
	case MOUNT_MOVE:
		return HINOMI__MOUNT__ACTION__ACTION_MOVE;
	case MOUNT_UMOUNT:
		return HINOMI__MOUNT__ACTION__ACTION_UMOUNT;
	case MOUNT_PIVOT_ROOT:
		return HINOMI__MOUNT__ACTION__ACTION_PIVOT_ROOT;
	case MOUNT_SETATTR:
		return HINOMI__MOUNT__ACTION__ACTION_SETATTR;
	case MOUNT_CLONE:
		return HINOMI__MOUNT__ACTION__ACTION_CLONE;
	case MOUNT_DETACHED:
		return HINOMI__MOUNT__ACTION__ACTION_DETACHED;
	case MOUNT_MOUNT:
		break;
	default:
		return HINOMI__MOUNT__ACTION__ACTION_UNSPECIFIED;
	}
	if (rec->flags & MS_REMOUNT)
		return HINOMI__MOUNT__ACTION__ACTION_REMOUNT;
	if (rec->flags & MS_BIND)
		return HINOMI__MOUNT__ACTION__ACTION_BIND;
	if (rec->flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return HINOMI__MOUNT__ACTION__ACTION_PROPAGATION;
	if (rec->flags & MS_MOVE)
		return HINOMI__MOUNT__ACTION__ACTION_MOVE;
	return HINOMI__MOUNT__ACTION__ACTION_MOUNT;
}

void decode_mount(struct source *source, Hinomi__Event *event)
{
	BODY(mount_record, Hinomi__Mount, hinomi__mount__init, mount, MOUNT);
	body->action = mount_action(rec);
	body->target = source_file(source, &rec->target);
	body->source = source_bytes(source, &rec->source);
	body->filesystem = source_bytes(source, &rec->type);
	body->root = source_bytes(source, &rec->root);
	body->flags = rec->flags;
	body->attributes = rec->attributes;
	body->cleared = rec->cleared;
	body->propagation = rec->propagation;
}

void decode_chroot(struct source *source, Hinomi__Event *event)
{
	BODY(mount_record, Hinomi__Chroot, hinomi__chroot__init, chroot, CHROOT);
	body->root = source_file(source, &rec->target);
}

void decode_namespace(struct source *source, Hinomi__Event *event)
{
	BODY(namespace_record, Hinomi__NamespaceChange, hinomi__namespace_change__init, namespace_,
	     NAMESPACE);
	body->how = (Hinomi__NamespaceChange__How)rec->how;
	body->flags = rec->flags;
	if (rec->old_known)
		body->old = source_namespaces(source, &rec->old);
	body->now = source_namespaces(source, &rec->now);
	body->pid_for_children = rec->pid_for_children;
}
