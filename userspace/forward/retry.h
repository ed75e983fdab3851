/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer's status means for a request, and how long to wait before the next. */
#pragma once

#include <stdint.h>

enum verdict {
	VERDICT_ACCEPTED,
	VERDICT_RETRY,	 /* the same again, later */
	VERDICT_SPLIT,	 /* never the same again; halves of it may do */
	VERDICT_REFUSED, /* never again */
};

#define RETRY_FIRST_NS	       (1 * 1000000000ULL)
#define RETRY_LONGEST_NS       (60 * 1000000000ULL)
#define RETRY_AFTER_LONGEST_NS (3600 * 1000000000ULL) /* nobody can silence us for longer */

/* HTTP status; 0: there was no answer. */
enum verdict retry_verdict(long status);
/* Wait before try attempt + 2 (full jitter): anything from 0 to the smaller of 60 s and 1 s *
 * 2^attempt. */
uint64_t retry_delay_ns(unsigned attempt, uint64_t random);
/* Value of Retry-After, seconds or one of HTTP's three dates, as a wait from now on; 0 when it says
 * nothing or the time has passed. */
uint64_t retry_after_ns(const char *value, uint64_t now_real_ns);
