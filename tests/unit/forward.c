/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions of the forwarder: what an answer means, how long to wait, where a cursor stands. */
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "collect.pb-c.h"
#include "forward/answer.h"
#include "forward/credential.h"
#include "forward/cursor.h"
#include "forward/dead.h"
#include "forward/http.h"
#include "forward/receipt.h"
#include "forward/retry.h"
#include "otlp.pb-c.h"

static char dir[] = "/tmp/hinomi-forward-XXXXXX";
static int dir_fd;

static int setup(void **state)
{
	(void)state;
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

static void only_four_statuses_are_retried(void **state)
{
	(void)state;
	for (long status = 200; status < 600; status++) {
		enum verdict want = VERDICT_REFUSED;

		if (status < 300)
			want = VERDICT_ACCEPTED;
		else if (status < 400 || status == 429 || (status >= 502 && status <= 504))
			want = VERDICT_RETRY;
		else if (status == 400 || status == 413)
			want = VERDICT_SPLIT;
		assert_int_equal(retry_verdict(status), want);
	}
	assert_int_equal(retry_verdict(0), VERDICT_RETRY);
	assert_int_equal(retry_verdict(101), VERDICT_RETRY);
	assert_int_equal(retry_verdict(999), VERDICT_RETRY);
}

static void delay_is_jittered_and_bounded(void **state)
{
	(void)state;
	for (unsigned attempt = 0; attempt < 70; attempt++) {
		uint64_t most = attempt < 6 ? NS_PER_SEC << attempt : 60 * NS_PER_SEC;

		assert_int_equal(retry_delay_ns(attempt, 0), 0);
		assert_int_equal(retry_delay_ns(attempt, most), most);
		for (uint64_t random = 1; random; random <<= 1)
			assert_true(retry_delay_ns(attempt, random) <= most);
	}
	assert_int_equal(retry_delay_ns(UINT32_MAX, 61 * NS_PER_SEC), NS_PER_SEC - 1);
}

static void retry_after_in_all_forms(void **state)
{
	static const struct {
		const char *value;
		uint64_t seconds;
	} rows[] = {
		{"120", 120},
		{" 7 ", 7},
		{"0", 0},
		{"Mon, 23 Nov 2026 12:00:30 GMT", 30},
		{"Monday, 23-Nov-26 12:00:30 GMT", 30},
		{"Mon Nov 23 12:00:30 2026", 30},
		{"Mon, 23 Nov 2026 12:00:00 GMT", 0},
		{"Mon, 23 Nov 2020 12:00:00 GMT", 0},
		{"Mon, 23 Nov 2036 12:00:00 GMT", 3600},
		{"99999999999999999999999999", 3600},
		{"", 0},
		{"-5", 0},
		{"5 seconds", 0},
		{"soon", 0},
		{"Mon, 23 Nov 2026 12:00:30 GMT+1", 0},
	};
	struct tm tm = {.tm_year = 126, .tm_mon = 10, .tm_mday = 23, .tm_hour = 12};
	uint64_t now_ns = (uint64_t)timegm(&tm) * NS_PER_SEC;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(retry_after_ns(rows[i].value, now_ns),
				 rows[i].seconds * NS_PER_SEC);
}

static void cursor_comes_back(void **state)
{
	struct cursor cursor = {.sensor_id = {0xff, 1, 2},
				.frame = UINT64_MAX,
				.hash = {0xab, [31] = 0xcd},
				.events = UINT32_MAX,
				.at = {UINT64_MAX, UINT64_MAX}};
	struct cursor_file file;
	struct cursor read;

	(void)state;
	assert_int_equal(cursor_open(dir_fd, "a.cursor", &file, &read), -ENOENT);
	assert_int_equal(cursor_save(&file, &cursor), 0);
	cursor_close(&file);
	assert_int_equal(cursor_open(dir_fd, "a.cursor", &file, &read), 0);
	assert_memory_equal(&read, &cursor, offsetof(struct cursor, events) + 4);
	assert_memory_equal(read.hash, cursor.hash, sizeof(read.hash));
	assert_memory_equal(&read.at, &cursor.at, sizeof(read.at));
	for (cursor.frame = 7; cursor.frame < 12; cursor.frame++) {
		assert_int_equal(cursor_save(&file, &cursor), 0);
		cursor_close(&file);
		assert_int_equal(cursor_open(dir_fd, "a.cursor", &file, &read), 0);
		assert_int_equal(read.frame, cursor.frame);
	}
	cursor_close(&file);
	assert_int_equal(mkdirat(dir_fd, "d.cursor", 0700), 0);
	assert_int_equal(cursor_open(dir_fd, "d.cursor", &file, &read), -EISDIR);
}

static int reopen(const char *name, struct cursor *read)
{
	struct cursor_file file;
	int err = cursor_open(dir_fd, name, &file, read);

	cursor_close(&file);
	return err;
}

static void torn_cursor_gives_the_one_before(void **state)
{
	struct cursor cursor = {.frame = 1}, read;
	struct cursor_file file;
	char lines[512];

	(void)state;
	assert_int_equal(cursor_open(dir_fd, "t.cursor", &file, &read), -ENOENT);
	assert_int_equal(cursor_save(&file, &cursor), 0); /* the second line */
	cursor.frame = 2;
	assert_int_equal(cursor_save(&file, &cursor), 0); /* the first */
	assert_int_equal(pread(file.fd, lines, sizeof(lines), 0), sizeof(lines));
	for (int torn = 0; torn < 256; torn++) {
		char half[256] = {0};

		memcpy(half, lines, (size_t)torn);
		assert_int_equal(pwrite(file.fd, half, sizeof(half), 0), sizeof(half));
		assert_int_equal(reopen("t.cursor", &read), 0);
		assert_int_equal(read.frame, memcmp(half, lines, sizeof(half)) ? 1 : 2);
	}
	cursor_close(&file);
}

static void damaged_cursor_is_noticed(void **state)
{
	struct cursor cursor = {.frame = 12, .at = {3, 456}}, read = {.frame = 99};
	struct cursor_file file;
	enum { SECOND = 4096 }; /* where the line is that was written */
	char line[SECOND + 256];
	int fd, size;

	(void)state;
	assert_int_equal(cursor_open(dir_fd, "b.cursor", &file, &read), -ENOENT);
	read.frame = 99;
	assert_int_equal(cursor_save(&file, &cursor), 0);
	cursor_close(&file);
	fd = openat(dir_fd, "b.cursor", O_RDWR);
	size = (int)pread(fd, line, sizeof(line), 0);
	for (int i = SECOND; i < size; i++) {
		for (int bit = 0; bit < 8; bit++) {
			char flipped = (char)(line[i] ^ 1 << bit);

			assert_int_equal(pwrite(fd, &flipped, 1, i), 1);
			assert_int_equal(reopen("b.cursor", &read), -EBADMSG);
		}
		assert_int_equal(pwrite(fd, &line[i], 1, i), 1);
		assert_int_equal(ftruncate(fd, i), 0);
		/* NULs at the end may be missing */
		assert_int_equal(reopen("b.cursor", &read), line[i] ? -EBADMSG : 0);
		read.frame = 99;
		assert_int_equal(pwrite(fd, line, (size_t)size, 0), size);
	}
	assert_int_equal(read.frame, 99);
	assert_int_equal(reopen("b.cursor", &read), 0);
	close(fd);
}

/* An answer as http would give it. */
static struct http_answer *answer_with(long status, const char *type, const void *body, size_t size)
{
	static struct http_answer http;

	memset(&http, 0, sizeof(http));
	http.status = status;
	snprintf(http.type, sizeof(http.type), "%s", type);
	memcpy(http.body, body, size);
	http.size = size;
	return &http;
}

static void success_may_be_empty(void **state)
{
	struct answer answer;

	(void)state;
	answer_read(answer_with(200, "", "", 0), &answer);
	assert_int_equal(answer.verdict, VERDICT_ACCEPTED);
	answer_read(answer_with(204, "", "", 0), &answer);
	assert_int_equal(answer.verdict, VERDICT_ACCEPTED);
	answer_read(answer_with(200, "application/json", "{}", 2), &answer);
	assert_int_equal(answer.verdict, VERDICT_ACCEPTED);
	assert_int_equal(answer.rejected, 0);
}

static void partial_success_is_success(void **state)
{
	Otlp__ExportLogsServiceResponse response = OTLP__EXPORT_LOGS_SERVICE_RESPONSE__INIT;
	Otlp__ExportLogsPartialSuccess partial = OTLP__EXPORT_LOGS_PARTIAL_SUCCESS__INIT;
	char json[] = "{\"partialSuccess\": {\"rejectedLogRecords\" : \"17\"}}";
	struct answer answer;
	uint8_t body[256];
	size_t size;

	(void)state;
	partial.rejected_log_records = 3;
	partial.error_message.data = (uint8_t *)"too\nold\033[31m";
	partial.error_message.len = 12;
	response.partial_success = &partial;
	size = otlp__export_logs_service_response__pack(&response, body);
	answer_read(answer_with(200, "application/x-protobuf", body, size), &answer);
	assert_int_equal(answer.verdict, VERDICT_ACCEPTED);
	assert_int_equal(answer.rejected, 3);
	assert_false(answer.warning);
	assert_string_equal(answer.text, "too\\nold\\e[31m");
	partial.rejected_log_records = 0;
	size = otlp__export_logs_service_response__pack(&response, body);
	answer_read(answer_with(200, "", body, size), &answer);
	assert_true(answer.warning);
	assert_int_equal(answer.rejected, 0);
	partial.rejected_log_records = -1;
	size = otlp__export_logs_service_response__pack(&response, body);
	answer_read(answer_with(200, "", body, size), &answer);
	assert_int_equal(answer.verdict, VERDICT_ACCEPTED);
	assert_int_equal(answer.rejected, 0);
	answer_read(answer_with(200, "application/json", json, strlen(json)), &answer);
	assert_int_equal(answer.rejected, 17);
}

static void junk_is_no_acknowledgement(void **state)
{
	struct http_answer *http = answer_with(200, "application/x-protobuf", "\x0a\xff\xff", 3);
	struct answer answer;

	(void)state;
	answer_read(http, &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	assert_true(answer.broken);
	answer_read(answer_with(200, "text/html", "<html>", 6), &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	assert_true(answer.broken);
	answer_read(answer_with(200, "application/json", "oops", 4), &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	answer_read(answer_with(302, "", "", 0), &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	assert_true(answer.broken);
	http = answer_with(200, "", "", 0);
	http->too_long = true;
	answer_read(http, &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	assert_true(answer.broken);
	http = answer_with(0, "", "", 0);
	snprintf(http->error, sizeof(http->error), "connection refused");
	answer_read(http, &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	assert_false(answer.broken);
	assert_string_equal(answer.text, "connection refused");
}

static void errors_say_their_message(void **state)
{
	Otlp__Status status = OTLP__STATUS__INIT;
	struct answer answer;
	uint8_t body[64];
	size_t size;

	(void)state;
	status.message.data = (uint8_t *)"no such tenant";
	status.message.len = 14;
	size = otlp__status__pack(&status, body);
	answer_read(answer_with(404, "application/x-protobuf", body, size), &answer);
	assert_int_equal(answer.verdict, VERDICT_REFUSED);
	assert_string_equal(answer.text, "HTTP 404: no such tenant");
	answer_read(answer_with(413, "text/plain", "too large", 9), &answer);
	assert_int_equal(answer.verdict, VERDICT_SPLIT);
	assert_string_equal(answer.text, "HTTP 413: too large");
	answer_read(answer_with(503, "application/x-protobuf", "\xff", 1), &answer);
	assert_int_equal(answer.verdict, VERDICT_RETRY);
	assert_string_equal(answer.text, "HTTP 503");
}

/* A nesting that overflows the stack of a recursive reader (10,000 values in values). */
static void deep_answer_is_survived(void **state)
{
	static uint8_t body[60000];
	size_t size = sizeof(body), used = 0;
	struct answer answer;

	(void)state;
	/* each level: field 1, of the length of what follows */
	while (size - used > 4) {
		size_t rest = size - used - 4;

		body[used++] = 0x0a;
		body[used++] = (uint8_t)(rest | 128);
		body[used++] = (uint8_t)((rest >> 7) | 128);
		body[used++] = (uint8_t)(rest >> 14);
	}
	answer_read(answer_with(200, "application/x-protobuf", body, used), &answer);
	answer_read(answer_with(400, "application/x-protobuf", body, used), &answer);
}

static void write_secret(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void secrets_are_read_anew(void **state)
{
	char path[128], header[160], *ret = NULL;

	(void)state;
	assert_int_equal(credential_header("X-Plain: value", &ret), 0);
	assert_string_equal(ret, "X-Plain: value");
	free(ret);
	snprintf(path, sizeof(path), "%s/token", dir);
	snprintf(header, sizeof(header), "Authorization: @%s", path);
	assert_int_equal(credential_header(header, &ret), -ENOENT);
	for (char digit = '1'; digit < '3'; digit++) {
		char text[] = "Bearer 0\n";

		text[7] = digit;
		write_secret(path, text);
		assert_int_equal(credential_header(header, &ret), 0);
		assert_int_equal(ret[strlen(ret) - 1], digit);
		free(ret);
	}
	write_secret(path, "one\r\nX-Injected: two");
	assert_int_equal(credential_header(header, &ret), -EINVAL);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	write_secret(path, "short");
	assert_int_equal(credential_header("A: @token", &ret), 0);
	assert_string_equal(ret, "A: short");
	free(ret);
}

static void dead_letters_are_bounded(void **state)
{
	Otlp__LogRecord record = OTLP__LOG_RECORD__INIT;
	static uint8_t text[60000], bytes[70000];
	struct dead dead;
	struct stat st;
	size_t size;

	(void)state;
	memset(text, 'x', sizeof(text));
	record.event_name = (ProtobufCBinaryData){.data = text, .len = sizeof(text)};
	size = otlp__log_record__pack(&record, bytes);
	dead_init(&dead, dir_fd, "sink");
	for (int i = 0; i < 1200; i++)
		assert_int_equal(dead_add(&dead, bytes, size, 400, "too \"large\""), 0);
	dead_done(&dead);
	assert_int_equal(fstatat(dir_fd, "sink.dead.jsonl", &st, 0), 0);
	assert_true(st.st_size > 0 && st.st_size <= DEAD_FILE_BYTES);
	assert_int_equal(fstatat(dir_fd, "sink.dead.1.jsonl", &st, 0), 0);
	assert_true(st.st_size > DEAD_FILE_BYTES / 2 && st.st_size <= DEAD_FILE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_four_statuses_are_retried),
		cmocka_unit_test(delay_is_jittered_and_bounded),
		cmocka_unit_test(retry_after_in_all_forms),
		cmocka_unit_test(cursor_comes_back),
		cmocka_unit_test(damaged_cursor_is_noticed),
		cmocka_unit_test(torn_cursor_gives_the_one_before),
		cmocka_unit_test(success_may_be_empty),
		cmocka_unit_test(partial_success_is_success),
		cmocka_unit_test(junk_is_no_acknowledgement),
		cmocka_unit_test(errors_say_their_message),
		cmocka_unit_test(deep_answer_is_survived),
		cmocka_unit_test(secrets_are_read_anew),
		cmocka_unit_test(dead_letters_are_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
