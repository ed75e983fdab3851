/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of an event that more than one form of output needs. */
#include "render/body.h"
#include "render/render.h"

static const ProtobufCFieldDescriptor *body_field(const Hinomi__Event *event)
{
	if (event->body_case == HINOMI__EVENT__BODY__NOT_SET)
		return NULL;
	return protobuf_c_message_descriptor_get_field(event->base.descriptor, event->body_case);
}

const char *event_class(const Hinomi__Event *event)
{
	const ProtobufCFieldDescriptor *field = body_field(event);

	return field ? field->name : "unknown";
}

const ProtobufCMessage *body_message(const Hinomi__Event *event)
{
	const ProtobufCFieldDescriptor *field = body_field(event);

	if (!field)
		return NULL;
	return *(const ProtobufCMessage *const *)((const char *)event + field->offset);
}

const Hinomi__Process *payload_process(const Hinomi__Payload *payload, const Hinomi__Event *event)
{
	if (!payload || !event->process || event->process > payload->n_processes)
		return NULL;
	return payload->processes[event->process - 1];
}

const Hinomi__File *body_file(const Hinomi__Event *event)
{
	const ProtobufCMessage *message = body_message(event);
	const ProtobufCFieldDescriptor *field;

	if (!message)
		return NULL;
	field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "file");
	if (!field || field->descriptor != &hinomi__file__descriptor)
		return NULL;
	return *(const Hinomi__File *const *)((const char *)message + field->offset);
}

const Hinomi__Socket *body_socket(const Hinomi__Event *event)
{
	const ProtobufCMessage *message = body_message(event);

	if (!message || message->descriptor != &hinomi__socket__descriptor)
		return NULL;
	return (const Hinomi__Socket *)message;
}
