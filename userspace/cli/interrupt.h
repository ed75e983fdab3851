/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and SIGTERM, for commands that go on until told to stop. */
#pragma once

#include <stdbool.h>

void interrupt_init(void);
unsigned interrupt_count(void); /* how often we were told to stop */
