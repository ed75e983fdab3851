/* SPDX-License-Identifier: Apache-2.0 */
/* Events, frames, and the records that become of them, for the tests of forward's OTLP side. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fill.h"
#include "forward/record.h"
#include "frame/frame.h"
#include "otlp.pb-c.h"

static struct arena arena;
static struct recorder *recorder;
static uint8_t sensor_id[16] = "sensor", boot_id[16] = "boot", rings_id[16] = "rings";

static inline int setup(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return recorder_new(true, &recorder);
}

static inline int teardown(void **state)
{
	(void)state;
	recorder_free(recorder);
	arena_done(&arena);
	return 0;
}

static inline struct frame *make_frame(const struct event *event)
{
	struct frame *frame = arena_alloc(&arena, sizeof(*frame));
	Hinomi__FrameHeader *header = arena_alloc(&arena, sizeof(*header));
	Hinomi__Payload *payload = arena_alloc(&arena, sizeof(*payload));
	Hinomi__ClockPair *clock = arena_alloc(&arena, sizeof(*clock));

	hinomi__frame_header__init(header);
	hinomi__payload__init(payload);
	hinomi__clock_pair__init(clock);
	clock->boot_ns = 5000;
	clock->real_ns = 1700000000000005000;
	header->sensor_id = (ProtobufCBinaryData){.data = sensor_id, .len = 16};
	header->boot_id = (ProtobufCBinaryData){.data = boot_id, .len = 16};
	header->rings_id = (ProtobufCBinaryData){.data = rings_id, .len = 16};
	header->number = 9;
	header->clocks = arena_copy(&arena, &clock, sizeof(clock));
	header->n_clocks = 1;
	if (event && event->process) {
		payload->processes = arena_copy(&arena, &event->process, sizeof(event->process));
		payload->n_processes = 1;
		event->body->process = 1;
	}
	frame->header = header;
	frame->payload = payload;
	return frame;
}

/* What record_of wrote, as protobuf-c reads it; freed with the next. */
static inline const Otlp__LogRecord *read_record(const struct frame *frame,
						 const Hinomi__Event *event)
{
	static Otlp__LogRecord *record;
	static uint8_t again[RECORD_BYTES_MAX];
	size_t size = 0;
	const uint8_t *bytes = record_of(recorder, frame, event, &size);

	if (record)
		otlp__log_record__free_unpacked(record, NULL);
	record = NULL;
	if (!bytes)
		return NULL;
	assert_true(size <= RECORD_BYTES_MAX);
	record = otlp__log_record__unpack(NULL, size, bytes);
	assert_non_null(record);
	assert_int_equal(record->base.n_unknown_fields, 0);
	/* protobuf-c would have written the same */
	assert_int_equal(otlp__log_record__get_packed_size(record), size);
	otlp__log_record__pack(record, again);
	assert_memory_equal(again, bytes, size);
	return record;
}

static inline const Otlp__AnyValue *find(const Otlp__LogRecord *record, const char *key)
{
	for (size_t i = 0; i < record->n_attributes; i++) {
		const Otlp__KeyValue *pair = record->attributes[i];

		if (pair->key.len == strlen(key) && !memcmp(pair->key.data, key, pair->key.len))
			return pair->value;
	}
	return NULL;
}

static inline void assert_int(const Otlp__LogRecord *record, const char *key, int64_t want)
{
	const Otlp__AnyValue *value = find(record, key);

	if (!value)
		print_message("%s is missing\n", key);
	assert_non_null(value);
	assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_INT_VALUE);
	assert_int_equal(value->int_value, want);
}

/* An exec as it comes from the sensor. */
static inline struct event make_exec(const char *path, const char *user)
{
	Hinomi__Event *body = arena_alloc(&arena, sizeof(*body));
	Hinomi__Exec *exec = arena_alloc(&arena, sizeof(*exec));
	Hinomi__File *file = arena_alloc(&arena, sizeof(*file));
	Hinomi__Process *process = arena_alloc(&arena, sizeof(*process));
	Hinomi__ProcessKey *key = arena_alloc(&arena, sizeof(*key));
	Hinomi__Credentials *credentials = arena_alloc(&arena, sizeof(*credentials));
	static ProtobufCBinaryData args[] = {{.data = (uint8_t *)"ls", .len = 2},
					     {.data = (uint8_t *)"-\xff", .len = 2}};

	hinomi__event__init(body);
	hinomi__exec__init(exec);
	hinomi__file__init(file);
	hinomi__process__init(process);
	hinomi__process_key__init(key);
	hinomi__credentials__init(credentials);
	key->pid = 42;
	key->start_ns = 4000;
	credentials->user = (ProtobufCBinaryData){.data = (uint8_t *)user, .len = strlen(user)};
	process->key = key;
	process->credentials = credentials;
	process->executable = (ProtobufCBinaryData){.data = (uint8_t *)"/usr/bin/ls", .len = 11};
	process->args = args;
	process->n_args = 1;
	file->path = (ProtobufCBinaryData){.data = (uint8_t *)path, .len = strlen(path)};
	file->inode = UINT64_MAX;
	file->mode = 0104755;
	exec->file = file;
	exec->args = args;
	exec->n_args = 2;
	body->exec = exec;
	body->body_case = HINOMI__EVENT__BODY_EXEC;
	body->time_ns = 6000;
	body->tid = 43;
	body->result = -EACCES;
	body->seq = 1;
	body->cpu = CPU_SENSOR;
	return (struct event){.body = body, .process = process, .kind = KIND_exec};
}
