/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP requests as the collector keeps them; foreign bytes throughout. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "collect/gunzip.h"
#include "collect/logs.h"
#include "otlp.pb-c.h"
#include "render/otlp.h"

static char dir[64];
static int dir_fd;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/hinomi-logs-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	return dir_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	close(dir_fd);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

/* A request with one record that has this body. */
static size_t pack_request(Otlp__AnyValue *value, uint8_t *out)
{
	Otlp__ExportLogsServiceRequest request = OTLP__EXPORT_LOGS_SERVICE_REQUEST__INIT;
	Otlp__ResourceLogs resource = OTLP__RESOURCE_LOGS__INIT, *resources[] = {&resource};
	Otlp__ScopeLogs scope = OTLP__SCOPE_LOGS__INIT, *scopes[] = {&scope};
	Otlp__LogRecord record = OTLP__LOG_RECORD__INIT, *records[] = {&record};

	record.body = value;
	record.time_unix_nano = 7;
	record.trace_id = bytes("\x01\xfe");
	scope.log_records = records;
	scope.n_log_records = 1;
	resource.scope_logs = scopes;
	resource.n_scope_logs = 1;
	request.resource_logs = resources;
	request.n_resource_logs = 1;
	return otlp__export_logs_service_request__pack(&request, out);
}

static char *line_of(const void *data, size_t size, int want)
{
	char *line = NULL;
	size_t length;
	FILE *out = open_memstream(&line, &length);

	assert_int_equal(logs_write(out, data, size), want);
	fclose(out);
	return line;
}

static void record_is_a_line(void **state)
{
	Otlp__AnyValue value;
	uint8_t body[512];
	char *line;

	(void)state;
	otlp__any_value__init(&value);
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = bytes("a\\\"b\n\x1b\xe2\x80\xae");
	line = line_of(body, pack_request(&value, body), 0);
	assert_string_equal(line, "{\"resource\":[],\"scope\":\"\",\"record\":{\"timeUnixNano\":"
				  "\"7\",\"observedTimeUnixNano\":\"0\",\"severityNumber\":0,"
				  "\"body\":{\"stringValue\":\"a\\\\\\\"b\\n\\u001b\\u202e\"},"
				  "\"traceId\":\"01fe\"}}\n");
	free(line);
	value.string_value = bytes("\xff");
	free(line_of(body, pack_request(&value, body), -EBADMSG));
	value.value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	value.bytes_value = bytes("light wo");
	line = line_of(body, pack_request(&value, body), 0);
	assert_non_null(strstr(line, "\"bytesValue\":\"bGlnaHQgd28=\""));
	free(line);
}

/* A list in a list in a list, this deep; made by hand from the inside. */
static size_t pack_nested(unsigned depth, uint8_t **ret)
{
	uint8_t *value = malloc(16 + 20 * (size_t)depth), *wrapped;
	Otlp__AnyValue body;
	size_t size = 2;

	memcpy(value, "\x18\x05", 2); /* the int 5 */
	for (unsigned i = 0; i < depth; i++) {
		Otlp__ArrayValue array = OTLP__ARRAY_VALUE__INIT;
		ProtobufCBinaryData element = {.data = value, .len = size};

		array.values = &element;
		array.n_values = 1;
		otlp__any_value__init(&body);
		body.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
		body.array_value = &array;
		wrapped = malloc(16 + 20 * (size_t)depth);
		size = otlp__any_value__pack(&body, wrapped);
		free(value);
		value = wrapped;
	}
	{
		Otlp__AnyValue *read = otlp__any_value__unpack(NULL, size, value);

		*ret = malloc(size + 256);
		size = pack_request(read, *ret);
		otlp__any_value__free_unpacked(read, NULL);
	}
	free(value);
	return size;
}

static void nesting_has_a_limit(void **state)
{
	static const struct {
		unsigned depth;
		int want;
	} rows[] = {{1, 0}, {OTLP_DEPTH_MAX, 0}, {OTLP_DEPTH_MAX + 1, -ELOOP}, {10000, -ELOOP}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t *body;
		size_t size = pack_nested(rows[i].depth, &body);
		char *line = line_of(body, size, rows[i].want);

		if (!rows[i].want)
			assert_non_null(strstr(line, "{\"intValue\":\"5\"}"));
		free(line);
		free(body);
	}
}

