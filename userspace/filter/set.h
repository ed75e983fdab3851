/* SPDX-License-Identifier: Apache-2.0 */
/* A set of byte strings that is filled once; a look-up costs the same whatever its size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct set;

/* For at most `max` keys. */
int set_new(size_t max, struct set **ret);
void set_free(struct set *set);
/* The bytes are borrowed.  A key that is there already is left alone. */
void set_add(struct set *set, const void *key, size_t size);
bool set_has(const struct set *set, const void *key, size_t size);
