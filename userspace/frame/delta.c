/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message begins as a copy of the one that it is held against: what is not
 * mentioned is shared with it, and nothing that was read is ever changed.
 */
#include "frame/delta.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "frame/memory.h"
#include "frame/weight.h"

#define CPUS	   8192
#define ELEMENTS   8 /* of a list that those of a later one are held against */
#define STRING_MIN 3 /* bytes; shorter ones have no number */
#define PAGE	   1024
#define DEPTH_MAX  16 /* of what is skipped; the schema ends before */

enum item { ITEM_PROCESS = 1, ITEM_EVENT = 2 };
enum form { FORM_NUMBER, FORM_BYTES, FORM_MESSAGE, FORM_LIST };

struct reader {
	struct frame_memory *memory;
	const uint8_t *at, *end;
	int error;
	size_t weight;
	ProtobufCBinaryData **pages; /* of strings, by number */
	size_t nstrings;
	uint64_t next_seq[CPUS + 1]; /* by cpu; 0: none was seen */
};

static void fail(struct reader *reader, int error)
{
	if (!reader->error)
		reader->error = error;
}

/* An arena that is full is the fault of who asked for so much. */
static void *allocate(struct reader *reader, size_t size)
{
	void *p = reader->memory->allocator.alloc(reader->memory, size);

	if (!p)
		fail(reader, reader->memory->is_short ? -ENOMEM : -EBADMSG);
	return p;
}

static uint64_t take_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	fail(reader, -EBADMSG);
	return 0;
}

static uint64_t take_zigzag(struct reader *reader)
{
	uint64_t value = take_varint(reader);

	return value >> 1 ^ -(value & 1);
}

static void string_note(struct reader *reader, ProtobufCBinaryData string)
{
	ProtobufCBinaryData **page = &reader->pages[reader->nstrings / PAGE];

	if (!*page)
		*page = allocate(reader, PAGE * sizeof(**page));
	if (*page)
		(*page)[reader->nstrings++ % PAGE] = string;
}

static ProtobufCBinaryData string_find(struct reader *reader, uint64_t number)
{
	if (number < reader->nstrings)
		return reader->pages[number / PAGE][number % PAGE];
	fail(reader, -EBADMSG);
	return (ProtobufCBinaryData){0};
}

static ProtobufCBinaryData take_literal(struct reader *reader, uint64_t size)
{
	ProtobufCBinaryData bytes = {.len = size};

	if (reader->error || (size_t)(reader->end - reader->at) < size) {
		fail(reader, -EBADMSG);
		return (ProtobufCBinaryData){0};
	}
	bytes.data = size ? (uint8_t *)reader->at : NULL;
	reader->at += size;
	return bytes;
}

/* The first bytes are those of an earlier string. */
static ProtobufCBinaryData take_continued(struct reader *reader)
{
	ProtobufCBinaryData from = string_find(reader, take_varint(reader)), rest;
	uint64_t size = take_varint(reader);
	uint8_t *bytes;

	if (size > from.len)
		fail(reader, -EBADMSG);
	rest = take_literal(reader, take_varint(reader));
	bytes = reader->error ? NULL : allocate(reader, size + rest.len);
	if (!bytes)
		return (ProtobufCBinaryData){0};
	if (from.data && size)
		memcpy(bytes, from.data, size);
	if (rest.len)
		memcpy(bytes + size, rest.data, rest.len);
	return (ProtobufCBinaryData){.data = bytes, .len = size + rest.len};
}

static ProtobufCBinaryData take_bytes(struct reader *reader)
{
	uint64_t n = take_varint(reader);
	ProtobufCBinaryData string;

	if (n & 1 && n > 1)
		return string_find(reader, n / 2 - 1);
	string = n == 1 ? take_continued(reader) : take_literal(reader, n / 2);
	if (string.len >= STRING_MIN)
		string_note(reader, string);
	return string;
}

/* Elements of a list: each takes a byte at least. */
static size_t take_count(struct reader *reader, bool *are_messages)
{
	uint64_t n = take_varint(reader);

	*are_messages = n & 1;
	if (!reader->error && n >> 1 > (size_t)(reader->end - reader->at))
		fail(reader, -EBADMSG);
	return reader->error ? 0 : n >> 1;
}

static void skip_message(struct reader *reader, unsigned depth);

/* A field that this reader does not know. */
static void skip_field(struct reader *reader, enum form form, unsigned depth)
{
	bool are_messages;
	size_t n;

	if (form == FORM_NUMBER) {
		take_varint(reader);
	} else if (form == FORM_BYTES) {
		take_bytes(reader);
	} else if (form == FORM_MESSAGE) {
		skip_message(reader, depth);
	} else {
		n = take_count(reader, &are_messages);
		for (; n && !reader->error; n--)
			if (are_messages)
				skip_message(reader, depth);
			else
				take_bytes(reader);
	}
}

static void skip_message(struct reader *reader, unsigned depth)
{
	uint64_t key;

	if (depth == DEPTH_MAX) {
		fail(reader, -EBADMSG);
		return;
	}
	while (!reader->error && (key = take_varint(reader)))
		skip_field(reader, (enum form)(key & 3), depth + 1);
}

