/* SPDX-License-Identifier: Apache-2.0 */
/* Any payload as OTLP records. Input: an encoded Payload. */
#include <stdint.h>
#include <stdlib.h>

#include "base/escape.h"
#include "forward/attribute.h"
#include "forward/record.h"
#include "frame/frame.h"
#include "otlp.pb-c.h"

static void check(const uint8_t *bytes, size_t size)
{
	Otlp__LogRecord *record = bytes ? otlp__log_record__unpack(NULL, size, bytes) : NULL;

	if (!bytes)
		return; /* out of memory */
	if (!record || size > RECORD_BYTES_MAX || record->n_attributes > ATTRIBUTES_MAX)
		abort();
	for (size_t i = 0; i < record->n_attributes; i++) {
		const Otlp__AnyValue *value = record->attributes[i]->value;

		if (value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE &&
		    value->string_value.len &&
		    !is_utf8(value->string_value.data, value->string_value.len))
			abort();
	}
	otlp__log_record__free_unpacked(record, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recorder *recorder;
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	struct frame frame = {.header = &header};
	Hinomi__Payload *payload;

	if (!recorder && recorder_new(true, &recorder))
		abort();
	payload = hinomi__payload__unpack(NULL, size, data);
	if (!payload)
		return 0;
	frame.payload = payload;
	for (size_t i = 0; i < payload->n_events; i++) {
		size_t length = 0;
		const uint8_t *bytes = record_of(recorder, &frame, payload->events[i], &length);

		check(bytes, length);
	}
	hinomi__payload__free_unpacked(payload, NULL);
	return 0;
}
