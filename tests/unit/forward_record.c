/* SPDX-License-Identifier: Apache-2.0 */
/* Events of every class as OTLP records. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/escape.h"
#include "forward/names.h"
#include "forward/ocsf.h"
#include "forward/record.h"
#include "forward_tools.h"

static void assert_text(const Otlp__LogRecord *record, const char *key, const char *want)
{
	const Otlp__AnyValue *value = find(record, key);

	if (!value)
		print_message("%s is missing\n", key);
	assert_non_null(value);
	assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
	assert_int_equal(value->string_value.len, strlen(want));
	assert_memory_equal(value->string_value.data, want, strlen(want));
}

/* What OTLP asks of any record. */
static void assert_valid(const Otlp__LogRecord *record)
{
	assert_true(record->severity_number >= 1 && record->severity_number <= 24);
	assert_true(record->body->string_value.len > 0);
	assert_true(is_utf8(record->body->string_value.data, record->body->string_value.len));
	for (size_t i = 0; i < record->n_attributes; i++) {
		const Otlp__KeyValue *pair = record->attributes[i];

		assert_true(pair->key.len > 0);
		assert_int_not_equal(pair->value->value_case, OTLP__ANY_VALUE__VALUE__NOT_SET);
		if (pair->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
			assert_true(is_utf8(pair->value->string_value.data,
					    pair->value->string_value.len));
		for (size_t j = 0; j < i; j++) {
			const ProtobufCBinaryData *other = &record->attributes[j]->key;

			if (other->len == pair->key.len &&
			    !memcmp(other->data, pair->key.data, other->len))
				fail_msg("%.*s is there twice", (int)other->len,
					 (const char *)other->data);
		}
	}
}

/* How many values of a message are not the default, however deep. */
static size_t count_fields(const ProtobufCMessage *message)
{
	const char *base = (const char *)message;
	size_t count = 0;

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
		    field->label != PROTOBUF_C_LABEL_REPEATED)
			count += count_fields(*(ProtobufCMessage *const *)(base + field->offset));
		else
			count++;
	}
	return count;
}

static void every_class_is_mapped(void **state)
{
	static const unsigned kinds[] = {
#define KIND(name, number, lane) number,
		FOR_EACH_KIND(KIND)
#undef KIND
	};
	unsigned salt = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct event event = fill_event(&arena, kinds[i], 1, 77, &salt);
		struct frame *frame = make_frame(&event);
		const Otlp__LogRecord *record = read_record(frame, event.body);
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
			&hinomi__event__descriptor, kinds[i]);
		const ProtobufCMessage *body =
			*(ProtobufCMessage **)((char *)event.body + field->offset);
		size_t want = count_fields(body) +
			      (event.process ? count_fields(&event.process->base) : 0);
		struct ocsf ocsf = ocsf_of(event.body);
		char name[64];

		assert_non_null(record);
		assert_valid(record);
		snprintf(name, sizeof(name), "hinomi.%s", kind_name(kinds[i]));
		assert_text(record, "event.name", name);
		assert_int_equal(record->event_name.len, strlen(name));
		assert_memory_equal(record->event_name.data, name, strlen(name));
		assert_int_equal(record->dropped_attributes_count, 0);
		/* nothing of the event is left behind */
		assert_true(record->n_attributes >= want);
		assert_true(ocsf.class_uid > 0 && ocsf.activity_id > 0);
		assert_int(record, "ocsf.type_uid", ocsf.class_uid * 100 + ocsf.activity_id);
		assert_int(record, "hinomi.seq", 77);
		assert_int_equal(!!ocsf.activity_name, ocsf.activity_id == 99);
		arena_reset(&arena);
	}
}

static void empty_events_are_mapped(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(&hinomi__event__descriptor, kind);
		Hinomi__Event *event = arena_alloc(&arena, sizeof(*event));
		struct frame *frame;

		hinomi__event__init(event);
		if (field && (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) {
			ProtobufCMessage *body = arena_alloc(
				&arena, ((const ProtobufCMessageDescriptor *)field->descriptor)
						->sizeof_message);

			protobuf_c_message_init(field->descriptor, body);
			event->body_case = (Hinomi__Event__BodyCase)kind;
			*(ProtobufCMessage **)((char *)event + field->offset) = body;
		}
		frame = make_frame(NULL);
		frame->header->n_clocks = 0;
		assert_non_null(read_record(frame, event));
		arena_reset(&arena);
	}
}

