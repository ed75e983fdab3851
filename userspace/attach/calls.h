/* SPDX-License-Identifier: Apache-2.0 */
/* Private to attach/: the tables of the system-call exit tap. */
#pragma once

#include <hinomi/record.h>
#include <hinomi/tap.h>
#include <hinomi/maps.h>
#include <stdbool.h>

/* Fills the tap's tables with the calls whose class `wanted` says rests on the tap. */
void calls_fill(struct control *control, bool (*wanted)(void *ctx, unsigned kind), void *ctx);
/* Classes that a call can make; how many , at most TAP_KINDS_MAX. */
#define TAP_KINDS_MAX 16
unsigned tap_kinds(unsigned tap, unsigned kinds[TAP_KINDS_MAX]);
