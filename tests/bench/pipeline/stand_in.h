/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for attach/ and ring/, so that the sensor's own pipeline can be fed:
 * records are put into memory that looks as the kernel's rings do.
 */
#pragma once

#include <hinomi/record.h>
#include <stdbool.h>
#include <stddef.h>

struct attach;

struct attach *stand_in_new(void);
/* false: the ring is full. */
bool stand_in_put(const struct record *record);
size_t stand_in_bytes(void); /* of memory that the rings have touched */
