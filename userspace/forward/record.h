/* SPDX-License-Identifier: Apache-2.0 */
/* One event as an OTLP log record. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "event.pb-c.h"

#define RECORD_BYTES_MAX 65536

struct frame;
struct recorder;

int recorder_new(bool event_name_attribute, struct recorder **ret);
void recorder_free(struct recorder *recorder);
/* An encoded LogRecord of at most RECORD_BYTES_MAX bytes, valid until the next call; NULL: out of
 * memory. */
const uint8_t *record_of(struct recorder *recorder, const struct frame *frame,
			 const Hinomi__Event *event, size_t *size);

/* What all records of a frame have in common: the other fields of a ResourceLogs, encoded; labels
 * win over what we know ourselves. ret is the caller's. */
int resource_pack(const struct frame *frame, const struct config_label *labels, size_t nlabels,
		  uint8_t **ret, size_t *size);
/* The fields of a ScopeLogs, encoded, without records. */
int scope_pack(uint8_t **ret, size_t *size);

DEFINE_CLEANUP(struct recorder *, recorder_free);
