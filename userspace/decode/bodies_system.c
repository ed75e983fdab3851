/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of classes about the kernel itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decode/bodies.h"
#include "decode/source.h"
#include "decode/sysctl.h"
#include "event/event.h"

#define SETTING_DIGITS 24

static Hinomi__File *file_if_any(struct source *source, const struct file_ref *file)
{
	return file->inode || file->path.len ? source_file(source, file) : NULL;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void module_fill(struct source *source, const struct module_record *rec,
			Hinomi__Module *body)
{
	body->name = source_name(rec->name, sizeof(rec->name));
	body->arguments = source_bytes(source, &rec->arguments);
	body->taints = rec->taints;
	body->file = file_if_any(source, &rec->file);
	body->srcversion = source_name(rec->srcversion, sizeof(rec->srcversion));
	if (!is_zero(rec->build_id, sizeof(rec->build_id)))
		body->build_id = (ProtobufCBinaryData){.data = (uint8_t *)rec->build_id,
						       .len = sizeof(rec->build_id)};
}

void decode_module_load(struct source *source, Hinomi__Event *event)
{
	BODY(module_record, Hinomi__Module, hinomi__module__init, module_load, MODULE_LOAD);
	module_fill(source, rec, body);
}

void decode_module_unload(struct source *source, Hinomi__Event *event)
{
	BODY(module_record, Hinomi__Module, hinomi__module__init, module_unload, MODULE_UNLOAD);
	module_fill(source, rec, body);
}

void decode_bpf(struct source *source, Hinomi__Event *event)
{
	BODY(bpf_record, Hinomi__Bpf, hinomi__bpf__init, bpf, BPF);
	body->operation = (Hinomi__Bpf__Operation)rec->operation;
	body->id = rec->id;
	body->type = rec->type;
	body->attach_type = rec->attach_type;
	body->name = source_name(rec->name, sizeof(rec->name));
	if (rec->instructions && !event->result)
		body->tag =
			(ProtobufCBinaryData){.data = (uint8_t *)rec->tag, .len = sizeof(rec->tag)};
	body->instructions = rec->instructions;
	body->target = source_bytes(source, &rec->target);
	body->target_id = rec->target_id;
	body->link_id = rec->link_id;
	body->link_type = rec->link_type;
	body->helpers = rec->helpers;
	body->ours = !!rec->ours;
}

void decode_probe(struct source *source, Hinomi__Event *event)
{
	BODY(probe_record, Hinomi__Probe, hinomi__probe__init, probe, PROBE);
	body->how = (Hinomi__Probe__How)rec->how;
	body->type = rec->type;
	body->config = rec->config;
	body->pmu = source_bytes(source, &rec->pmu);
	body->place = source_bytes(source, &rec->place);
	body->offset = rec->offset;
	body->pid = rec->pid;
	body->cpu = rec->cpu;
}

void decode_io_uring(struct source *source, Hinomi__Event *event)
{
	BODY(uring_record, Hinomi__IoUring, hinomi__io_uring__init, io_uring, IO_URING);
	body->submissions = rec->sq_entries;
	body->completions = rec->cq_entries;
	body->flags = rec->flags;
}

void decode_cgroup_make(struct source *source, Hinomi__Event *event)
{
	BODY(cgroup_record, Hinomi__CgroupMake, hinomi__cgroup_make__init, cgroup_make,
	     CGROUP_MAKE);
	body->id = rec->id;
	body->path = source_bytes(source, &rec->path);
}

void decode_keyring(struct source *source, Hinomi__Event *event)
{
	BODY(keyring_record, Hinomi__Keyring, hinomi__keyring__init, keyring, KEYRING);
	if (rec->operation == KEY_ADD) {
		body->call = HINOMI__KEYRING__CALL__CALL_ADD;
	} else if (rec->operation == KEY_REQUEST) {
		body->call = HINOMI__KEYRING__CALL__CALL_REQUEST;
	} else {
		body->call = HINOMI__KEYRING__CALL__CALL_KEYCTL;
		body->operation = rec->operation;
	}
	body->key = rec->key;
	body->keyring = rec->keyring;
	body->permissions = rec->permissions;
	body->type = source_bytes(source, &rec->type);
	body->description = source_bytes(source, &rec->description);
}

/* A path below the root of proc, /sys/net/ipv4/conf/eth0.7/forwarding, as sysctl(8) writes it. */
static ProtobufCBinaryData sysctl_name(struct source *source, const struct bytes_ref *path)
{
	static const char root[] = "/sys/";
	const size_t skip = sizeof(root) - 1;
	ProtobufCBinaryData from = source_bytes(source, path), name = {0};

	if (from.len <= skip || memcmp(from.data, root, skip) != 0)
		return from;
	name.data = source_alloc(source, from.len - skip);
	if (!name.data)
		return from;
	name.len = from.len - skip;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t byte = from.data[skip + i];

		name.data[i] = byte == '/' ? '.' : byte == '.' ? '/' : byte;
	}
	return name;
}

