/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the kernel's audit: what is switched, and which rules are changed. */
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "decode/change.h"
#include "decode/source.h"

#define ACTION(name) HINOMI__CHANGE__ACTION__ACTION_##name

static ProtobufCBinaryData word(const char *text)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

/* The first thing that the mask says is set. */
static void read_status(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	static const struct {
		uint32_t mask;
		unsigned at; /* which word behind the mask */
		const char *name;
	} settings[] = {
		{AUDIT_STATUS_ENABLED, 1, "enabled"},
		{AUDIT_STATUS_PID, 3, "reader"},
		{AUDIT_STATUS_FAILURE, 2, "failure"},
		{AUDIT_STATUS_RATE_LIMIT, 4, "rate limit"},
		{AUDIT_STATUS_BACKLOG_LIMIT, 5, "backlog"},
	};
	uint32_t mask;

	to->object = word("status");
	if (size < sizeof(mask))
		return;
	memcpy(&mask, bytes, sizeof(mask));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (mask & settings[i].mask && size >= 4 * (settings[i].at + 1)) {
			to->object = word(settings[i].name);
			memcpy(&to->value, bytes + 4 * settings[i].at, 4);
			return;
		}
}

static bool has_text(uint32_t field)
{
	return (field >= AUDIT_SUBJ_USER && field <= AUDIT_SUBJ_CLR) ||
	       (field >= AUDIT_OBJ_USER && field <= AUDIT_OBJ_LEV_HIGH) || field == AUDIT_WATCH ||
	       field == AUDIT_DIR || field == AUDIT_EXE || field == AUDIT_FILTERKEY;
}

/* Texts lie behind the rule, one after the other, in the order of their fields. */
static void read_rule(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	const size_t fields = offsetof(struct audit_rule_data, fields);
	const size_t values = offsetof(struct audit_rule_data, values);
	size_t at = offsetof(struct audit_rule_data, buf);
	uint32_t count;

	to->object = word("rule");
	if (size < at)
		return;
	memcpy(&count, bytes + offsetof(struct audit_rule_data, field_count), sizeof(count));
	for (uint32_t i = 0; i < count && i < AUDIT_MAX_FIELDS; i++) {
		ProtobufCBinaryData text;
		uint32_t field, len;

		memcpy(&field, bytes + fields + 4 * i, sizeof(field));
		memcpy(&len, bytes + values + 4 * i, sizeof(len));
		if (!has_text(field))
			continue;
		if (len > size - at)
			return;
		text = (ProtobufCBinaryData){.data = (uint8_t *)bytes + at, .len = len};
		at += len;
		if (field == AUDIT_FILTERKEY)
			to->name = text;
		else if (field == AUDIT_WATCH || field == AUDIT_DIR || field == AUDIT_EXE)
			to->part = text;
	}
}

void audit_message(uint32_t type, const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	to->action = ACTION(SET);
	switch (type) {
	case AUDIT_SET:
		read_status(bytes, size, to);
		break;
	case AUDIT_ADD_RULE:
		to->action = ACTION(ADD);
		read_rule(bytes, size, to);
		break;
	case AUDIT_DEL_RULE:
		to->action = ACTION(REMOVE);
		read_rule(bytes, size, to);
		break;
	case AUDIT_TTY_SET:
		to->object = word("tty");
		break;
	case AUDIT_SET_FEATURE:
		to->object = word("feature");
		break;
	default:
		to->object = word("trees");
	}
}
