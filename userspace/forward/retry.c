/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/retry.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum verdict retry_verdict(long status)
{
	switch (status) {
	case 200 ... 299:
		return VERDICT_ACCEPTED;
	case 400:
	case 413:
		return VERDICT_SPLIT;
	case 429:
	case 502:
	case 503:
	case 504:
		return VERDICT_RETRY;
	default:
		/* below 400 nobody has judged the records: no answer, or a redirect, which is not
		 * followed */
		return status >= 400 && status < 600 ? VERDICT_REFUSED : VERDICT_RETRY;
	}
}

uint64_t retry_delay_ns(unsigned attempt, uint64_t random)
{
	uint64_t most = attempt < 6 ? RETRY_FIRST_NS << attempt : RETRY_LONGEST_NS;

	return random % (most + 1);
}

static uint64_t limited_ns(uint64_t seconds)
{
	if (seconds > RETRY_AFTER_LONGEST_NS / NS_PER_SEC)
		return RETRY_AFTER_LONGEST_NS;
	return seconds * NS_PER_SEC;
}

static uint64_t until_ns(struct tm *tm, uint64_t now_real_ns)
{
	time_t at = timegm(tm);

	if (at <= (time_t)(now_real_ns / NS_PER_SEC))
		return 0;
	return limited_ns((uint64_t)at - now_real_ns / NS_PER_SEC);
}

uint64_t retry_after_ns(const char *value, uint64_t now_real_ns)
{
	static const char *const dates[] = {"%a, %d %b %Y %H:%M:%S GMT",
					    "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
	uint64_t seconds = 0;

	value += strspn(value, " \t");
	if (isdigit((unsigned char)*value)) {
		for (; isdigit((unsigned char)*value); value++)
			if (seconds < RETRY_AFTER_LONGEST_NS)
				seconds = seconds * 10 + (uint64_t)(*value - '0');
		return value[strspn(value, " \t\r\n")] ? 0 : limited_ns(seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		struct tm tm = {0};
		const char *end = strptime(value, dates[i], &tm);

		if (end && !end[strspn(end, " \t\r\n")])
			return until_ns(&tm, now_real_ns);
	}
	return 0;
}
