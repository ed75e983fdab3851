/* SPDX-License-Identifier: Apache-2.0 */
/* What each class of event is in OCSF, and how severe. */
#pragma once

#include <stdint.h>

#include "event.pb-c.h"

#define OCSF_VERSION "1.8.0"

struct ocsf {
	uint32_t class_uid;
	uint32_t activity_id;	   /* type_uid is class_uid * 100 + activity_id */
	const char *activity_name; /* for activity 99, else NULL */
	uint32_t severity_id;
	int32_t severity_number; /* the same in OTLP */
	const char *severity_text;
};

/* A class that this build does not know is a base event. */
struct ocsf ocsf_of(const Hinomi__Event *event);
