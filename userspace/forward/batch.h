/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on their way to an OTLP back end, packed once, in the order of the spool.
 * A request can be made of any run of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "forward/cursor.h"
#include "forward/record.h"

struct batch;

struct batch_options {
	uint32_t events_max, bytes_max;
	bool gzip;
	const struct config_label *labels; /* borrowed */
	size_t nlabels;
};

int batch_new(const struct batch_options *options, struct batch **ret);
void batch_free(struct batch *batch);
void batch_clear(struct batch *batch);
size_t batch_count(const struct batch *batch);
bool batch_is_full(const struct batch *batch);
/* Whether records of the frame can go with those that are in: same sensor, boot and rings. */
bool batch_fits(const struct batch *batch, const struct frame *frame);
/* after: what the cursor is once this record and those before it were acknowledged.  -E2BIG: it
 * goes into the next batch. */
int batch_add(struct batch *batch, const struct frame *frame, const uint8_t *record, size_t size,
	      const struct cursor *after);
/* The body of a request with `count` records from `first` on, valid until the next call. */
int batch_request(struct batch *batch, size_t first, size_t count, const uint8_t **body,
		  size_t *size);
const struct cursor *batch_after(const struct batch *batch, size_t index);
/* One encoded LogRecord. */
const uint8_t *batch_record(const struct batch *batch, size_t index, size_t *size);

DEFINE_CLEANUP(struct batch *, batch_free);
