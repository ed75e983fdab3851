// SPDX-License-Identifier: Apache-2.0
/* Events whose target is ours. */
#include <stdio.h>
#include <string.h>

#include "guard/internal.h"

static void tell(struct guard *guard, what_t what, const ProtobufCBinaryData *object, uint32_t pid,
		 uint32_t signal, const struct event *by)
{
	Hinomi__SensorTamper tamper = HINOMI__SENSOR_TAMPER__INIT;

	tamper.what = what;
	tamper.object = *object;
	tamper.pid = pid;
	tamper.signal = signal;
	tamper.class_ = (char *)kind_name(by->kind);
	guard_tell(guard, &tamper, by);
}

static void on_process(struct guard *guard, what_t what, const Hinomi__Target *target,
		       uint32_t signal, const struct event *by)
{
	const struct own_process *own = target ? own_process(guard, target->key) : NULL;
	ProtobufCBinaryData name;

	if (!own)
		return;
	name = (ProtobufCBinaryData){strlen(own->name), (uint8_t *)own->name};
	tell(guard, what, &name, own->tgid, signal, by);
}

static bool on_file(struct guard *guard, const Hinomi__File *file, const struct event *by)
{
	what_t what = own_file(guard, file, by->process);

	if (what)
		tell(guard, what, &file->path, 0, 0, by);
	return what;
}

static void on_rename(struct guard *guard, const Hinomi__FileRename *rename, const struct event *by)
{
	what_t what = own_place(guard, &rename->old_path, by->process);

	if (what)
		tell(guard, what, &rename->old_path, 0, 0, by);
	else if (!on_file(guard, rename->file, by))
		on_file(guard, rename->replaced, by);
}

static void on_link(struct guard *guard, const Hinomi__FileLink *link, const struct event *by)
{
	what_t what = link->symbolic ? 0 : own_place(guard, &link->target, by->process);

	if (what)
		tell(guard, what, &link->target, 0, 0, by);
	else
		on_file(guard, link->file, by);
}

static void on_mount(struct guard *guard, const Hinomi__Mount *mount, const struct event *by)
{
	if (mount->target && own_mount(guard, &mount->target->path, by->process))
		tell(guard, TAMPER(MOUNT), &mount->target->path, 0, 0, by);
}

/* Settings that the hooks depend on: guard_watch compares them, but who did it tells the event. */
static void on_setting(struct guard *guard, const Hinomi__Sysctl *setting, const struct event *by)
{
	static const char *const names[] = {"kernel.ftrace_enabled", "kernel.bpf_stats_enabled"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (setting->name.len == strlen(names[i]) &&
		    !memcmp(setting->name.data, names[i], setting->name.len))
			tell(guard, TAMPER(SWITCH), &setting->name, 0, 0, by);
}

/* One of our programs, maps or links was opened, detached or changed by somebody else. */
static void on_bpf(struct guard *guard, const Hinomi__Bpf *bpf, const struct event *by)
{
	ProtobufCBinaryData name = bpf->name;

	if (bpf->ours && bpf->operation != HINOMI__BPF__OPERATION__OPERATION_LOAD)
		tell(guard, TAMPER(BPF), &name, 0, 0, by);
}

/* What is done to, of the classes that name one file; NULL: of none of them. */
static const Hinomi__File *file_of(const Hinomi__Event *body)
{
	switch (body->body_case) {
	case HINOMI__EVENT__BODY_FILE_CREATE:
		return body->file_create->file;
	case HINOMI__EVENT__BODY_FILE_OPEN:
		return body->file_open->file;
	case HINOMI__EVENT__BODY_FILE_UNLINK:
		return body->file_unlink->file;
	case HINOMI__EVENT__BODY_FILE_MODE:
		return body->file_mode->file;
	case HINOMI__EVENT__BODY_FILE_OWNER:
		return body->file_owner->file;
	case HINOMI__EVENT__BODY_FILE_TRUNCATE:
		return body->file_truncate->file;
	case HINOMI__EVENT__BODY_FILE_FLAGS:
		return body->file_flags->file;
	case HINOMI__EVENT__BODY_FILE_XATTR:
		return body->file_xattr->file;
	case HINOMI__EVENT__BODY_FILE_TIMES:
		return body->file_times->file;
	case HINOMI__EVENT__BODY_FILE_MAP:
		return body->file_map->file;
	case HINOMI__EVENT__BODY_FILE_MAKE:
		return body->file_make->file;
	default:
		return NULL;
	}
}

void guard_see(struct guard *guard, const struct event *event)
{
	const Hinomi__Event *body = event->body;

	if (event->process && own_is_trusted(guard, event->process->key))
		return;
	switch (body->body_case) {
	case HINOMI__EVENT__BODY_EXEC:
	case HINOMI__EVENT__BODY_EXIT:
		forwarder_see(guard, event);
		break;
	case HINOMI__EVENT__BODY_SIGNAL:
		on_process(guard, TAMPER(SIGNAL), body->signal->target, body->signal->signal,
			   event);
		break;
	case HINOMI__EVENT__BODY_PROCESS_ACCESS:
		on_process(guard, TAMPER(ACCESS), body->process_access->target, 0, event);
		break;
	case HINOMI__EVENT__BODY_FILE_RENAME:
		on_rename(guard, body->file_rename, event);
		break;
	case HINOMI__EVENT__BODY_FILE_LINK:
		on_link(guard, body->file_link, event);
		break;
	case HINOMI__EVENT__BODY_SUMMARY:
		if (body->summary->file)
			on_file(guard, body->summary->file, event);
		break;
	case HINOMI__EVENT__BODY_SYSCTL:
		on_setting(guard, body->sysctl, event);
		break;
	case HINOMI__EVENT__BODY_BPF:
		on_bpf(guard, body->bpf, event);
		break;
	case HINOMI__EVENT__BODY_MOUNT:
		on_mount(guard, body->mount, event);
		break;
	default:
		on_file(guard, file_of(body), event);
		break;
	}
}
