/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as the kernel side writes them, of the mix that bytes and speed are
 * stated for: 20 % exec, 20 % exit, 35 % open, 17 % connect, 8 % DNS, from a host
 * that builds software and runs a few services.  The same every time, but for the
 * programs: they are those of this machine, so that they can be hashed.
 */
#pragma once

#include <hinomi/record.h>
#include <stddef.h>
#include <stdint.h>

#define MIX_CPUS 2

/* live: how many processes there are at a time. */
void mix_init(unsigned live);
/* The next record, 8-aligned, valid until the next call. */
const struct record *mix_next(void);
