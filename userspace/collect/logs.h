/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP logs at rest: a line of JSON for each record, in DIR/logs/NNNNNN.jsonl.  A
 * request is there whole, on disk, or not at all.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct logs;

/* events: every line is written there too, when it is stored; NULL: nowhere. */
int logs_open(int dir, FILE *events, struct logs **ret);
void logs_free(struct logs *logs);
/* An encoded ExportLogsServiceRequest.  -EBADMSG: it is none, or its text is not UTF-8; -ELOOP,
 * -EMSGSIZE: too deep, too large; -ENOMEM; other -errno: the disk did not take it. */
int logs_add(struct logs *logs, const void *data, size_t size);
/* Only the writing of lines, for tests; the same errors. */
int logs_write(FILE *out, const void *data, size_t size);

DEFINE_CLEANUP(struct logs *, logs_free);