static void set_number(struct reader *reader, const ProtobufCFieldDescriptor *field, void *to,
		       uint64_t more)
{
	uint64_t wide;
	uint32_t narrow;

	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BOOL: /* it is an int */
		memcpy(&narrow, to, sizeof(narrow));
		narrow += (uint32_t)more;
		if (field->type == PROTOBUF_C_TYPE_BOOL)
			narrow = !!narrow;
		memcpy(to, &narrow, sizeof(narrow));
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_FIXED64:
		memcpy(&wide, to, sizeof(wide));
		wide += more;
		memcpy(to, &wide, sizeof(wide));
		break;
	default:
		fail(reader, -EBADMSG);
	}
}

static void set_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field, void *to)
{
	ProtobufCBinaryData bytes = take_bytes(reader);
	char *string;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		fail(reader, -EBADMSG);
	} else if (field->type == PROTOBUF_C_TYPE_BYTES) {
		memcpy(to, &bytes, sizeof(bytes));
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		string = allocate(reader, bytes.len + 1);
		if (!string)
			return;
		if (bytes.len)
			memcpy(string, bytes.data, bytes.len);
		memcpy(to, &string, sizeof(string));
	} else {
		fail(reader, -EBADMSG);
	}
}

static void *read_message(struct reader *reader, const ProtobufCMessageDescriptor *type,
			  const void *before);

static const void *list_before(const void *const *list, size_t i, const void *const *before,
			       size_t nbefore)
{
	if (i < ELEMENTS && i < nbefore)
		return before[i];
	return i ? list[i - 1] : NULL;
}

/* message has the list before still */
static void set_list(struct reader *reader, const ProtobufCFieldDescriptor *field, uint8_t *message)
{
	bool are_messages, want_messages = field->type == PROTOBUF_C_TYPE_MESSAGE;
	size_t n = take_count(reader, &are_messages), nbefore;
	size_t width = want_messages ? sizeof(void *) : sizeof(ProtobufCBinaryData);
	const void *const *before;
	void *list = n ? allocate(reader, n * width) : NULL;

	memcpy(&before, message + field->offset, sizeof(before));
	memcpy(&nbefore, message + field->quantifier_offset, sizeof(nbefore));
	if ((n && are_messages != want_messages) ||
	    (!want_messages && field->type != PROTOBUF_C_TYPE_BYTES))
		fail(reader, -EBADMSG);
	for (size_t i = 0; i < n && !reader->error; i++)
		if (want_messages)
			((void **)list)[i] = read_message(
				reader, field->descriptor,
				list_before((const void *const *)list, i, before, nbefore));
		else
			((ProtobufCBinaryData *)list)[i] = take_bytes(reader);
	memcpy(message + field->offset, &list, sizeof(list));
	memcpy(message + field->quantifier_offset, &n, sizeof(n));
}

static void set_message(struct reader *reader, const ProtobufCFieldDescriptor *field, void *to)
{
	const void *before;
	void *now;

	memcpy(&before, to, sizeof(before));
	now = read_message(reader, field->descriptor, before);
	memcpy(to, &now, sizeof(now));
}

static void read_field(struct reader *reader, const ProtobufCFieldDescriptor *field, enum form form,
		       uint8_t *message)
{
	bool single = field->label != PROTOBUF_C_LABEL_REPEATED;
	void *to = message + field->offset, *none = NULL;
	bool are_messages;

	if (form == FORM_NUMBER && single)
		set_number(reader, field, to, take_zigzag(reader));
	else if (form == FORM_BYTES && single)
		set_bytes(reader, field, to);
	else if (form == FORM_MESSAGE && single && field->type == PROTOBUF_C_TYPE_MESSAGE)
		set_message(reader, field, to);
	else if (form == FORM_LIST && !single)
		set_list(reader, field, message);
	else if (form == FORM_LIST && field->type == PROTOBUF_C_TYPE_MESSAGE &&
		 !take_count(reader, &are_messages))
		memcpy(to, &none, sizeof(none));
	else
		fail(reader, -EBADMSG);
}

static uint8_t *message_begin(struct reader *reader, const ProtobufCMessageDescriptor *type,
			      const void *before)
{
	uint8_t *message = allocate(reader, type->sizeof_message);

	if (message && before)
		memcpy(message, before, type->sizeof_message);
	else if (message)
		type->message_init((ProtobufCMessage *)message);
	return message;
}

