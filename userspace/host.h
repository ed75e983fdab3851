/* SPDX-License-Identifier: Apache-2.0 */
/* What protects the host's kernel, as the kernel shows it: lockdown, security modules, settings. */
#pragma once

#include "event.pb-c.h"

#define HOST_SETTINGS	 20
#define HOST_VALUE_BYTES 128

/* As it was last told; all zero before the first time. */
struct host {
	char values[HOST_SETTINGS][HOST_VALUE_BYTES];
	Hinomi__HostSetting items[HOST_SETTINGS];
	Hinomi__HostSetting *list[HOST_SETTINGS];
};

/* Reads them; how many differ from what was told last, now in host->list until the next call. */
size_t host_changes(struct host *host);
