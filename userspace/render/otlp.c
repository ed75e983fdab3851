/* SPDX-License-Identifier: Apache-2.0 */
/* Nested values are decoded level by level, so that a limit on levels is a limit on the stack. */
#include "render/otlp.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/escape.h"

static int put_any(FILE *out, const Otlp__AnyValue *value, unsigned depth);

int render_otlp_text(FILE *out, const ProtobufCBinaryData *text)
{
	const char *p = text->len ? (const char *)text->data : "", *end = p + text->len;

	if (text->len && !is_utf8(text->data, text->len))
		return -EBADMSG;
	fputc('"', out);
	while (p < end) {
		const char *backslash = memchr(p, '\\', (size_t)(end - p));
		const char *stop = backslash ? backslash : end;

		escape_json(out, p, (size_t)(stop - p)); /* which would double a backslash twice */
		if (backslash)
			fputs("\\\\", out);
		p = stop + (backslash != NULL);
	}
	fputc('"', out);
	return 0;
}

static void put_base64(FILE *out, const ProtobufCBinaryData *bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	fputc('"', out);
	for (size_t i = 0; i < bytes->len; i += 3) {
		size_t left = bytes->len - i;
		uint32_t group = (uint32_t)bytes->data[i] << 16 |
				 (left > 1 ? (uint32_t)bytes->data[i + 1] << 8 : 0) |
				 (left > 2 ? bytes->data[i + 2] : 0);

		fputc(digits[group >> 18], out);
		fputc(digits[group >> 12 & 63], out);
		fputc(left > 1 ? digits[group >> 6 & 63] : '=', out);
		fputc(left > 2 ? digits[group & 63] : '=', out);
	}
	fputc('"', out);
}

static void put_double(FILE *out, double value)
{
	if (isnan(value))
		fputs("\"NaN\"", out);
	else if (isinf(value))
		fputs(value < 0 ? "\"-Infinity\"" : "\"Infinity\"", out);
	else
		fprintf(out, "%.17g", value);
}

static int put_pair(FILE *out, const Otlp__KeyValue *pair, unsigned depth)
{
	int err;

	fputs("{\"key\":", out);
	err = render_otlp_text(out, &pair->key);
	if (!err && pair->value) {
		fputs(",\"value\":", out);
		err = put_any(out, pair->value, depth);
	}
	fputc('}', out);
	return err;
}

static int put_element(FILE *out, const ProtobufCBinaryData *bytes, bool pairs, unsigned depth)
{
	int err;

	if (bytes->len > OTLP_NESTED_MAX)
		return -EMSGSIZE;
	if (pairs) {
		Otlp__KeyValue *pair = otlp__key_value__unpack(NULL, bytes->len, bytes->data);

		err = pair ? put_pair(out, pair, depth) : -EBADMSG;
		otlp__key_value__free_unpacked(pair, NULL);
	} else {
		Otlp__AnyValue *value = otlp__any_value__unpack(NULL, bytes->len, bytes->data);

		err = value ? put_any(out, value, depth) : -EBADMSG;
		otlp__any_value__free_unpacked(value, NULL);
	}
	return err;
}

static int put_elements(FILE *out, const ProtobufCBinaryData *values, size_t count, bool pairs,
			unsigned depth)
{
	int err = depth < OTLP_DEPTH_MAX ? 0 : -ELOOP;

	fprintf(out, "\"%s\":{\"values\":[", pairs ? "kvlistValue" : "arrayValue");
	for (size_t i = 0; !err && i < count; i++) {
		if (i)
			fputc(',', out);
		err = put_element(out, &values[i], pairs, depth + 1);
	}
	fputs("]}", out);
	return err;
}

static int put_any(FILE *out, const Otlp__AnyValue *value, unsigned depth)
{
	int err = 0;

	fputc('{', out);
	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		fputs("\"stringValue\":", out);
		err = render_otlp_text(out, &value->string_value);
		break;
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		fprintf(out, "\"boolValue\":%s", value->bool_value ? "true" : "false");
		break;
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		fprintf(out, "\"intValue\":\"%" PRId64 "\"", value->int_value);
		break;
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		fputs("\"doubleValue\":", out);
		put_double(out, value->double_value);
		break;
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
		err = put_elements(out, value->array_value->values, value->array_value->n_values,
				   false, depth);
		break;
	case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
		err = put_elements(out, value->kvlist_value->values, value->kvlist_value->n_values,
				   true, depth);
		break;
	case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
		fputs("\"bytesValue\":", out);
		put_base64(out, &value->bytes_value);
		break;
	default:
		break;
	}
	fputc('}', out);
	return err;
}

int render_otlp_attributes(FILE *out, Otlp__KeyValue *const *attributes, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		if (i)
			fputc(',', out);
		err = put_pair(out, attributes[i], 0);
	}
	return err;
}

static void put_hex(FILE *out, const char *name, const ProtobufCBinaryData *bytes)
{
	if (!bytes->len)
		return;
	fprintf(out, ",\"%s\":\"", name);
	for (size_t i = 0; i < bytes->len; i++)
		fprintf(out, "%02x", bytes->data[i]);
	fputc('"', out);
}

static int put_named(FILE *out, const char *name, const ProtobufCBinaryData *text)
{
	if (!text->len)
		return 0;
	fprintf(out, ",\"%s\":", name);
	return render_otlp_text(out, text);
}

int render_otlp_record(FILE *out, const Otlp__LogRecord *record)
{
	int err;

	fprintf(out,
		"{\"timeUnixNano\":\"%" PRIu64 "\",\"observedTimeUnixNano\":\"%" PRIu64
		"\",\"severityNumber\":%" PRId32,
		record->time_unix_nano, record->observed_time_unix_nano, record->severity_number);
	err = put_named(out, "severityText", &record->severity_text);
	if (!err)
		err = put_named(out, "eventName", &record->event_name);
	if (!err && record->body) {
		fputs(",\"body\":", out);
		err = put_any(out, record->body, 0);
	}
	if (!err && record->n_attributes) {
		fputs(",\"attributes\":[", out);
		err = render_otlp_attributes(out, record->attributes, record->n_attributes);
		fputc(']', out);
	}
	if (record->dropped_attributes_count)
		fprintf(out, ",\"droppedAttributesCount\":%" PRIu32,
			record->dropped_attributes_count);
	if (record->flags)
		fprintf(out, ",\"flags\":%" PRIu32, record->flags);
	put_hex(out, "traceId", &record->trace_id);
	put_hex(out, "spanId", &record->span_id);
	fputc('}', out);
	return err;
}