static int32_t int_of(const uint8_t *bytes)
{
	int32_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

/* The setting's own data as text: a number of one, four or eight bytes, or what is known to be
 * text. */
static ProtobufCBinaryData setting(struct source *source, const struct sysctl_record *rec,
				   const ProtobufCBinaryData *name)
{
	ProtobufCBinaryData data = source_bytes(source, &rec->data), text = {0};
	int64_t number = 0;

	if (sysctl_is_text(name)) {
		data.len = data.len ? strnlen((const char *)data.data, data.len) : 0;
		return data;
	}
	if (data.len == 1)
		number = data.data[0];
	else if (data.len == 4)
		number = int_of(data.data);
	else if (data.len == 8)
		memcpy(&number, data.data, 8);
	else
		return text;
	text.data = source_alloc(source, SETTING_DIGITS);
	if (text.data)
		text.len = (size_t)snprintf((char *)text.data, SETTING_DIGITS, "%" PRId64, number);
	return text;
}

void decode_sysctl(struct source *source, Hinomi__Event *event)
{
	BODY(sysctl_record, Hinomi__Sysctl, hinomi__sysctl__init, sysctl, SYSCTL);
	body->name = sysctl_name(source, &rec->path);
	body->value = source_bytes(source, &rec->value);
	body->value_truncated = rec->value.total > rec->value.len;
	body->setting = setting(source, rec, &body->name);
	body->weakens = sysctl_weakens(&body->name,
				       body->setting.len && rec->record.result >= 0 ? &body->setting
										    : &body->value,
				       rec->record.result >= 0);
}

void decode_system(struct source *source, Hinomi__Event *event)
{
	BODY(system_record, Hinomi__System, hinomi__system__init, system, SYSTEM);
	body->action = (Hinomi__System__Action)rec->action;
	body->text = source_bytes(source, &rec->text);
	body->file = file_if_any(source, &rec->file);
	body->flags = rec->flags;
	body->number = rec->number;
}

void decode_kernel_attempt(struct source *source, Hinomi__Event *event)
{
	BODY(attempt_record, Hinomi__KernelAttempt, hinomi__kernel_attempt__init, kernel_attempt,
	     KERNEL_ATTEMPT);
	if (kind_is_kernel(rec->what))
		body->class_ = (char *)kind_name(rec->what);
	body->operation = rec->operation;
	body->name = sysctl_name(source, &rec->name);
}

void decode_summary(struct source *source, Hinomi__Event *event)
{
	BODY(summary_record, Hinomi__Summary, hinomi__summary__init, summary, SUMMARY);
	if (kind_is_kernel(rec->of))
		body->class_ = (char *)kind_name(rec->of);
	body->count = rec->count;
	body->first_ns = rec->first_ns;
	body->last_ns = rec->last_ns;
	body->file = file_if_any(source, &rec->file);
	body->address = source_address(source, &rec->address);
}
