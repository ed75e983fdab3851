/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"

static void kinds_are_the_fields_of_body(void **state)
{
	const ProtobufCMessageDescriptor *descriptor = &hinomi__event__descriptor;
	unsigned bodies = 0, kinds = 0;

	(void)state;
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		bodies++;
		assert_string_equal(kind_name(field->id), field->name);
		assert_int_equal(kind_by_name(field->name), field->id);
	}
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		kinds += !!kind_name(kind);
	assert_int_equal(bodies, kinds);
}

static void lanes_and_origin(void **state)
{
	(void)state;
	assert_int_equal(kind_lane(KIND_exec), LANE_KEEP);
	assert_int_equal(kind_lane(KIND_fork), LANE_BULK);
	assert_int_equal(kind_lane(KIND_audit_change), LANE_BULK);
	assert_true(kind_may_be_in(KIND_exec, LANE_KEEP));
	assert_true(kind_may_be_in(KIND_exec, LANE_BULK)); /* over the budget of its user */
	assert_true(kind_may_be_in(KIND_audit_change, LANE_KEEP));
	assert_true(kind_may_be_in(KIND_audit_change, LANE_BULK));
	assert_false(kind_may_be_in(KIND_file_open, LANE_KEEP));
	assert_false(kind_may_be_in(KIND_heartbeat, LANE_BULK)); /* the sensor's own are few */
	assert_false(kind_may_be_in(KIND_task, LANE_BULK));
	assert_int_equal(kind_lane(KIND_task), -EINVAL);
	assert_int_equal(kind_lane(1u << 31), -EINVAL);
	assert_int_equal(kind_by_name("task"), -EINVAL);
	assert_int_equal(kind_by_name(""), -EINVAL);
	assert_null(kind_name(KINDS_MAX));
	assert_null(kind_name(0));
	assert_true(kind_is_kernel(KIND_bind));
	assert_false(kind_is_kernel(KIND_file_hash));
	assert_false(kind_is_kernel(KIND_task));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_the_fields_of_body),
		cmocka_unit_test(lanes_and_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
