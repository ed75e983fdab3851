/* SPDX-License-Identifier: Apache-2.0 */
/* Private to decode/: which environment variables an exec tells of. */
#pragma once

#include <hinomi/record_process.h>

#include "process.pb-c.h"

struct source;

void environment_fill(struct source *source, const struct exec_record *rec, Hinomi__Exec *body);
