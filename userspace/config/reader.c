// SPDX-License-Identifier: Apache-2.0
/*
 * Reads the lines of a configuration: sections, keys, comments.  Not inih: the build in Debian 12
 * cuts lines at 199 bytes and goes on with the rest as a line of its own, cuts values at " ;",
 * and tells neither line nor column to who must refuse a value.
 */
#include "base/nearest.h"
#include "config/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define BLANKS " \t\r"

int reader_init(struct reader *reader, char *error)
{
	*reader = (struct reader){.error = error};
	*error = '\0';
	reader->config = calloc(1, sizeof(*reader->config));
	return reader->config ? key_preset(&section_sensor, reader->config) : -ENOMEM;
}

void reader_done(struct reader *reader)
{
	config_free(reader->config);
	reader->config = NULL;
}

int reader_fail(struct reader *reader, const char *format, ...)
{
	int used = snprintf(reader->error, CONFIG_ERROR_MAX, "%.200s:%d: ", reader->name,
			    reader->line);
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error + used, CONFIG_ERROR_MAX - used, format, args);
	va_end(args);
	return -EINVAL;
}

/* Bytes of the UTF-8 character at text, at most size; 0: it is none, or one that must not be shown.
 */
static size_t character(const unsigned char *text, size_t size)
{
	unsigned code = text[0];
	size_t length;

	if (code < 0x80)
		return code == '\t' || code == '\r' || (code >= 0x20 && code != 0x7f);
	if (code < 0xc2 || code > 0xf4)
		return 0;
	length = code < 0xe0 ? 2 : code < 0xf0 ? 3 : 4;
	if (length > size)
		return 0;
	code &= 0x7f >> length;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < 0xa0 || (length == 3 && code < 0x800) || (length == 4 && code < 0x10000) ||
	    code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

static int check_characters(struct reader *reader, const char *line, size_t size)
{
	for (size_t i = 0, length; i < size; i += length) {
		length = character((const unsigned char *)line + i, size - i);
		if (!length)
			return reader_fail(reader,
					   "byte 0x%02x in column %zu is neither text in UTF-8 nor "
					   "a tab",
					   (unsigned char)line[i], i + 1);
	}
	return 0;
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, BLANKS);
	end = text + strlen(text);
	while (end > text && strchr(BLANKS, end[-1]))
		end--;
	*end = '\0';
	return text;
}

static int mark_set(struct reader *reader, struct origin *origin, const char *name)
{
	if (origin->file == reader->file)
		return reader_fail(reader, "%s was set in line %d already; keep one of them", name,
				   origin->line);
	*origin = (struct origin){reader->file, reader->line};
	return 0;
}

static int open_sink(struct reader *reader, const char *name)
{
	struct config *config = reader->config;
	struct config_sink *sink;

	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
		    strlen(name) ||
	    strlen(name) >= CONFIG_NAME_MAX || !*name || *name == '.' || *name == '-')
		return reader_fail(reader, "a sink's name is made of letters, digits and _.- and "
					   "begins with none of .-: [sink soc]");
	reader->section = &section_sink;
	for (reader->sink = 0; reader->sink < config->nsinks; reader->sink++) {
		if (!strcmp(config->sinks[reader->sink].name, name))
			return 0;
	}
	if (config->nsinks == CONFIG_SINKS_MAX)
		return reader_fail(reader, "more than %d sinks", CONFIG_SINKS_MAX);
	sink = reallocarray(config->sinks, config->nsinks + 1, sizeof(*sink));
	if (!sink)
		return -ENOMEM;
	config->sinks = sink;
	sink = &config->sinks[config->nsinks++];
	*sink = (struct config_sink){.line = reader->line};
	sink->name = strdup(name);
	sink->file = strdup(reader->name);
	if (!sink->name || !sink->file)
		return -ENOMEM;
	return key_preset(&section_sink, sink);
}

static int open_section(struct reader *reader, char *line)
{
	char *end = strchr(line, ']'), *name;
	struct nearest nearest;

	if (!end || end[1])
		return reader_fail(reader, "a section is a name in brackets, alone on its line: "
					   "[sensor]");
	*end = '\0';
	name = trim(line + 1);
	reader->in_resource = false;
	if (!strncmp(name, "sink", 4) && (name[4] == ' ' || name[4] == '\t' || !name[4]))
		return open_sink(reader, trim(name + 4));
	reader->section = NULL;
	if (!strcmp(name, "sensor"))
		reader->section = &section_sensor;
	else if (!strcmp(name, "filter"))
		reader->section = &section_filter;
	else if (!strcmp(name, "resource"))
		reader->in_resource = true;
	else {
		nearest_init(&nearest, name, strlen(name));
		nearest_offer(&nearest, "sensor");
		nearest_offer(&nearest, "filter");
		nearest_offer(&nearest, "resource");
		nearest_offer(&nearest, "sink NAME");
		if (nearest_best(&nearest))
			return reader_fail(reader, "there is no section [%.60s]; is [%s] meant?",
					   name, nearest_best(&nearest));
		return reader_fail(reader,
				   "there is no section [%.60s]; there are [sensor], "
				   "[filter], [resource] and [sink NAME]",
				   name);
	}
	return 0;
}

