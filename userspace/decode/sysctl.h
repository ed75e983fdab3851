/* SPDX-License-Identifier: Apache-2.0 */
/* Which values of which settings give up a protection of the host. */
#pragma once

#include <stdbool.h>

#include "event.pb-c.h"

/* name as sysctl(8) writes it, value as it was written; both are foreign bytes. */
bool sysctl_weakens(const ProtobufCBinaryData *name, const ProtobufCBinaryData *value);
