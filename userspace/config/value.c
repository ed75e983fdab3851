// SPDX-License-Identifier: Apache-2.0
/* Values of keys: from the text of the file to a member of struct config, and back. */
#include <ctype.h>
#include <errno.h>
#include <hinomi/kinds.h>
#include <inttypes.h>
#include <string.h>

#include "base/nearest.h"
#include "config/reader.h"

static const char *const kernel_classes[] = {
#define KIND(name, number, lane) #name,
	FOR_EACH_KERNEL_KIND(KIND)
#undef KIND
};

struct unit {
	const char *name;
	uint64_t factor;
};

/* the largest first: that is how values are shown */
static const struct unit size_units[] = {{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};
static const struct unit time_units[] = {{"s", 1000}, {"ms", 1}};
static const struct unit no_units[] = {{"", 1}};

static const struct unit *units_of(enum value_kind kind, size_t *count)
{
	if (kind == VALUE_SIZE || kind == VALUE_RING) {
		*count = ARRAY_SIZE(size_units);
		return size_units;
	}
	if (kind == VALUE_DURATION) {
		*count = ARRAY_SIZE(time_units);
		return time_units;
	}
	*count = ARRAY_SIZE(no_units);
	return no_units;
}

struct shown {
	char text[32];
};

/* in the largest unit that has no fraction */
static struct shown show(enum value_kind kind, uint64_t number)
{
	size_t count;
	const struct unit *unit = units_of(kind, &count);
	struct shown shown;

	while (count > 1 && (number % unit->factor || number < unit->factor)) {
		unit++;
		count--;
	}
	snprintf(shown.text, sizeof(shown.text), "%" PRIu64 "%s", number / unit->factor,
		 unit->name);
	return shown;
}

static void store(void *member, size_t width, uint64_t number)
{
	switch (width) {
	case 1:
		*(bool *)member = number;
		break;
	case 4:
		*(uint32_t *)member = number;
		break;
	default:
		*(uint64_t *)member = number;
	}
}

static uint64_t load(const void *member, size_t width)
{
	switch (width) {
	case 1:
		return *(const bool *)member;
	case 4:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static int parse_number(enum value_kind kind, const char *value, uint64_t *ret)
{
	size_t count;
	const struct unit *unit = units_of(kind, &count);
	uint64_t number;
	char *end;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno)
		return -ERANGE;
	for (; count; unit++, count--) {
		if (strcmp(end, unit->name))
			continue;
		return __builtin_mul_overflow(number, unit->factor, ret) ? -ERANGE : 0;
	}
	return -EINVAL;
}

static const char *number_form(enum value_kind kind)
{
	switch (kind) {
	case VALUE_SIZE:
	case VALUE_RING:
		return "a size: a whole number of bytes, or one with K, M or G behind it";
	case VALUE_DURATION:
		return "a duration: a whole number with ms or s behind it";
	default:
		return "a whole number";
	}
}

static int set_number(struct reader *reader, const struct key *key, void *member, const char *value)
{
	uint64_t number = 0;
	int r = parse_number(key->kind, value, &number);

	if (r == -EINVAL)
		return reader_fail(reader, "%s = %.60s is not %s, such as %s", key->name, value,
				   number_form(key->kind), show(key->kind, key->preset).text);
	if (r || number < key->low || number > key->high)
		return reader_fail(reader, "%s = %.60s is out of range; it may be %s to %s",
				   key->name, value, show(key->kind, key->low).text,
				   show(key->kind, key->high).text);
	if (key->kind == VALUE_RING && number & (number - 1)) {
		uint64_t below = 1ULL << (63 - __builtin_clzll(number));

		return reader_fail(reader, "%s = %s is no power of two; the nearest are %s and %s",
				   key->name, value, show(key->kind, below).text,
				   show(key->kind, 2 * below).text);
	}
	store(member, key->width, number);
	return 0;
}

static int set_switch(struct reader *reader, const struct key *key, void *member, const char *value)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(value, words[i])) {
			store(member, key->width, i & 1);
			return 0;
		}
	}
	return reader_fail(reader, "%s = %.60s is neither yes nor no", key->name, value);
}

/* An empty value takes back what an earlier file said. */
static int set_text(struct reader *reader, const struct key *key, char **member, const char *value)
{
	char *copy = NULL;

	if (*value) {
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
	} else if (key->preset_text && key->kind != VALUE_GROUP) {
		return reader_fail(reader, "%s has no value; the default is %s", key->name,
				   key->preset_text);
	}
	free(*member);
	*member = copy;
	return 0;
}

static int set_public_key(struct reader *reader, const struct key *key, char **member,
			  const char *value)
{
	if (*value && (strlen(value) != 64 || strspn(value, "0123456789abcdef") != 64))
		return reader_fail(reader,
				   "%s = %.80s is no public key; write the 64 hex digits of the "
				   "collector's receipt.pub",
				   key->name, value);
	return set_text(reader, key, member, value);
}

static int set_path(struct reader *reader, const struct key *key, char **member, const char *value)
{
	if (*value && *value != '/')
		return reader_fail(reader,
				   "%s = %.60s is no absolute path; write it from / on, "
				   "without quotes",
				   key->name, value);
	return set_text(reader, key, member, value);
}

static int set_group(struct reader *reader, const struct key *key, char **member, const char *value)
{
	if (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
		    strlen(value) ||
	    strlen(value) > 32 || *value == '-')
		return reader_fail(reader,
				   "%s = %.60s cannot be the name of a group; leave it empty for "
				   "no group",
				   key->name, value);
	return set_text(reader, key, member, value);
}

