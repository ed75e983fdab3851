/* SPDX-License-Identifier: Apache-2.0 */
/* An exec: from record to event. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "decode/decode.h"
#include "hinomi/record.h"
#include <hinomi/record_process.h>

static union {
	struct record record;
	struct exec_record exec;
	uint64_t align;
	uint8_t bytes[3 * EXEC_ENVIRONMENT];
} buf;

static struct arena arena;
static struct event event;

static void begin(void)
{
	memset(&buf, 0, sizeof(buf));
	arena_reset(&arena);
	buf.record.kind = KIND_exec;
	buf.record.size = sizeof(buf.exec);
}

static void put(struct bytes_ref *ref, const void *data, size_t size)
{
	ref->off = buf.record.size;
	ref->len = ref->total = (uint32_t)size;
	memcpy(buf.bytes + buf.record.size, data, size);
	buf.record.size += (uint32_t)size;
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

#define assert_bytes(value, text)                                      \
	do {                                                           \
		assert_int_equal((value).len, strlen(text));           \
		assert_memory_equal((value).data, text, strlen(text)); \
	} while (0)

static void levels(void **state)
{
	struct exec_level two[2] = {
		{.file = {.inode = 7, .path = {.len = 5}}, .path = "first"},
		{.file = {.inode = 8, .mode = 0100757, .path = {.len = UINT32_MAX}},
		 .path = "second"},
	};

	(void)state;
	begin();
	put(&buf.exec.levels, two, sizeof(two));
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->exec->n_levels, 2);
	assert_int_equal(event.body->exec->levels[0]->inode, 7);
	assert_bytes(event.body->exec->levels[0]->path, "first");
	assert_int_equal(event.body->exec->levels[1]->path.len, EXEC_LEVEL_PATH);
	assert_true(event.body->exec->level_writable_by_others);
	buf.exec.levels.len--; /* half of one is none */
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->exec->n_levels, 1);
	assert_false(event.body->exec->level_writable_by_others);
	buf.exec.levels.len = sizeof(two) + 1;
	assert_int_equal(decode(), -EBADMSG);
}

static void who_may_change_it(void **state)
{
	static const struct {
		uint32_t mode, gid;
		bool want;
	} cases[] = {{0755, 0, false}, {0775, 0, false}, {0775, 5, true}, {0757, 0, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin();
		buf.exec.file.mode = S_IFREG | cases[i].mode;
		buf.exec.file.gid = cases[i].gid;
		buf.exec.directory_mode = S_IFDIR | cases[i].mode;
		buf.exec.directory_gid = cases[i].gid;
		assert_int_equal(decode(), 0);
		assert_int_equal(event.body->exec->writable_by_others, cases[i].want);
		assert_int_equal(event.body->exec->directory_writable_by_others, cases[i].want);
	}
}

static void rights(void **state)
{
	(void)state;
	begin();
	buf.record.actor.cred.cap_permitted = 7;
	buf.exec.before = (struct cred_ids){.euid = 5, .cap_permitted = 1};
	buf.exec.file_permitted = 6;
	assert_int_equal(decode(), 0);
	assert_null(event.body->exec->before);
	assert_int_equal(event.body->exec->capabilities_gained, 0);
	assert_int_equal(event.body->exec->file_permitted, 6);
	buf.exec.before_known = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->exec->before->euid, 5);
	assert_int_equal(event.body->exec->capabilities_gained, 6);
}

static void standard_descriptors(void **state)
{
	(void)state;
	begin();
	buf.exec.stdio[0] = (struct stdio_ref){.mode = S_IFSOCK, .inode = 9, .family = AF_INET};
	buf.exec.stdio[2] = buf.exec.stdio[0];
	buf.exec.peer = (struct address){.family = AF_INET, .len = 4, .port = 80};
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->exec->n_stdio, 2);
	assert_int_equal(event.body->exec->stdio[1]->fd, 2);
	assert_int_equal(event.body->exec->stdio[0]->peer->port, 80);
	assert_int_equal(event.body->exec->stdio[1]->peer->port, 80);
	buf.exec.stdio[2].inode = 10;
	assert_int_equal(decode(), 0);
	assert_null(event.body->exec->stdio[1]->peer);
	buf.exec.peer_of = 3; /* there is none */
	assert_int_equal(decode(), 0);
	assert_null(event.body->exec->stdio[0]->peer);
}

/* Those of the list, by their whole name, and nothing of any other. */
static void environment(void **state)
{
	static const char all[] = "PASSWORD=x\0LD_PRELOAD=/a\0XLD_PRELOAD=y\0LD\0=\0HISTFILE=\0";
	const Hinomi__Exec *exec;

	(void)state;
	begin();
	put(&buf.exec.environment, all, sizeof(all) - 1);
	assert_int_equal(decode(), 0);
	exec = event.body->exec;
	assert_int_equal(exec->n_environment, 2);
	assert_bytes(exec->environment[0], "LD_PRELOAD=/a");
	assert_bytes(exec->environment[1], "HISTFILE=");
	assert_int_equal(exec->environment_total_bytes, sizeof(all) - 1);
	assert_false(exec->environment_truncated);
}

/* A tail that does not follow on the head begins in a value that may look like anything. */
static void environment_in_two(void **state)
{
	static const char head[] = "LD_A=1\0SECRET=LD_PR";
	static const char tail[] = "LD_PRELOAD=secret\0BASH_ENV=/b\0";
	const Hinomi__Exec *exec;

	(void)state;
	begin();
	put(&buf.exec.environment, head, sizeof(head) - 1);
	put(&buf.exec.environment_tail, tail, sizeof(tail) - 1);
	buf.exec.environment.total = 100000;
	assert_int_equal(decode(), 0);
	exec = event.body->exec;
	assert_int_equal(exec->n_environment, 2);
	assert_bytes(exec->environment[0], "LD_A=1");
	assert_bytes(exec->environment[1], "BASH_ENV=/b");
	assert_true(exec->environment_truncated);
	buf.exec.environment.total = sizeof(head) + sizeof(tail) - 2; /* all there was */
	assert_int_equal(decode(), 0);
	exec = event.body->exec;
	assert_int_equal(exec->n_environment, 2);
	assert_false(exec->environment_truncated);
}

static void many_variables(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 100; i++) {
		struct bytes_ref one;

		put(&one, "LD_X=1", 7);
	}
	buf.exec.environment = (struct bytes_ref){sizeof(buf.exec), 700, 700};
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->exec->n_environment, 64);
	assert_true(event.body->exec->environment_truncated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),	  cmocka_unit_test(who_may_change_it),
		cmocka_unit_test(rights),	  cmocka_unit_test(standard_descriptors),
		cmocka_unit_test(environment),	  cmocka_unit_test(environment_in_two),
		cmocka_unit_test(many_variables),
	};
	int r;

	arena_init(&arena, 1 << 20);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return r;
}
