/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of processes that are older than the sensor, as they show them themselves in /proc.
 * Their pages may be of a file system that never answers, so a child reads them, which can be left
 * behind.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "enrich/image.h"
#include "event.pb-c.h"

#define CMDLINE_MAX                                                                   \
	(IMAGE_ARGS_MAX + 1) /* one more than is kept, which tells that there is more \
			      */

struct cmdlines;

struct cmdline {
	size_t n;
	ProtobufCBinaryData args[CMDLINE_MAX]; /* into text */
	uint8_t text[CMDLINE_MAX + 1];
};

int cmdlines_new(struct cmdlines **ret);
void cmdlines_free(struct cmdlines *cmdlines); /* NULL is fine */

/* n is 0 when it has none, is not that process any more, or does not let itself be read within a
 * second; who waits so long once is the last that is asked. */
void cmdlines_read(struct cmdlines *cmdlines, uint32_t pid, uint64_t start_ns,
		   struct cmdline *cmdline);

DEFINE_CLEANUP(struct cmdlines *, cmdlines_free);
