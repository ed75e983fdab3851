/* SPDX-License-Identifier: Apache-2.0 */
/* From a ring record (foreign bytes: every offset is checked) to an event. */
#pragma once

#include <stddef.h>

#include "event/event.h"

struct arena;

/* 0; -EBADMSG for a record that makes no sense; -ENOMEM.  Byte fields point into data. */
int decode_record(const void *data, size_t size, struct arena *arena, struct event *ret);
