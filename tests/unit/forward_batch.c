/* SPDX-License-Identifier: Apache-2.0 */
/* Requests made of runs of records. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include <cmocka.h>

#include "forward/batch.h"
#include "forward/names.h"
#include "forward_tools.h"

static int add(struct batch *batch, const struct frame *frame, const Hinomi__Event *event,
	       const struct cursor *after)
{
	size_t size;
	const uint8_t *record = record_of(recorder, frame, event, &size);

	assert_non_null(record);
	return batch_add(batch, frame, record, size, after);
}

/* The whole body of a request as protobuf-c reads it. */
static Otlp__ExportLogsServiceRequest *open_request(struct batch *batch, size_t first, size_t count,
						    bool gzip)
{
	static uint8_t plain[1 << 20];
	const uint8_t *body;
	size_t size;

	assert_int_equal(batch_request(batch, first, count, &body, &size), 0);
	if (gzip) {
		z_stream zip = {.next_in = (Bytef *)body,
				.avail_in = (uInt)size,
				.next_out = plain,
				.avail_out = sizeof(plain)};

		assert_int_equal(inflateInit2(&zip, 31), Z_OK);
		assert_int_equal(inflate(&zip, Z_FINISH), Z_STREAM_END);
		inflateEnd(&zip);
		body = plain;
		size = zip.total_out;
	}
	return otlp__export_logs_service_request__unpack(NULL, size, body);
}

static void requests_are_made_of_any_run(void **state)
{
	struct config_label labels[] = {{"cloud.provider", "aws"}, {"host.name", "mine"}};
	struct batch_options options = {
		.events_max = 20, .bytes_max = 1 << 20, .labels = labels, .nlabels = 2};
	struct event event = make_exec("/bin/x", "root");
	struct frame *frame = make_frame(&event);

	(void)state;
	for (int gzip = 0; gzip < 2; gzip++) {
		CLEANUP(batch_free) struct batch *batch = NULL;

		options.gzip = gzip;
		assert_int_equal(batch_new(&options, &batch), 0);
		for (uint64_t i = 0; i < 20; i++) {
			struct cursor after = {.frame = i};

			event.body->seq = i;
			assert_false(batch_is_full(batch));
			assert_int_equal(add(batch, frame, event.body, &after), 0);
		}
		assert_true(batch_is_full(batch));
		assert_int_equal(add(batch, frame, event.body, &(struct cursor){0}), -E2BIG);
		for (size_t first = 0; first < 20; first++)
			for (size_t count = 1; first + count <= 20; count++) {
				Otlp__ExportLogsServiceRequest *request =
					open_request(batch, first, count, gzip);
				Otlp__ResourceLogs *logs;

				assert_non_null(request);
				assert_int_equal(request->n_resource_logs, 1);
				logs = request->resource_logs[0];
				assert_int_equal(logs->schema_url.len, strlen(NAMES_SCHEMA_URL));
				assert_int_equal(logs->n_scope_logs, 1);
				assert_int_equal(logs->scope_logs[0]->n_log_records, count);
				assert_int(logs->scope_logs[0]->log_records[0], "hinomi.seq",
					   (int64_t)first);
				assert_memory_equal(
					logs->resource->attributes[0]->value->string_value.data,
					"aws", 3);
				otlp__export_logs_service_request__free_unpacked(request, NULL);
			}
		assert_int_equal(batch_after(batch, 7)->frame, 7);
	}
	arena_reset(&arena);
}

static void batches_are_of_one_source(void **state)
{
	struct batch_options options = {.events_max = 20, .bytes_max = 100};
	struct event event = make_exec("/bin/x", "root");
	struct frame *frame = make_frame(&event), *other = make_frame(&event);
	CLEANUP(batch_free) struct batch *batch = NULL;
	uint8_t id[16] = "other";

	(void)state;
	other->header->boot_id.data = id;
	assert_int_equal(batch_new(&options, &batch), 0);
	assert_true(batch_fits(batch, frame));
	/* one that is larger than the limit still goes, alone */
	assert_int_equal(add(batch, frame, event.body, &(struct cursor){0}), 0);
	assert_true(batch_is_full(batch));
	assert_true(batch_fits(batch, frame));
	assert_false(batch_fits(batch, other));
	batch_clear(batch);
	assert_true(batch_fits(batch, other));
	arena_reset(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_made_of_any_run),
		cmocka_unit_test(batches_are_of_one_source),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
