/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator must know of a sensor's stream: a line of JSON in findings.jsonl,
 * and one in the log.  The file is moved aside at 64 MiB.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdint.h>

#include "base/cleanup.h"

struct findings;

int findings_open(int dir, struct findings **ret);
void findings_free(struct findings *findings);
/* kind: one word; text: what it means, without quotes.  lane: -1 for both.  The same one about the
 * same number is not repeated.  On disk when it returns 0. */
int finding_add(struct findings *findings, const uint8_t sensor_id[16], int lane, const char *kind,
		uint64_t first, uint64_t last, const char *text);

DEFINE_CLEANUP(struct findings *, findings_free);
