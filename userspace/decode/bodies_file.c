/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the classes about files opened, and about what changes in one besides its name, mode
 * and owner. */
#include "decode/bodies.h"

#include <string.h>

#include "decode/source.h"

static void open_fill(struct source *source, const struct open_record *rec, Hinomi__FileOpen *body)
{
	body->file = source_file(source, &rec->file);
	body->flags = rec->flags;
	body->by_handle = !!rec->by_handle;
	source->watch = rec->watch;
}

void decode_file_create(struct source *source, Hinomi__Event *event)
{
	BODY(open_record, Hinomi__FileOpen, hinomi__file_open__init, file_create, FILE_CREATE);
	open_fill(source, rec, body);
}

void decode_file_open(struct source *source, Hinomi__Event *event)
{
	BODY(open_record, Hinomi__FileOpen, hinomi__file_open__init, file_open, FILE_OPEN);
	open_fill(source, rec, body);
}

void decode_file_read(struct source *source, Hinomi__Event *event)
{
	BODY(open_record, Hinomi__FileOpen, hinomi__file_open__init, file_read, FILE_READ);
	open_fill(source, rec, body);
}

void decode_file_close(struct source *source, Hinomi__Event *event)
{
	BODY(close_record, Hinomi__FileClose, hinomi__file_close__init, file_close, FILE_CLOSE);
	body->file = source_file(source, &rec->file);
	body->bytes_read = rec->bytes_read;
	body->bytes_written = rec->bytes_written;
	body->reads = rec->reads;
	body->writes = rec->writes;
	body->opened_ns = rec->opened_ns;
	body->opener = source_key(source, &rec->opener);
	source->watch = rec->watch;
}

void decode_file_make(struct source *source, Hinomi__Event *event)
{
	BODY(make_record, Hinomi__FileMake, hinomi__file_make__init, file_make, FILE_MAKE);
	body->file = source_file(source, &rec->file);
	body->mode = rec->mode;
	body->special_major = rec->special >> 20;
	body->special_minor = rec->special & 0xfffff;
}

#define ACL_NAME	"system.posix_acl_"
#define ACL_HEADER_SIZE 4
#define ACL_ENTRY_SIZE	8
#define ACL_USER	2
#define ACL_GROUP	8

/* Entries without an id hold whatever the kernel's memory had there; user space has -1. */
static void acl_clean(struct source *source, const struct bytes_ref *name,
		      ProtobufCBinaryData *value)
{
	ProtobufCBinaryData is = source_bytes(source, name);
	uint8_t *copy;

	if (is.len < strlen(ACL_NAME) || memcmp(is.data, ACL_NAME, strlen(ACL_NAME)))
		return;
	copy = value->len ? source_alloc(source, value->len) : NULL;
	if (!copy)
		return;
	memcpy(copy, value->data, value->len);
	for (size_t at = ACL_HEADER_SIZE; at + ACL_ENTRY_SIZE <= value->len; at += ACL_ENTRY_SIZE)
		if (copy[at] != ACL_USER && copy[at] != ACL_GROUP)
			memset(copy + at + 4, 0xff, 4);
	value->data = copy;
}

void decode_file_xattr(struct source *source, Hinomi__Event *event)
{
	BODY(xattr_record, Hinomi__FileXattr, hinomi__file_xattr__init, file_xattr, FILE_XATTR);
	body->file = source_file(source, &rec->file);
	body->name = source_bytes(source, &rec->name);
	body->removed = !!rec->removed;
	body->size = rec->size;
	body->value = source_bytes(source, &rec->value);
	acl_clean(source, &rec->name, &body->value);
}

void decode_file_map(struct source *source, Hinomi__Event *event)
{
	BODY(map_record, Hinomi__FileMap, hinomi__file_map__init, file_map, FILE_MAP);
	body->file = source_file(source, &rec->file);
	body->length = rec->length;
	body->protection = rec->protection;
	body->flags = rec->flags;
}

void decode_file_flags(struct source *source, Hinomi__Event *event)
{
	BODY(flags_record, Hinomi__FileFlags, hinomi__file_flags__init, file_flags, FILE_FLAGS);
	body->file = source_file(source, &rec->file);
	body->flags = rec->flags;
	body->extended = rec->extended;
	body->old_known = !!rec->old_known;
	body->old_flags = body->old_known ? rec->old_flags : 0;
}

void decode_file_truncate(struct source *source, Hinomi__Event *event)
{
	BODY(truncate_record, Hinomi__FileTruncate, hinomi__file_truncate__init, file_truncate,
	     FILE_TRUNCATE);
	body->file = source_file(source, &rec->file);
	body->length = rec->length;
	body->old_known = !!rec->old_known;
	body->old_length = body->old_known ? rec->old_length : 0;
}

void decode_file_times(struct source *source, Hinomi__Event *event)
{
	BODY(times_record, Hinomi__FileTimes, hinomi__file_times__init, file_times, FILE_TIMES);
	body->file = source_file(source, &rec->file);
	body->accessed_ns = rec->accessed_ns;
	body->modified_ns = rec->modified_ns;
	body->old_known = !!rec->old_known;
	body->old_accessed_ns = body->old_known ? rec->old_accessed_ns : 0;
	body->old_modified_ns = body->old_known ? rec->old_modified_ns : 0;
	body->accessed_now = !!(rec->now & TIME_ACCESSED);
	body->modified_now = !!(rec->now & TIME_MODIFIED);
	body->accessed_kept = !!(rec->kept & TIME_ACCESSED);
	body->modified_kept = !!(rec->kept & TIME_MODIFIED);
}
