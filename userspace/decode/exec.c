/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an exec. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "decode/bodies.h"
#include "decode/environment.h"
#include "decode/source.h"

/* Head and tail, or one list where the two pieces hold all there was. */
static void args_fill(struct source *source, const struct exec_record *rec, Hinomi__Exec *body)
{
	struct bytes_ref whole = rec->args;
	bool is_whole = rec->args_tail.len &&
			(uint64_t)rec->args.off + rec->args.len == rec->args_tail.off &&
			(uint64_t)rec->args.len + rec->args_tail.len == rec->args.total;

	if (is_whole)
		whole.len = rec->args.total;
	body->args = source_strings(source, &whole, &body->n_args);
	if (!is_whole)
		body->args_tail = source_strings(source, &rec->args_tail, &body->n_args_tail);
	body->args_count = rec->argc;
	body->args_total_bytes = rec->args.total;
}

static bool others_write(uint32_t mode, uint32_t gid)
{
	return mode & S_IWOTH || (mode & S_IWGRP && gid);
}

/* The files of the chain, each with the path that lies behind it. */
static void levels_fill(struct source *source, const struct exec_record *rec, Hinomi__Exec *body)
{
	ProtobufCBinaryData area = source_bytes(source, &rec->levels);
	size_t n = area.len / sizeof(struct exec_level);

	if (n > EXEC_LEVELS_MAX)
		n = EXEC_LEVELS_MAX;
	body->levels = n ? source_alloc(source, n * sizeof(*body->levels)) : NULL;
	for (size_t i = 0; body->levels && i < n; i++) {
		const uint8_t *at = area.data + i * sizeof(struct exec_level);
		struct exec_level level;

		memcpy(&level, at, sizeof(level));
		level.file.path.off =
			(uint32_t)(at - source->data + offsetof(struct exec_level, path));
		if (level.file.path.len > EXEC_LEVEL_PATH)
			level.file.path.len = EXEC_LEVEL_PATH;
		body->levels[i] = source_file(source, &level.file);
		if (!body->levels[i])
			return;
		body->level_writable_by_others |= others_write(level.file.mode, level.file.gid);
		body->n_levels = i + 1;
	}
}

static bool same_socket(const struct stdio_ref *a, const struct stdio_ref *b)
{
	return S_ISSOCK(a->mode) && S_ISSOCK(b->mode) && a->inode == b->inode;
}

static Hinomi__Stdio *stdio_of(struct source *source, const struct exec_record *rec, unsigned fd)
{
	const struct stdio_ref *from = &rec->stdio[fd];
	Hinomi__Stdio *to = source_alloc(source, sizeof(*to));

	if (!to)
		return NULL;
	hinomi__stdio__init(to);
	to->fd = fd;
	to->mode = from->mode;
	to->inode = from->inode;
	to->device_major = from->device >> 20;
	to->device_minor = from->device & 0xfffff;
	to->family = from->family;
	to->type = from->type;
	if (rec->peer.family && rec->peer_of < ARRAY_SIZE(rec->stdio) &&
	    same_socket(from, &rec->stdio[rec->peer_of]))
		to->peer = source_address(source, &rec->peer);
	return to;
}

static void stdio_fill(struct source *source, const struct exec_record *rec, Hinomi__Exec *body)
{
	body->stdio = source_alloc(source, ARRAY_SIZE(rec->stdio) * sizeof(*body->stdio));
	for (unsigned fd = 0; body->stdio && fd < ARRAY_SIZE(rec->stdio); fd++) {
		if (!rec->stdio[fd].mode)
			continue;
		body->stdio[body->n_stdio] = stdio_of(source, rec, fd);
		if (!body->stdio[body->n_stdio])
			return;
		body->n_stdio++;
	}
}

void decode_exec(struct source *source, Hinomi__Event *event)
{
	BODY(exec_record, Hinomi__Exec, hinomi__exec__init, exec, EXEC);
	body->file = source_file(source, &rec->file);
	body->filename = source_bytes(source, &rec->filename);
	body->interpreter = source_bytes(source, &rec->interpreter);
	args_fill(source, rec, body);
	body->cwd = source_bytes(source, &rec->cwd);
	body->old_tid = rec->old_tid;
	body->setid = !!rec->secure;
	levels_fill(source, rec, body);
	body->writable_by_others = others_write(rec->file.mode, rec->file.gid);
	body->directory_mode = rec->directory_mode;
	body->directory_writable_by_others = others_write(rec->directory_mode, rec->directory_gid);
	body->executable_stack = !!rec->executable_stack;
	if (rec->before_known) {
		body->before = source_cred(source, &rec->before);
		body->capabilities_gained =
			rec->record.actor.cred.cap_permitted & ~rec->before.cap_permitted;
	}
	body->file_permitted = rec->file_permitted;
	body->file_inheritable = rec->file_inheritable;
	body->file_effective = !!rec->file_effective;
	stdio_fill(source, rec, body);
	environment_fill(source, rec, body);
	body->modified_ns = rec->modified_ns;
}
