/* SPDX-License-Identifier: Apache-2.0 */
/* From a field's path, as people write it, to where it lies in an event of one class. */
#pragma once

#include <stdbool.h>

#include "event/event.h"
#include "filter/rule.h"

#define FIELD_STEPS_MAX 6

struct field {
	bool of_process; /* begins at event->process, else at event->body */
	unsigned nsteps;
	struct step {
		unsigned offset;      /* of the pointer to the next message */
		unsigned case_offset; /* of the oneof's case, which must be `kind` */
		unsigned kind;	      /* 0: no oneof */
	} steps[FIELD_STEPS_MAX];
	const ProtobufCFieldDescriptor *last;
	const ProtobufCMessageDescriptor *holder; /* of last */
};

/* -ENOENT: events of this kind have no such field; -EINVAL with a complaint: nothing can be tested
 * there. */
int field_resolve(struct word path, unsigned kind, const struct complaint *complaint,
		  struct field *ret);
/* Why field_resolve gave -ENOENT for each of these kinds. */
int field_complain(struct word path, const bool kinds[KINDS_MAX],
		   const struct complaint *complaint);
/* The message that holds the last field; NULL when it is absent. */
const void *field_holder(const struct field *field, const struct event *event);
