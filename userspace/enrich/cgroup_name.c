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

static bool is_text(const char *s, size_t size, const char *text)
{
	return size == strlen(text) && !memcmp(s, text, size);
}

static bool begins_with(const char *s, size_t size, const char *start)
{
	return size > strlen(start) && !memcmp(s, start, strlen(start));
}

/* Where the name of the innermost directory says nothing, the one around it may. */
static Hinomi__Runtime runtime_around(const char *path, struct path_part part)
{
	struct path_part around;

	if (!part.off)
		return HINOMI__RUNTIME__RUNTIME_UNSPECIFIED;
	around = component_before(path, part.off - 1);
	if (is_text(path + around.off, around.len, "docker"))
		return HINOMI__RUNTIME__RUNTIME_DOCKER;
	if (is_text(path + around.off, around.len, "libpod_parent"))
		return HINOMI__RUNTIME__RUNTIME_PODMAN;
	return HINOMI__RUNTIME__RUNTIME_UNSPECIFIED;
}

/* By what stands before the id in its own directory's name. */
static Hinomi__Runtime runtime_of(const char *path, struct path_part part, size_t prefix)
{
	static const struct {
		const char *end;
		Hinomi__Runtime runtime;
	} prefixes[] = {
		{"docker-", HINOMI__RUNTIME__RUNTIME_DOCKER},
		{"cri-containerd-", HINOMI__RUNTIME__RUNTIME_CONTAINERD},
		{":cri-containerd:", HINOMI__RUNTIME__RUNTIME_CONTAINERD},
		{"nerdctl-", HINOMI__RUNTIME__RUNTIME_CONTAINERD},
		{"crio-", HINOMI__RUNTIME__RUNTIME_CRIO},
		{"libpod-", HINOMI__RUNTIME__RUNTIME_PODMAN},
	};
	const char *name = path + part.off;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (is_text(name, prefix, prefixes[i].end) ||
		    ends_with(name, prefix, prefixes[i].end))
			return prefixes[i].runtime;
	return prefix ? HINOMI__RUNTIME__RUNTIME_UNSPECIFIED : runtime_around(path, part);
}

/* Runtimes whose containers have names: what is between start and end, if the directory is such. */
static struct path_part named_container(const char *path, struct path_part part,
					Hinomi__Runtime *runtime)
{
	static const struct {
		const char *start, *end;
		Hinomi__Runtime runtime;
	} forms[] = {
		{"lxc.payload.", "", HINOMI__RUNTIME__RUNTIME_LXC},
		{"systemd-nspawn@", ".service", HINOMI__RUNTIME__RUNTIME_NSPAWN},
		{"machine-lxc\\x2d", ".scope", HINOMI__RUNTIME__RUNTIME_LXC}, /* libvirt's */
		{"machine-qemu\\x2d", ".scope", HINOMI__RUNTIME__RUNTIME_UNSPECIFIED}, /* a VM */
		{"machine-", ".scope", HINOMI__RUNTIME__RUNTIME_NSPAWN},
	};
	const char *name = path + part.off;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		size_t start = strlen(forms[i].start), end = strlen(forms[i].end);

		if (!begins_with(name, part.len, forms[i].start) || part.len <= start + end ||
		    memcmp(name + part.len - end, forms[i].end, end) != 0)
			continue;
		*runtime = forms[i].runtime;
		return (struct path_part){
			.off = part.off + start,
			.len = *runtime ? part.len - start - end : 0,
		};
	}
	return (struct path_part){0};
}

static struct path_part without_suffix(const char *path, struct path_part part)
{
	static const char *const suffixes[] = {".scope", ".service", ".slice"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (ends_with(path + part.off, part.len, suffixes[i])) {
			part.len -= strlen(suffixes[i]);
			break;
		}
	}
	return part;
}

static struct path_part component_container(const char *path, struct path_part whole,
					    Hinomi__Runtime *runtime)
{
	struct path_part part = without_suffix(path, whole);
	const char *name = path + part.off;
	size_t prefix;

	if (part.len < CONTAINER_ID_LEN ||
	    !is_hex(name + part.len - CONTAINER_ID_LEN, CONTAINER_ID_LEN))
		return named_container(path, whole, runtime);
	prefix = part.len - CONTAINER_ID_LEN;
	if ((prefix && !strchr("-:", name[prefix - 1])) || is_monitor(name, prefix))
		return (struct path_part){0};
	*runtime = runtime_of(path, part, prefix);
	return (struct path_part){.off = part.off + prefix, .len = CONTAINER_ID_LEN};
}

struct path_part cgroup_container(const char *path, size_t size, Hinomi__Runtime *runtime)
{
	size_t end = size;

	*runtime = HINOMI__RUNTIME__RUNTIME_UNSPECIFIED;
	for (;;) {
		struct path_part part = component_before(path, end);
		struct path_part id = component_container(path, part, runtime);

		if (id.len || !part.off)
			return id;
		end = part.off - 1;
	}
}

/* A uid with its dashes, which systemd wants as underscores, or 32 hex digits: a static pod. */
static bool is_pod_uid(const char *s, size_t size)
{
	if (size == 32)
		return is_hex(s, size);
	if (size != POD_UID_LEN)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' && s[i] != '_' : !is_hex(s + i, 1))
			return false;
	}
	return true;
}

static size_t component_pod(const char *path, struct path_part part, char ret[POD_UID_LEN])
{
	static const size_t sizes[] = {POD_UID_LEN, 32};
	const char *name = path + part.off, *colon = memchr(name, ':', part.len);

	if (colon) /* SLICE:cri-containerd:ID */
		part.len = (size_t)(colon - name);
	part = without_suffix(path, part);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t prefix = part.len - sizes[i];

		if (part.len < sizes[i] || !is_pod_uid(name + prefix, sizes[i]) ||
		    (!is_text(name, prefix, "pod") && !ends_with(name, prefix, "-pod")))
			continue;
		for (size_t k = 0; k < sizes[i]; k++)
			ret[k] = name[prefix + k] == '_' ? '-' : name[prefix + k];
		return sizes[i];
	}
	return 0;
}

size_t cgroup_pod(const char *path, size_t size, char ret[POD_UID_LEN])
{
	size_t end = size;

	for (;;) {
		struct path_part part = component_before(path, end);
		size_t n = component_pod(path, part, ret);

		if (n || !part.off)
			return n;
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
