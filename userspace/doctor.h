/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi doctor: what this kernel offers, and what a round of canaries proved. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event.pb-c.h"

struct attach;
struct attach_options;
struct coverage;

/* Exit status of hinomi(1): 3 when a class is blind, 69 when all are. */
int doctor_run(const struct attach_options *options, bool json);
/* doctor_table.c */
const char *doctor_state(Hinomi__Coverage__State state);
bool doctor_is_blind(Hinomi__Coverage__State state);
void doctor_table(const struct attach *attach, const struct coverage *c, size_t n);
