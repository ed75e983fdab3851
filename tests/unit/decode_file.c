/* SPDX-License-Identifier: Apache-2.0 */
/* Classes about what changes in a file: from record to event. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "decode/decode.h"
#include "hinomi/record.h"
#include <hinomi/record_file.h>

static union {
	struct record record;
	struct xattr_record xattr;
	struct flags_record flags;
	struct truncate_record truncate;
	struct times_record times;
	struct make_record make;
	struct map_record map;
	struct close_record closed;
	struct open_record open;
	uint64_t align;
	uint8_t bytes[4096];
} buf;

static struct arena arena;
static struct event event;

static void begin(unsigned kind, size_t size)
{
	memset(&buf, 0, sizeof(buf));
	arena_reset(&arena);
	buf.record.kind = (uint16_t)kind;
	buf.record.size = (uint32_t)size;
}

static void put(struct bytes_ref *ref, const void *bytes, size_t size)
{
	ref->off = buf.record.size;
	ref->len = ref->total = (uint32_t)size;
	memcpy(buf.bytes + buf.record.size, bytes, size);
	buf.record.size += ref->len;
}

/* From memory of exactly the record's size, so that a read behind it is seen. */
static int decode(void)
{
	static void *copy;

	free(copy);
	copy = malloc(buf.record.size);
	memcpy(copy, &buf, buf.record.size);
	return decode_record(copy, buf.record.size, &arena, &event);
}

static void xattr(void **state)
{
	static const uint8_t entries[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xba, 0xad, 0xf0, 0x0d,
					  2, 0, 4, 0, 9, 1, 0, 0, 32,	1,    1,    1};
	const Hinomi__FileXattr *body;

	(void)state;
	begin(KIND_file_xattr, sizeof(buf.xattr));
	put(&buf.xattr.name, "system.posix_acl_access", 23);
	put(&buf.xattr.value, entries, sizeof(entries));
	buf.xattr.size = sizeof(entries);
	assert_int_equal(decode(), 0);
	body = event.body->file_xattr;
	assert_int_equal(body->size, sizeof(entries));
	assert_int_equal(body->value.len, sizeof(entries));
	assert_memory_equal(body->value.data + 8, "\xff\xff\xff\xff", 4);
	assert_memory_equal(body->value.data + 16, entries + 16, 8); /* half an entry stays */
	assert_false(body->removed);
	buf.xattr.name.len = 5000;
	assert_int_equal(decode(), -EBADMSG);
}

static void flags(void **state)
{
	(void)state;
	begin(KIND_file_flags, sizeof(buf.flags));
	buf.flags.flags = 0x30;
	buf.flags.extended = 8;
	buf.flags.old_flags = 0x20;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_flags->flags, 0x30);
	assert_int_equal(event.body->file_flags->extended, 8);
	assert_int_equal(event.body->file_flags->old_flags, 0);
	buf.flags.old_known = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_flags->old_flags, 0x20);
}

static void truncated(void **state)
{
	(void)state;
	begin(KIND_file_truncate, sizeof(buf.truncate));
	buf.truncate.length = 1ull << 40;
	buf.truncate.old_length = 5;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_truncate->length, 1ull << 40);
	assert_int_equal(event.body->file_truncate->old_length, 0);
	buf.truncate.old_known = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_truncate->old_length, 5);
}

static void times(void **state)
{
	const Hinomi__FileTimes *body;

	(void)state;
	begin(KIND_file_times, sizeof(buf.times));
	buf.times.accessed_ns = 1;
	buf.times.modified_ns = (uint64_t)-1; /* before 1970 */
	buf.times.old_accessed_ns = 3;
	buf.times.old_modified_ns = 4;
	buf.times.old_known = 1;
	buf.times.now = TIME_ACCESSED;
	buf.times.kept = TIME_MODIFIED;
	assert_int_equal(decode(), 0);
	body = event.body->file_times;
	assert_int_equal(body->accessed_ns, 1);
	assert_true(body->modified_ns == UINT64_MAX);
	assert_int_equal(body->old_accessed_ns, 3);
	assert_int_equal(body->old_modified_ns, 4);
	assert_true(body->accessed_now && body->modified_kept);
	assert_false(body->modified_now || body->accessed_kept);
}

static void make(void **state)
{
	(void)state;
	begin(KIND_file_make, sizeof(buf.make));
	buf.make.mode = 020600;
	buf.make.special = 8 << 20 | 300;
	put(&buf.make.file.path, "/dev/x", 6);
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_make->mode, 020600);
	assert_int_equal(event.body->file_make->special_major, 8);
	assert_int_equal(event.body->file_make->special_minor, 300);
	assert_int_equal(event.body->file_make->file->path.len, 6);
}

static void map(void **state)
{
	(void)state;
	begin(KIND_file_map, sizeof(buf.map));
	buf.map.length = 4096;
	buf.map.protection = 3;
	buf.map.flags = 1;
	buf.map.file.inode = 7;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_map->length, 4096);
	assert_int_equal(event.body->file_map->protection, 3);
	assert_int_equal(event.body->file_map->flags, 1);
	assert_int_equal(event.body->file_map->file->inode, 7);
}

static void closed(void **state)
{
	(void)state;
	begin(KIND_file_close, sizeof(buf.closed));
	buf.closed.bytes_read = 1;
	buf.closed.bytes_written = 1ull << 40;
	buf.closed.reads = 3;
	buf.closed.writes = 4;
	buf.closed.opened_ns = 5;
	buf.closed.watch = 6;
	buf.closed.opener.tgid = 7;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_close->bytes_read, 1);
	assert_int_equal(event.body->file_close->bytes_written, 1ull << 40);
	assert_int_equal(event.body->file_close->reads, 3);
	assert_int_equal(event.body->file_close->writes, 4);
	assert_int_equal(event.body->file_close->opened_ns, 5);
	assert_int_equal(event.body->file_close->opener->pid, 7);
	assert_int_equal(event.watch, 6);
}

static void opened(void **state)
{
	(void)state;
	begin(KIND_file_read, sizeof(buf.open));
	buf.open.watch = 3;
	buf.open.by_handle = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.watch, 3);
	assert_true(event.body->file_read->by_handle);
	assert_int_equal(event.body->file_read->watched.len, 0); /* enrich has the list */
	begin(KIND_file_truncate, sizeof(buf.truncate));
	assert_int_equal(decode(), 0);
	assert_int_equal(event.watch, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xattr),  cmocka_unit_test(flags),  cmocka_unit_test(truncated),
		cmocka_unit_test(times),  cmocka_unit_test(make),   cmocka_unit_test(map),
		cmocka_unit_test(closed), cmocka_unit_test(opened),
	};
	int r;

	arena_init(&arena, 1 << 20);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return r;
}