static void exec_has_the_names_of_the_conventions(void **state)
{
	struct event event = make_exec("/bin/a\\b\xff", "root");
	struct frame *frame = make_frame(&event);
	const Otlp__LogRecord *record = read_record(frame, event.body);
	const Otlp__AnyValue *args;

	(void)state;
	assert_non_null(record);
	assert_valid(record);
	assert_int_equal(record->time_unix_nano, 1700000000000006000);
	assert_int_equal(record->observed_time_unix_nano, 1700000000000005000);
	assert_text(record, "file.path", "/bin/a\\\\b\\xff");
	assert_text(record, "file.inode", "18446744073709551615");
	assert_text(record, "file.mode", "4755");
	assert_int(record, "hinomi.exec.file.mode", 0104755);
	assert_text(record, "file.owner.id", "0");
	assert_int(record, "process.pid", 42);
	assert_text(record, "process.executable.path", "/usr/bin/ls");
	assert_text(record, "process.executable.name", "ls");
	assert_text(record, "process.creation.time", "2023-11-14T22:13:20.000004000Z");
	assert_int(record, "process.user.id", 0);
	assert_text(record, "user.id", "0");
	assert_text(record, "user.name", "root");
	assert_int(record, "thread.id", 43);
	assert_text(record, "error.type", "EACCES");
	assert_int(record, "hinomi.result", -EACCES);
	assert_text(record, "log.record.uid", "72696e67730000000000000000000000-keep-s-1");
	args = find(record, "process.command_args");
	assert_non_null(args);
	assert_int_equal(args->value_case, OTLP__ANY_VALUE__VALUE_ARRAY_VALUE);
	assert_int_equal(args->array_value->n_values, 2); /* the exec's, not the process's */
	assert_memory_equal(args->array_value->values[1].data, "\x0a\x05-\\xff", 7);
	arena_reset(&arena);
}

static void connections_have_addresses(void **state)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;
	Hinomi__Socket sock = HINOMI__SOCKET__INIT;
	Hinomi__Address peer = HINOMI__ADDRESS__INIT, local = HINOMI__ADDRESS__INIT;
	struct frame *frame = make_frame(NULL);
	const Otlp__LogRecord *record;

	(void)state;
	peer.family = 2;
	peer.ip = (ProtobufCBinaryData){.data = (uint8_t *)"\x7f\0\0\1", .len = 4};
	peer.port = 443;
	sock.family = 10;
	sock.protocol = 6;
	sock.peer = &peer;
	sock.local = &local;
	event.connect = &sock;
	event.body_case = HINOMI__EVENT__BODY_CONNECT;
	record = read_record(frame, &event);
	assert_text(record, "network.peer.address", "127.0.0.1");
	assert_int(record, "network.peer.port", 443);
	assert_text(record, "network.transport", "tcp");
	assert_text(record, "network.type", "ipv4");
	assert_int(record, "ocsf.activity_id", 1);
	event.result = -ECONNREFUSED;
	record = read_record(frame, &event);
	assert_int(record, "ocsf.activity_id", 5);
	event.result = -ETIMEDOUT;
	record = read_record(frame, &event);
	assert_int(record, "ocsf.activity_id", 4);
	sock.family = 1;
	peer = (Hinomi__Address)HINOMI__ADDRESS__INIT;
	peer.family = 1;
	peer.path = (ProtobufCBinaryData){.data = (uint8_t *)"/run/x", .len = 6};
	record = read_record(frame, &event);
	assert_text(record, "network.peer.address", "/run/x");
	assert_text(record, "network.transport", "unix");
	assert_null(find(record, "network.type"));
	arena_reset(&arena);
}

static void long_values_are_cut_and_said(void **state)
{
	struct event event = make_exec("/bin/x", "root");
	Hinomi__Exec *exec = event.body->exec;
	size_t counts[] = {1, 40000};
	struct frame *frame;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		const Otlp__LogRecord *record;
		const Otlp__AnyValue *value;

		exec->n_args = counts[i];
		exec->args = arena_alloc(&arena, counts[i] * sizeof(*exec->args));
		for (size_t j = 0; j < counts[i]; j++) {
			exec->args[j].len = 1000000 / counts[i];
			exec->args[j].data = arena_alloc(&arena, exec->args[j].len);
			memset(exec->args[j].data, 0xfe, exec->args[j].len); /* four bytes each */
		}
		exec->filename = exec->args[0];
		exec->cwd = exec->args[0];
		frame = make_frame(&event);
		record = read_record(frame, event.body);
		assert_non_null(record);
		assert_valid(record);
		value = find(record, "hinomi.truncated");
		assert_non_null(value);
		assert_true(value->bool_value);
		assert_int(record, "process.pid", 42);
	}
	arena_reset(&arena);
}

static void names_are_sorted(void **state)
{
	(void)state;
	assert_string_equal(name_of("args")->key, "process.command_args");
	assert_string_equal(name_of("process.parent.pid")->key, "process.parent_pid");
	assert_string_equal(name_of("local.path")->key, "network.local.address");
	assert_null(name_of("nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class_is_mapped),
		cmocka_unit_test(empty_events_are_mapped),
		cmocka_unit_test(exec_has_the_names_of_the_conventions),
		cmocka_unit_test(connections_have_addresses),
		cmocka_unit_test(long_values_are_cut_and_said),
		cmocka_unit_test(names_are_sorted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
