/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a process still runs, asked of the kernel: for the rare case that its end was lost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* True when in doubt.  start_ns: of CLOCK_BOOTTIME. */
bool process_is_alive(uint32_t pid, uint64_t start_ns);
