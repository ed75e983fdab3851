/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/watched.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>

static Hinomi__FileOpen *open_of(const struct event *event)
{
	switch (event->kind) {
	case KIND_file_create:
		return event->body->file_create;
	case KIND_file_open:
		return event->body->file_open;
	case KIND_file_read:
		return event->body->file_read;
	default:
		return NULL;
	}
}

/* Of an open that was refused no object is known, only the name that was asked for. */
static size_t line_of_name(char *const *lines, size_t n, const ProtobufCBinaryData *path)
{
	char name[PATH_MAX];

	if (path->len >= sizeof(name))
		return n;
	memcpy(name, path->data, path->len);
	name[path->len] = 0;
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(lines[i], name, FNM_PATHNAME | FNM_LEADING_DIR))
			return i;
	return n;
}

void watched_fill(char *const *lines, size_t n, const struct event *event)
{
	Hinomi__FileOpen *open = open_of(event);
	size_t i = event->watch ? event->watch - 1 : n;
	ProtobufCBinaryData *to = NULL;

	if (open)
		to = &open->watched;
	else if (event->kind == KIND_file_close)
		to = &event->body->file_close->watched;
	if (!to)
		return;
	if (open && !event->watch && event->body->result && open->file && open->file->path_as_asked)
		i = line_of_name(lines, n, &open->file->path);
	if (i < n)
		*to = (ProtobufCBinaryData){.data = (uint8_t *)lines[i], .len = strlen(lines[i])};
}

static bool begins(const char *line, const ProtobufCBinaryData *path)
{
	size_t fixed = strcspn(line, "*?[");

	return line[fixed] && path->len > fixed && !memcmp(path->data, line, fixed);
}

bool watched_grows(char *const *lines, size_t n, const struct event *event)
{
	const Hinomi__File *file = NULL;

	if (event->kind == KIND_file_make)
		file = event->body->file_make->file;
	else if (event->kind == KIND_file_rename)
		file = event->body->file_rename->file;
	for (size_t i = 0; file && !event->body->result && i < n; i++)
		if (begins(lines[i], &file->path))
			return true;
	return false;
}
