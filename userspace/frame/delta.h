/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a payload in the form ENCODING_DELTA, see proto/frame.proto; shares no code with seal/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "frame.pb-c.h"

struct frame_memory;

#define DELTA_WEIGHT_MAX (8u << 20) /* what frame/weight.h makes of it */

/* A payload of that many events, in the memory.  Messages that are the same are there once, and
 * strings lie in data.  -EBADMSG; -ENOMEM: memory is short, or the payload wants too much of it. */
int delta_read(struct frame_memory *memory, const uint8_t *data, size_t size, uint32_t events,
	       Hinomi__Payload **ret);
