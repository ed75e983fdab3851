/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields have a name in OpenTelemetry's semantic conventions; the others are
 * hinomi.CLASS.FIELD. */
#pragma once

#include <stdbool.h>

#define NAMES_SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

enum name_form {
	FORM_PLAIN,   /* as the field's type has it */
	FORM_DECIMAL, /* a number as text */
	FORM_OCTAL,   /* permission bits as text: 0640 */
	FORM_IP,
	FORM_BOOT, /* boot time as a date */
	FORM_REAL, /* wall-clock time likewise */
};

struct name {
	const char *path; /* below the class's message, or from "process." on */
	const char *key;
	enum name_form form;
	bool always; /* 0 means 0 here: send it */
	bool also;   /* send it under its own name too: the form loses something */
	bool shared; /* two fields have this key: the first wins */
};

/* NULL when the conventions have none. */
const struct name *name_of(const char *path);