/* Up to the end, or to a member of a oneof, which is given back. */
static const ProtobufCFieldDescriptor *read_fields(struct reader *reader,
						   const ProtobufCMessageDescriptor *type,
						   uint8_t *message)
{
	uint64_t key, last = 0;
	unsigned i = 0;

	while (!reader->error && (key = take_varint(reader))) {
		uint64_t id = key >> 2;

		if (id <= last)
			fail(reader, -EBADMSG);
		last = id;
		while (i < type->n_fields && type->fields[i].id < id)
			i++;
		if (reader->error)
			break;
		if (i == type->n_fields || type->fields[i].id != id)
			skip_field(reader, (enum form)(key & 3), 0);
		else if (type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			return (key & 3) == FORM_MESSAGE ? &type->fields[i]
							 : (fail(reader, -EBADMSG), (void *)NULL);
		else
			read_field(reader, &type->fields[i], (enum form)(key & 3), message);
	}
	return NULL;
}

static void *read_message(struct reader *reader, const ProtobufCMessageDescriptor *type,
			  const void *before)
{
	uint8_t *message = reader->error ? NULL : message_begin(reader, type, before);

	if (message && read_fields(reader, type, message))
		fail(reader, -EBADMSG); /* only events have a oneof */
	return reader->error ? NULL : message;
}

static void add_weight(struct reader *reader, const void *message)
{
	if (!reader->error)
		reader->weight += message_weight(message);
	if (reader->weight > DELTA_WEIGHT_MAX)
		fail(reader, -EBADMSG);
}

static void read_process(struct reader *reader, Hinomi__Payload *payload)
{
	uint64_t back = take_varint(reader);
	const Hinomi__Process *before = NULL;
	Hinomi__Process *process;

	if (back > payload->n_processes)
		fail(reader, -EBADMSG);
	else if (back)
		before = payload->processes[payload->n_processes - back];
	process = read_message(reader, &hinomi__process__descriptor, before);
	add_weight(reader, process);
	payload->processes[payload->n_processes++] = process;
}

/* Held against that of an event of the same class. */
static void read_body(struct reader *reader, const Hinomi__Payload *payload,
		      const ProtobufCFieldDescriptor *field, Hinomi__Event *event)
{
	uint64_t back = take_varint(reader);
	const Hinomi__Event *other = NULL;
	const void *before = NULL;
	void *body;

	if (back > payload->n_events)
		fail(reader, -EBADMSG);
	else if (back)
		other = payload->events[payload->n_events - back];
	if (other && other->body_case != (Hinomi__Event__BodyCase)field->id)
		fail(reader, -EBADMSG);
	if (reader->error)
		return;
	if (other)
		memcpy(&before, (const uint8_t *)other + field->offset, sizeof(before));
	body = read_message(reader, field->descriptor, before);
	add_weight(reader, body);
	memcpy((uint8_t *)event + field->offset, &body, sizeof(body));
	event->body_case = (Hinomi__Event__BodyCase)field->id;
}

static void read_event(struct reader *reader, Hinomi__Payload *payload)
{
	const ProtobufCMessageDescriptor *type = &hinomi__event__descriptor;
	const ProtobufCFieldDescriptor *body;
	const Hinomi__Process *process = NULL;
	uint64_t back = take_varint(reader), *next;
	Hinomi__Event *event;

	if (back > payload->n_processes)
		fail(reader, -EBADMSG);
	if (reader->error)
		return;
	event = (Hinomi__Event *)message_begin(
		reader, type, payload->n_events ? payload->events[payload->n_events - 1] : NULL);
	if (!event)
		return;
	event->body_case = HINOMI__EVENT__BODY__NOT_SET;
	event->process = (uint32_t)(payload->n_processes - back);
	if (event->process)
		process = payload->processes[event->process - 1];
	if (process && process->key && process->key->pid)
		event->tid = process->key->pid;
	event->seq = 0;
	body = read_fields(reader, type, (uint8_t *)event);
	if (body)
		read_body(reader, payload, body, event);
	add_weight(reader, event);
	next = &reader->next_seq[event->cpu < CPUS ? event->cpu : CPUS];
	event->seq += *next ? *next : 1;
	*next = event->seq + 1;
	payload->events[payload->n_events++] = event;
}

static void read_items(struct reader *reader, Hinomi__Payload *payload, uint32_t events)
{
	while (reader->at < reader->end && !reader->error) {
		uint64_t item = take_varint(reader);

		if (item == ITEM_PROCESS && payload->n_processes < events)
			read_process(reader, payload);
		else if (item == ITEM_EVENT && payload->n_events < events)
			read_event(reader, payload);
		else
			fail(reader, -EBADMSG);
	}
}

int delta_read(struct frame_memory *memory, const uint8_t *data, size_t size, uint32_t events,
	       Hinomi__Payload **ret)
{
	void *(*alloc)(void *memory, size_t size) = memory->allocator.alloc;
	struct reader *reader = alloc(memory, sizeof(*reader));
	Hinomi__Payload *payload;

	if (!reader)
		return -ENOMEM;
	reader->memory = memory;
	reader->at = data;
	reader->end = data + size;
	if (events > size / 2)
		return -EBADMSG;
	payload = allocate(reader, sizeof(*payload));
	reader->pages = allocate(reader, (size / (STRING_MIN + 1) / PAGE + 1) * sizeof(void *));
	if (reader->error)
		return reader->error;
	hinomi__payload__init(payload);
	payload->processes = events ? allocate(reader, events * sizeof(void *)) : NULL;
	payload->events = events ? allocate(reader, events * sizeof(void *)) : NULL;
	read_items(reader, payload, events);
	*ret = payload;
	return reader->error;
}
