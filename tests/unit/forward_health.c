/* SPDX-License-Identifier: Apache-2.0 */
/* How a sink does, over its two lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forward/health.h"

static void worse_lane_is_the_state(void **state)
{
	struct health health;
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	health_init(&health, "soc", "http://x");
	health_set(&health, LANE_KEEP, HEALTH_OK, "");
	health_set(&health, LANE_BULK, HEALTH_BUSY, "HTTP 503");
	assert_int_equal(health.said, HEALTH_BUSY);
	health_set(&health, LANE_KEEP, HEALTH_OK, "");
	assert_int_equal(health.said, HEALTH_BUSY);
	health_set(&health, LANE_BULK, HEALTH_OK, "");
	assert_int_equal(health.said, HEALTH_OK);
	health_count(&health, COUNT_EVENTS, 12);
	health_loss(&health, COUNT_DEAD, 2, "refused");
	out = open_memstream(&text, &size);
	health_print(&health, out);
	fclose(out);
	assert_string_equal(text, "soc: ok, 12 events, 2 refused");
	free(text);
	health_done(&health);
}

/* Words of the far end, cut and safe to show. */
static void foreign_text_is_escaped_and_cut(void **state)
{
	char text[64], small[8], hostile[300];

	(void)state;
	health_text(text, sizeof(text), "a\nb\033[31m\xff", 9);
	assert_string_equal(text, "a\\nb\\e[31m\\xff");
	memset(hostile, '\n', sizeof(hostile));
	health_text(small, sizeof(small), hostile, sizeof(hostile));
	assert_true(strlen(small) < sizeof(small));
	health_text(text, sizeof(text), "", 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worse_lane_is_the_state),
		cmocka_unit_test(foreign_text_is_escaped_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
