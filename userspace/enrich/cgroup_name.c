/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/cgroup_name.h"

#include <stdbool.h>
#include <string.h>

static bool ends_with(const char *s, size_t size, const char *end)
{
	size_t n = strlen(end);

	return size > n && !memcmp(s + size - n, end, n);
}

/* The component that ends at `end`, without its slashes. */
static struct path_part component_before(const char *path, size_t end)
{
	size_t off = end;

	while (off && path[off - 1] != '/')
		off--;
	return (struct path_part){.off = off, .len = end - off};
}

static bool is_hex(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

/* Podman and CRI-O run a monitor of their own beside each container, outside of it. */
static bool is_monitor(const char *name, size_t prefix)
{
	return ends_with(name, prefix, "-conmon-") || ends_with(name, prefix, "-conmon:");
}

static struct path_part component_container(const char *path, struct path_part part)
{
	static const char *const suffixes[] = {".scope", ".service", ".slice"};
	const char *name = path + part.off;
	size_t prefix;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (ends_with(name, part.len, suffixes[i])) {
			part.len -= strlen(suffixes[i]);
			break;
		}
	}
	if (part.len < CONTAINER_ID_LEN)
		return (struct path_part){0};
	prefix = part.len - CONTAINER_ID_LEN;
	if (!is_hex(name + prefix, CONTAINER_ID_LEN))
		return (struct path_part){0};
	if (prefix && !strchr("-:", name[prefix - 1]))
		return (struct path_part){0};
	if (is_monitor(name, prefix))
		return (struct path_part){0};
	return (struct path_part){.off = part.off + prefix, .len = CONTAINER_ID_LEN};
}

struct path_part cgroup_container(const char *path, size_t size)
{
	size_t end = size;

	for (;;) {
		struct path_part part = component_before(path, end);
		struct path_part id = component_container(path, part);

		if (id.len || !part.off)
			return id;
		end = part.off - 1;
	}
}

struct path_part cgroup_unit(const char *path, size_t size)
{
	size_t end = size;

	for (;;) {
		struct path_part part = component_before(path, end);

		if (ends_with(path + part.off, part.len, ".service") ||
		    ends_with(path + part.off, part.len, ".scope"))
			return part;
		if (!part.off)
			return (struct path_part){0};
		end = part.off - 1;
	}
}
