/* SPDX-License-Identifier: Apache-2.0 */
/* How a decoder begins.  Private to decode/bodies*.c. */
#pragma once

/*
 * Opens a decoder: `rec` is the record, `body` the new message, set as the body that the class has.
 * Ends the decoder where either cannot be had.
 */
#define BODY(record_type, body_type, init, field, body_case_value)          \
	const struct record_type *rec = source_fixed(source, sizeof(*rec)); \
	body_type *body = rec ? source_alloc(source, sizeof(*body)) : NULL; \
	if (!body)                                                          \
		return;                                                     \
	init(body);                                                         \
	event->body_case = HINOMI__EVENT__BODY_##body_case_value;           \
	event->field = body
