/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One decoder per class of the kernel: decode_NAME fills event's body from the
 * record.  A class without one does not link.
 */
#pragma once

#include <hinomi/record_file.h>
#include <hinomi/record_kernel.h>
#include <hinomi/record_network.h>
#include <hinomi/record_process.h>
#include <hinomi/kinds.h>

#include "event.pb-c.h"

struct socket_record;
struct source;

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

#define KIND(name, number, lane) void decode_##name(struct source *source, Hinomi__Event *event);
FOR_EACH_KERNEL_KIND(KIND)
#undef KIND

/* The task iterator's record, as the body of the exec that nobody saw. */
void decode_task(struct source *source, Hinomi__Event *event);
/* The connection that it holds, as that of its session. */
void decode_task_session(struct source *source, Hinomi__Process *process);
/* What every socket has. */
void decode_socket(struct source *source, const struct socket_record *rec, Hinomi__Socket *body);
