/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of classes about what a process does to itself. */
#include "decode/bodies.h"
#include "decode/source.h"

void decode_sandbox(struct source *source, Hinomi__Event *event)
{
	BODY(sandbox_record, Hinomi__Sandbox, hinomi__sandbox__init, sandbox, SANDBOX);
	ProtobufCBinaryData program = source_bytes(source, &rec->program);

	body->change = (Hinomi__Sandbox__Change)rec->change;
	body->flags = rec->flags;
	body->listener = !!rec->listener;
	body->instructions = rec->instructions;
	body->sha256 = source_sha256(source, &program);
	body->filters = rec->filters;
}

void decode_process_name(struct source *source, Hinomi__Event *event)
{
	BODY(name_record, Hinomi__ProcessName, hinomi__process_name__init, process_name,
	     PROCESS_NAME);
	body->old = source_name(rec->old, sizeof(rec->old));
	body->now = source_name(rec->now, sizeof(rec->now));
}

void decode_prctl(struct source *source, Hinomi__Event *event)
{
	BODY(prctl_record, Hinomi__Prctl, hinomi__prctl__init, prctl, PRCTL);
	body->option = rec->option;
	body->value = rec->value;
	body->address = rec->address;
}

void decode_image_load(struct source *source, Hinomi__Event *event)
{
	BODY(image_record, Hinomi__ImageLoad, hinomi__image_load__init, image_load, IMAGE_LOAD);
	body->file = source_file(source, &rec->file);
	body->protection = rec->protection;
	body->flags = rec->flags;
	body->later = !!rec->later;
	body->by_executable = !!rec->by_executable;
}

void decode_memory_exec(struct source *source, Hinomi__Event *event)
{
	BODY(memory_record, Hinomi__MemoryExec, hinomi__memory_exec__init, memory_exec,
	     MEMORY_EXEC);
	body->action = (Hinomi__MemoryExec__Action)rec->action;
	body->memory = (Hinomi__MemoryExec__Memory)rec->memory;
	body->writable = !!rec->writable;
	body->was_writable = !!rec->was_writable;
	body->address = rec->address;
	body->size = rec->size;
	if (rec->file.inode)
		body->file = source_file(source, &rec->file);
}

void decode_userfaultfd(struct source *source, Hinomi__Event *event)
{
	BODY(userfaultfd_record, Hinomi__Userfaultfd, hinomi__userfaultfd__init, userfaultfd,
	     USERFAULTFD);
	body->flags = rec->flags;
}

void decode_file_received(struct source *source, Hinomi__Event *event)
{
	BODY(received_record, Hinomi__FileReceived, hinomi__file_received__init, file_received,
	     FILE_RECEIVED);
	body->file = source_file(source, &rec->file);
	body->opener_uid = rec->opener;
	body->flags = rec->flags;
	body->system_call = rec->call;
	if (rec->peer.family)
		body->peer = source_address(source, &rec->peer);
}
