/* SPDX-License-Identifier: Apache-2.0 */
/* Which values of which settings give up a protection of the host. */
#pragma once

#include <stdbool.h>

#include "event.pb-c.h"

/* name as sysctl(8) writes it, value as it was written; both are foreign bytes. unknown: what to
 * say of one that is no number where one is needed. */
bool sysctl_weakens(const ProtobufCBinaryData *name, const ProtobufCBinaryData *value,
		    bool unknown);
/* Is the setting's data text? Of those that are known here. */
bool sysctl_is_text(const ProtobufCBinaryData *name);