/* Two bytes of a message may cost it a hundred of memory: the cost has a limit. */
static void many_small_parts_have_a_limit(void **state)
{
	size_t size = 4u << 20;
	uint8_t *body = malloc(size);

	(void)state;
	for (size_t i = 0; i < size; i += 2)
		memcpy(body + i, "\x0a\0", 2); /* an empty ResourceLogs */
	free(line_of(body, size, -EBADMSG));
	free(body);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, 0) ? -1 : st.st_size;
}

static void request_is_there_whole_or_not_at_all(void **state)
{
	uint8_t good[512], bad[512];
	size_t good_size, bad_size;
	struct logs *logs;
	Otlp__AnyValue value;
	off_t size;
	int fd;

	(void)state;
	otlp__any_value__init(&value);
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = bytes("good");
	good_size = pack_request(&value, good);
	value.string_value = bytes("bad\xc0");
	bad_size = pack_request(&value, bad);
	assert_int_equal(logs_open(dir_fd, NULL, &logs), 0);
	assert_int_equal(logs_add(logs, good, good_size), 0);
	size = size_of("logs/000001.jsonl");
	assert_true(size > 0);
	assert_int_equal(logs_add(logs, bad, bad_size), -EBADMSG);
	assert_int_equal(size_of("logs/000001.jsonl"), size);
	/* a good record before the bad one goes with it */
	memcpy(good + good_size, bad, bad_size);
	assert_int_equal(logs_add(logs, good, good_size + bad_size), -EBADMSG);
	assert_int_equal(size_of("logs/000001.jsonl"), size);
	assert_int_equal(logs_add(logs, good, good_size), 0);
	assert_int_equal(size_of("logs/000001.jsonl"), 2 * size);
	assert_int_equal(logs_add(logs, "", 0), 0);
	logs_free(logs);
	/* a line that was cut by a crash */
	fd = openat(dir_fd, "logs/000001.jsonl", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"resource", 10), 10);
	close(fd);
	assert_int_equal(logs_open(dir_fd, NULL, &logs), 0);
	assert_int_equal(logs_add(logs, good, good_size), 0);
	assert_int_equal(size_of("logs/000001.jsonl"), 3 * size);
	logs_free(logs);
}

static void gzip_has_a_limit(void **state)
{
	size_t plain_size = 1 << 20, size = compressBound(plain_size) + 64, length;
	uint8_t *plain = calloc(1, plain_size), *packed = malloc(size), *ret;
	z_stream zip = {.next_in = plain,
			.avail_in = (uInt)plain_size,
			.next_out = packed,
			.avail_out = (uInt)size};

	(void)state;
	assert_int_equal(deflateInit2(&zip, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
	size = zip.total_out;
	deflateEnd(&zip);
	assert_int_equal(gunzip(packed, size, plain_size, &ret, &length), 0);
	assert_int_equal(length, plain_size);
	free(ret);
	assert_int_equal(gunzip(packed, size, plain_size - 1, &ret, &length), -EFBIG);
	assert_int_equal(gunzip(packed, size, 10, &ret, &length), -EFBIG);
	assert_int_equal(gunzip(packed, size - 1, plain_size, &ret, &length), -EBADMSG);
	assert_int_equal(gunzip(packed, 0, plain_size, &ret, &length), -EBADMSG);
	assert_int_equal(gunzip("no gzip", 7, plain_size, &ret, &length), -EBADMSG);
	packed[size - 5] ^= 1; /* of the checksum */
	assert_int_equal(gunzip(packed, size, plain_size, &ret, &length), -EBADMSG);
	free(plain);
	free(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_is_a_line),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(many_small_parts_have_a_limit),
		cmocka_unit_test_setup_teardown(request_is_there_whole_or_not_at_all, setup,
						teardown),
		cmocka_unit_test(gzip_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
