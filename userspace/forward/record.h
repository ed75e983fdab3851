/* SPDX-License-Identifier: Apache-2.0 */
/* One event as an OTLP log record. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "event.pb-c.h"
#include "otlp.pb-c.h"

#define RECORD_BYTES_MAX 65536

struct frame;
struct recorder;

int recorder_new(bool event_name_attribute, struct recorder **ret);
void recorder_free(struct recorder *recorder);
/* At most RECORD_BYTES_MAX bytes once packed; valid until the next call.  NULL: out of memory. */
const Otlp__LogRecord *record_of(struct recorder *recorder, const struct frame *frame,
				 const Hinomi__Event *event);

/* What all records of a frame have in common, packed; labels win over what we know ourselves.
 * ret is the caller's. */
int resource_pack(const struct frame *frame, const struct config_label *labels, size_t nlabels,
		  uint8_t **ret, size_t *size);
/* The scope's fields of a ScopeLogs, packed, without records. */
int scope_pack(uint8_t **ret, size_t *size);

DEFINE_CLEANUP(struct recorder *, recorder_free);