static int check_class(struct reader *reader, const struct key *key, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name, strlen(name));
	for (size_t i = 0; i < ARRAY_SIZE(kernel_classes); i++) {
		if (!strcmp(name, kernel_classes[i]))
			return 0;
		nearest_offer(&nearest, kernel_classes[i]);
	}
	if (nearest_best(&nearest))
		return reader_fail(reader, "%s: there is no class %.60s; is %s meant?", key->name,
				   name, nearest_best(&nearest));
	return reader_fail(
		reader,
		"%s: there is no class %.60s that can be switched off; `hinomi describe` "
		"lists them",
		key->name, name);
}

static int set_classes(struct reader *reader, const struct key *key, char *value)
{
	struct config *config = reader->config;
	bool on = key->offset == offsetof(struct config, classes_on);
	char ***list = on ? &config->classes_on : &config->classes_off;
	size_t *count = on ? &config->nclasses_on : &config->nclasses_off;
	char *save, *name;
	int r;

	list_free(list, count);
	for (name = strtok_r(value, ", \t", &save); name; name = strtok_r(NULL, ", \t", &save)) {
		r = check_class(reader, key, name);
		if (!r)
			r = list_append(list, count, name);
		if (r)
			return r;
	}
	return 0;
}

static int set_sink_type(struct reader *reader, const struct key *key, char **member,
			 const char *value)
{
	if (strcmp(value, "otlp") && strcmp(value, "collector"))
		return reader_fail(reader, "type = %.60s is not known; it may be otlp or collector",
				   value);
	return set_text(reader, key, member, value);
}

/* A rule's own grammar is filter's business, which is told where the rule stands. */
static int add_rule(struct reader *reader, const char *value)
{
	struct config *config = reader->config;
	struct config_rule *rules, *rule;

	if (!*value)
		return reader_fail(reader, "rule has no value; it may be, for instance, "
					   "drop file_open where file_open.file.path ^= /proc/");
	if (config->nrules == CONFIG_RULES_MAX)
		return reader_fail(reader, "more than %d rules", CONFIG_RULES_MAX);
	rules = reallocarray(config->rules, config->nrules + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	config->rules = rules;
	rule = &rules[config->nrules++];
	*rule = (struct config_rule){strdup(value), strdup(reader->name), reader->line};
	return rule->text && rule->file ? 0 : -ENOMEM;
}

int value_set(struct reader *reader, const struct key *key, void *base, char *value)
{
	void *member = (char *)base + key->offset;

	switch (key->kind) {
	case VALUE_PATH:
		return set_path(reader, key, member, value);
	case VALUE_GROUP:
		return set_group(reader, key, member, value);
	case VALUE_CLASSES:
		return set_classes(reader, key, value);
	case VALUE_SIZE:
	case VALUE_RING:
	case VALUE_DURATION:
	case VALUE_COUNT:
		return set_number(reader, key, member, value);
	case VALUE_SWITCH:
		return set_switch(reader, key, member, value);
	case VALUE_SINK_TYPE:
		return set_sink_type(reader, key, member, value);
	case VALUE_PUBLIC_KEY:
		return set_public_key(reader, key, member, value);
	case VALUE_URL:
	case VALUE_CREDENTIAL:
		return set_text(reader, key, member, value);
	case VALUE_HEADER:
		return sink_add_header(reader, base, value);
	case VALUE_RULE:
		return add_rule(reader, value);
	case VALUE_WATCH:
		return watch_add(reader, value);
	}
	return -EINVAL;
}

void value_dump(const struct key *key, const void *base, FILE *out)
{
	const void *member = (const char *)base + key->offset;
	char **list;

	switch (key->kind) {
	case VALUE_SIZE:
	case VALUE_RING:
	case VALUE_DURATION:
	case VALUE_COUNT:
		fprintf(out, "%s = %s\n", key->name,
			show(key->kind, load(member, key->width)).text);
		break;
	case VALUE_SWITCH:
		fprintf(out, "%s = %s\n", key->name, load(member, key->width) ? "yes" : "no");
		break;
	case VALUE_CLASSES:
		list = *(char **const *)member;
		fprintf(out, "%s =", key->name);
		for (size_t i = 0; list && list[i]; i++)
			fprintf(out, "%s %s", i ? "," : "", list[i]);
		fputc('\n', out);
		break;
	case VALUE_HEADER:
		list = *(char **const *)member;
		for (size_t i = 0; list && list[i]; i++)
			fprintf(out, "%s = %s\n", key->name, list[i]);
		break;
	case VALUE_WATCH: /* an empty one takes back what is there from the start */
		list = *(char **const *)member;
		fprintf(out, "%s =\n", key->name);
		for (size_t i = 0; list && list[i]; i++)
			fprintf(out, "%s = %s\n", key->name, list[i]);
		break;
	case VALUE_RULE:
		break;
	default:
		if (*(char *const *)member)
			fprintf(out, "%s = %s\n", key->name, *(char *const *)member);
		else if (key->kind == VALUE_GROUP)
			fprintf(out, "%s =\n", key->name);
	}
}

int key_preset(const struct section *section, void *base)
{
	for (size_t i = 0; i < section->nkeys; i++) {
		const struct key *key = &section->keys[i];
		void *member = (char *)base + key->offset;

		if (key->kind == VALUE_WATCH) {
			int r = watch_preset(base);

			if (r)
				return r;
		} else if (key->preset_text) {
			*(char **)member = strdup(key->preset_text);
			if (!*(char **)member)
				return -ENOMEM;
		} else if (key->high) {
			store(member, key->width, key->preset);
		}
	}
	return 0;
}