/* The one name in [resource] that is no label: hinomi-forward makes labels of it. */
static bool is_cloud(const char *value)
{
	static const char *const values[] = {"auto", "aws", "gcp", "azure", "off"};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (!strcmp(value, values[i]))
			return true;
	return false;
}

static int set_label(struct reader *reader, const char *key, const char *value)
{
	struct config *config = reader->config;
	struct config_label *label = config->labels;
	size_t i;

	if (!*key || strlen(key) >= CONFIG_NAME_MAX ||
	    strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(key))
		return reader_fail(reader,
				   "a label's name is made of small letters, digits and _.-, "
				   "such as cloud.region");
	if (!*value)
		return reader_fail(reader, "label %s has no value", key);
	if (!strcmp(key, "cloud") && !is_cloud(value))
		return reader_fail(reader,
				   "cloud = %.60s is not known; it may be auto, aws, gcp, azure "
				   "or off",
				   value);
	for (i = 0; i < config->nlabels && strcmp(label[i].key, key); i++)
		;
	if (i == CONFIG_LABELS_MAX)
		return reader_fail(reader, "more than %d labels", CONFIG_LABELS_MAX);
	if (i == config->nlabels) {
		label = reallocarray(config->labels, i + 1, sizeof(*label));
		if (!label)
			return -ENOMEM;
		config->labels = label;
		label[i] = (struct config_label){strdup(key), NULL};
		config->nlabels++;
		if (!label[i].key)
			return -ENOMEM;
	}
	free(label[i].value);
	label[i].value = strdup(value);
	return label[i].value ? mark_set(reader, &reader->label_set[i], key) : -ENOMEM;
}

static const struct key *find_key(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->nkeys; i++) {
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	}
	return NULL;
}

static int unknown_key(struct reader *reader, const char *name)
{
	static const struct section *const all[] = {&section_sensor, &section_filter,
						    &section_sink};
	struct nearest nearest;

	nearest_init(&nearest, name, strlen(name));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (find_key(all[i], name))
			return reader_fail(reader, "[%s] has no key %s; it belongs into [%s]",
					   reader->section->name, name,
					   all[i] == &section_sink ? "sink NAME" : all[i]->name);
	}
	for (size_t i = 0; i < reader->section->nkeys; i++)
		nearest_offer(&nearest, reader->section->keys[i].name);
	if (nearest_best(&nearest))
		return reader_fail(reader, "[%s] has no key %.60s; is %s meant?",
				   reader->section->name, name, nearest_best(&nearest));
	return reader_fail(reader, "[%s] has no key %.60s; hinomi.conf(5) lists them",
			   reader->section->name, name);
}

static int set_key(struct reader *reader, const char *name, char *value)
{
	const struct key *key;
	struct config *config = reader->config;
	void *base = config;
	struct origin *set = reader->sensor_set;
	int r;

	if (reader->in_resource)
		return set_label(reader, name, value);
	if (!reader->section)
		return reader_fail(reader,
				   "%.60s stands before any section; begin with [sensor], "
				   "[filter], [resource] or [sink NAME]",
				   name);
	key = find_key(reader->section, name);
	if (!key)
		return unknown_key(reader, name);
	if (reader->section == &section_sink) {
		base = &config->sinks[reader->sink];
		set = reader->sink_set[reader->sink];
	}
	if (key->kind != VALUE_RULE && key->kind != VALUE_HEADER && key->kind != VALUE_WATCH) {
		r = mark_set(reader, &set[key - reader->section->keys], name);
		if (r)
			return r;
	}
	return value_set(reader, key, base, value);
}

static int read_line(struct reader *reader, const char *text, size_t size)
{
	char line[CONFIG_LINE_MAX + 1], *name, *value;
	int r;

	if (size > CONFIG_LINE_MAX)
		return reader_fail(reader, "the line is longer than %d bytes", CONFIG_LINE_MAX);
	r = check_characters(reader, text, size);
	if (r)
		return r;
	memcpy(line, text, size);
	line[size] = '\0';
	name = trim(line);
	if (!*name || *name == '#' || *name == ';')
		return 0;
	if (*name == '[')
		return open_section(reader, name);
	value = strchr(name, '=');
	if (!value)
		return reader_fail(reader,
				   "%.60s is neither [SECTION], nor KEY = VALUE, nor a comment "
				   "that begins with #",
				   name);
	*value++ = '\0';
	return set_key(reader, trim(name), trim(value));
}

int reader_text(struct reader *reader, const char *name, const char *text, size_t size)
{
	const char *end = text + size, *eol;
	int r = 0;

	reader->name = name;
	reader->file++;
	reader->line = 0;
	reader->section = NULL;
	reader->in_resource = false;
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* what some editors put in front */
		text += 3;
	for (; !r && text < end; text = eol + 1) {
		reader->line++;
		eol = memchr(text, '\n', end - text);
		if (!eol)
			eol = end;
		r = read_line(reader, text, eol - text);
	}
	return r;
}
