/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of metadata services: foreign bytes, of which only short printable values are taken. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "forward/cloud.h"

static bool is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return size && size < CLOUD_VALUE_MAX;
}

static void put(struct cloud *cloud, const char *key, const char *text, size_t size)
{
	if (!is_plain(text, size) || cloud->nlabels == CLOUD_LABELS_MAX)
		return;
	cloud->labels[cloud->nlabels].key = key;
	memcpy(cloud->labels[cloud->nlabels].value, text, size);
	cloud->labels[cloud->nlabels++].value[size] = '\0';
}

static void put_text(struct cloud *cloud, const char *key, const char *text)
{
	put(cloud, key, text, strlen(text));
}

/* A place in JSON text. */
struct at {
	const char *p, *end;
};

static void skip_space(struct at *at)
{
	while (at->p < at->end && strchr(" \t\r\n", *at->p) && *at->p)
		at->p++;
}

struct string {
	const char *text;
	size_t size;
	bool escaped; /* holds a backslash: none of the values that we look for does */
};

static bool take_string(struct at *at, struct string *ret)
{
	if (at->p == at->end || *at->p != '"')
		return false;
	*ret = (struct string){.text = ++at->p};
	for (; at->p < at->end && *at->p != '"'; at->p++) {
		if (*at->p != '\\')
			continue;
		ret->escaped = true;
		if (++at->p == at->end)
			return false;
	}
	if (at->p == at->end)
		return false;
	ret->size = (size_t)(at->p++ - ret->text);
	return true;
}

/* Anything but a string: numbers, words, and objects and arrays with all that is in them. */
static bool skip_value(struct at *at)
{
	struct string string;
	size_t depth = 0;

	while (at->p < at->end) {
		if (*at->p == '"') {
			if (!take_string(at, &string))
				return false;
			continue;
		}
		if (!depth && strchr(",}]", *at->p))
			return true;
		if (*at->p == '{' || *at->p == '[')
			depth++;
		else if (*at->p == '}' || *at->p == ']')
			depth--;
		at->p++;
	}
	return false;
}

/* The next member of the object that is a string; false at its end, or where it is none. */
static bool next_member(struct at *at, struct string *key, struct string *value)
{
	for (;;) {
		skip_space(at);
		if (!take_string(at, key))
			return false;
		skip_space(at);
		if (at->p == at->end || *at->p++ != ':')
			return false;
		skip_space(at);
		*value = (struct string){0};
		if (!take_string(at, value) && !skip_value(at))
			return false;
		skip_space(at);
		if (at->p < at->end && *at->p == ',')
			at->p++;
		if (value->text && !value->escaped)
			return true;
	}
}

struct wanted {
	const char *member, *key;
};

static bool is_member(const struct string *key, const char *name)
{
	return key->size == strlen(name) && !memcmp(key->text, name, key->size);
}

static void read_members(struct cloud *cloud, const char *document, size_t size,
			 const struct wanted *wanted, size_t n)
{
	struct at at = {.p = document, .end = document + size};
	struct string key, value;

	skip_space(&at);
	if (at.p == at.end || *at.p++ != '{')
		return;
	while (next_member(&at, &key, &value))
		for (size_t i = 0; i < n; i++)
			if (is_member(&key, wanted[i].member))
				put(cloud, wanted[i].key, value.text, value.size);
}

void cloud_read_aws(struct cloud *cloud, const char *document, size_t size)
{
	static const struct wanted wanted[] = {
		{"accountId", "cloud.account.id"},
		{"region", "cloud.region"},
		{"availabilityZone", "cloud.availability_zone"},
		{"instanceId", "host.id"},
		{"instanceType", "host.type"},
		{"imageId", "host.image.id"},
	};

	put_text(cloud, "cloud.provider", "aws");
	put_text(cloud, "cloud.platform", "aws_ec2");
	read_members(cloud, document, size, wanted, ARRAY_SIZE(wanted));
}

void cloud_read_azure(struct cloud *cloud, const char *document, size_t size)
{
	static const struct wanted wanted[] = {
		{"subscriptionId", "cloud.account.id"},
		{"location", "cloud.region"},
		{"zone", "cloud.availability_zone"},
		{"vmId", "host.id"},
		{"vmSize", "host.type"},
		{"sku", "host.image.id"},
	};

	put_text(cloud, "cloud.provider", "azure");
	put_text(cloud, "cloud.platform", "azure.vm");
	read_members(cloud, document, size, wanted, ARRAY_SIZE(wanted));
}

/* projects/NUMBER/zones/us-central1-a, of which the last part counts. */
static struct string last_part(const char *text, size_t size)
{
	const char *slash = size ? memrchr(text, '/', size) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - text) : 0;

	return (struct string){.text = text + skip, .size = size - skip};
}

static void read_zone(struct cloud *cloud, struct string zone)
{
	const char *dash = zone.size ? memrchr(zone.text, '-', zone.size) : NULL;

	put(cloud, "cloud.availability_zone", zone.text, zone.size);
	if (dash)
		put(cloud, "cloud.region", zone.text, (size_t)(dash - zone.text));
}

void cloud_read_gcp(struct cloud *cloud, const char *name, const char *text, size_t size)
{
	static const struct wanted wanted[] = {
		{"project/project-id", "cloud.account.id"},
		{"instance/id", "host.id"},
		{"instance/machine-type", "host.type"},
		{"instance/image", "host.image.id"},
	};
	struct string part = last_part(text, size);

	if (!cloud->nlabels) {
		put_text(cloud, "cloud.provider", "gcp");
		put_text(cloud, "cloud.platform", "gcp_compute_engine");
	}
	if (!strcmp(name, "instance/zone"))
		read_zone(cloud, part);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strcmp(name, wanted[i].member))
			put(cloud, wanted[i].key, part.text, part.size);
}
