/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strings of a frame: they lie here, one behind the other, until it is over, and
 * are found by their bytes, or by those up to the last slash.  Tables without chains:
 * a string that meets another one in its place drives it out, and is written again
 * when it comes again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRING_MIN 3 /* bytes; shorter ones have no number */

struct string_slot {
	uint64_t hash;
	uint32_t epoch;	 /* the slot is in use when it is the table's */
	uint32_t number; /* of the string in the frame, from 0 */
	uint32_t offset; /* of its bytes in the text */
	uint32_t size;	 /* of them that count here */
};

struct strings {
	struct string_slot *slots, *beginnings;
	uint8_t *text;
	size_t used;
	uint64_t seed[2]; /* so that nobody can choose strings that collide */
	uint32_t epoch;
	uint32_t count;
};

/* What strings_put found. */
struct string_place {
	const uint8_t *bytes; /* the string, until the frame is over; NULL: there is no room */
	const struct string_slot *same;	     /* it is there already */
	const struct string_slot *beginning; /* else its first bytes are those of this one */
};

int strings_init(struct strings *strings);
void strings_done(struct strings *strings);
void strings_reset(struct strings *strings);
/* A string that is not there yet is taken up, with the next number if it has one. */
struct string_place strings_put(struct strings *strings, const uint8_t *bytes, size_t size);
