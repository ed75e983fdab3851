/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is kept as it is; an open-addressing table says where the name of
 * each id lies.  As with getpwuid(3), the first line of an id counts.
 */
#include "enrich/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define CHECK_MS 1000

struct entry {
	uint32_t id;
	uint32_t name_len; /* 0: free */
	const char *name;
};

struct names {
	char *path;
	char *text; /* the file */
	struct entry *entries;
	size_t mask; /* table size - 1 */
	struct stat seen;
	uint64_t checked_ms;
	uint64_t epoch;
};

DEFINE_CLEANUP(struct names *, names_free);

int names_new(const char *root, const char *file, struct names **ret)
{
	CLEANUP(names_free) struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	if (asprintf(&names->path, "%s/%s", root, file) < 0) {
		names->path = NULL;
		return -ENOMEM;
	}
	*ret = TAKE(names);
	return 0;
}

static void table_drop(struct names *names)
{
	free(names->text);
	free(names->entries);
	names->text = NULL;
	names->entries = NULL;
	names->mask = 0;
	names->epoch++;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	table_drop(names);
	free(names->path);
	free(names);
}

static struct entry *entry_at(const struct names *names, uint32_t id)
{
	size_t i = (id * 0x9e3779b1u) & names->mask;

	while (names->entries[i].name_len && names->entries[i].id != id)
		i = (i + 1) & names->mask;
	return &names->entries[i];
}

/* "name:password:id:..."; NIS and comment lines have no name. */
static bool line_parse(const char *line, size_t size, struct entry *ret)
{
	const char *colon = memchr(line, ':', size), *end = line + size, *p;
	uint64_t id = 0;

	if (!colon || colon == line || strchr("+-#", *line))
		return false;
	p = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	if (!p || ++p == end || *p == ':')
		return false;
	for (; p < end && *p != ':'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		id = id * 10 + (uint64_t)(*p - '0');
		if (id >= UINT32_MAX)
			return false;
	}
	*ret = (struct entry){
		.id = (uint32_t)id, .name = line, .name_len = (uint32_t)(colon - line)};
	return true;
}

static int table_build(struct names *names, size_t size)
{
	size_t lines = 1, slots = 16;
	const char *p = names->text, *end = names->text + size;

	for (const char *q = p; q < end; q++)
		lines += *q == '\n';
	while (slots < 2 * lines)
		slots *= 2;
	names->entries = calloc(slots, sizeof(*names->entries));
	if (!names->entries)
		return -ENOMEM;
	names->mask = slots - 1;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		struct entry new, *entry;

		if (line_parse(p, len, &new)) {
			entry = entry_at(names, new.id);
			if (!entry->name_len)
				*entry = new;
		}
		p += len + 1;
	}
	return 0;
}

static int file_read(struct names *names, int fd, size_t size)
{
	size_t have = 0;
	ssize_t n;

	names->text = malloc(size + 1);
	if (!names->text)
		return -ENOMEM;
	while (have < size) {
		n = read(fd, names->text + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += (size_t)n;
	}
	return table_build(names, have);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
	       !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

void names_refresh(struct names *names, uint64_t now_ms)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if (names->checked_ms && now_ms - names->checked_ms < CHECK_MS)
		return;
	names->checked_ms = now_ms ? now_ms : 1;
	if (stat(names->path, &st) < 0)
		memset(&st, 0, sizeof(st));
	if (is_same(&st, &names->seen))
		return;
	table_drop(names);
	names->seen = st;
	if (!S_ISREG(st.st_mode) || st.st_size > NAMES_FILE_MAX)
		return;
	fd = open(names->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !is_same(&st, &names->seen) ||
	    file_read(names, fd, (size_t)st.st_size) < 0) {
		table_drop(names);
		memset(&names->seen, 0xff, sizeof(names->seen)); /* again next time */
	}
}

ProtobufCBinaryData names_find(const struct names *names, uint32_t id)
{
	const struct entry *entry = names->entries ? entry_at(names, id) : NULL;

	if (!entry || !entry->name_len)
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.data = (uint8_t *)entry->name, .len = entry->name_len};
}

uint64_t names_epoch(const struct names *names)
{
	return names->epoch;
}
