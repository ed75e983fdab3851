/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One decoder per class of the kernel: decode_NAME fills event's body from the
 * record.  A class without one does not link.
 */
#pragma once

#include <hinomi/kinds.h>

#include "event.pb-c.h"

struct source;

#define KIND(name, number, lane) void decode_##name(struct source *source, Hinomi__Event *event);
FOR_EACH_KERNEL_KIND(KIND)
#undef KIND

/* The task iterator's record, as the body of the exec that nobody saw. */
void decode_task(struct source *source, Hinomi__Event *event);
