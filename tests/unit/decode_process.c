/* SPDX-License-Identifier: Apache-2.0 */
/* Classes about what a process does to itself, to its memory and its rights: from record to event.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "decode/decode.h"
#include "hinomi/record.h"
#include <hinomi/record_process.h>

static union {
	struct record record;
	struct cred_change_record creds;
	struct signal_record signal;
	struct sandbox_record sandbox;
	struct name_record name;
	struct prctl_record prctl;
	struct image_record image;
	struct memory_record memory;
	struct userfaultfd_record userfaultfd;
	struct received_record received;
	struct access_record access;
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

static void groups(void **state)
{
	const uint32_t list[] = {0, 7, UINT32_MAX};
	const Hinomi__CredChange *change;

	(void)state;
	begin(KIND_cred_change, sizeof(buf.creds));
	put(&buf.creds.groups, list, sizeof(list));
	buf.creds.rest =
		(struct cred_rest){.cap_bounding = 5, .securebits = 4, .groups = 300, .user_ns = 9};
	buf.creds.old_rest = (struct cred_rest){.securebits = 1, .groups = 2, .user_ns = 8};
	assert_int_equal(decode(), 0);
	change = event.body->cred_change;
	assert_int_equal(change->n_groups, 3);
	assert_int_equal(change->groups[0]->gid, 0);
	assert_int_equal(change->groups[2]->gid, UINT32_MAX);
	assert_int_equal(change->groups_count, 300);
	assert_int_equal(change->securebits, 4);
	assert_int_equal(change->cap_bounding, 5);
	assert_int_equal(change->old_securebits, 0); /* not known */
	buf.creds.rest_known = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->cred_change->old_securebits, 1);
	assert_int_equal(event.body->cred_change->old_user_namespace, 8);
	buf.creds.groups.len++;
	assert_int_equal(decode(), -EBADMSG);
}

static void sandboxes(void **state)
{
	static const uint8_t program[16] = {6, [4] = 1};

	(void)state;
	begin(KIND_sandbox, sizeof(buf.sandbox));
	buf.sandbox.change = SANDBOX_FILTER;
	buf.sandbox.flags = 8;
	buf.sandbox.listener = 1;
	buf.sandbox.instructions = 2;
	buf.sandbox.filters = 3;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->sandbox->sha256.len, 0);
	put(&buf.sandbox.program, program, sizeof(program));
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->sandbox->change, HINOMI__SANDBOX__CHANGE__CHANGE_FILTER);
	assert_int_equal(event.body->sandbox->sha256.len, 32);
	assert_int_equal(event.body->sandbox->filters, 3);
	assert_true(event.body->sandbox->listener);
}

static void attributes(void **state)
{
	(void)state;
	begin(KIND_process_name, sizeof(buf.name));
	memcpy(buf.name.old, "0123456789abcdef", 16); /* no NUL */
	memcpy(buf.name.now, "new", 4);
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->process_name->old.len, 16);
	assert_int_equal(event.body->process_name->now.len, 3);
	begin(KIND_prctl, sizeof(buf.prctl));
	buf.prctl.option = 35;
	buf.prctl.value = 8;
	buf.prctl.address = UINT64_MAX;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->prctl->option, 35);
	assert_true(event.body->prctl->address == UINT64_MAX);
	begin(KIND_userfaultfd, sizeof(buf.userfaultfd));
	buf.userfaultfd.flags = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->userfaultfd->flags, 1);
}

static void memory(void **state)
{
	(void)state;
	begin(KIND_image_load, sizeof(buf.image));
	buf.image.file.inode = 7;
	buf.image.protection = 5;
	buf.image.later = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->image_load->file->inode, 7);
	assert_true(event.body->image_load->later);
	assert_false(event.body->image_load->by_executable);
	begin(KIND_memory_exec, sizeof(buf.memory));
	buf.memory.action = MEMORY_PROTECT;
	buf.memory.memory = MEMORY_STACK;
	buf.memory.was_writable = 1;
	buf.memory.address = 4096;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->memory_exec->memory,
			 HINOMI__MEMORY_EXEC__MEMORY__MEMORY_STACK);
	assert_int_equal(event.body->memory_exec->action,
			 HINOMI__MEMORY_EXEC__ACTION__ACTION_PROTECT);
	assert_null(event.body->memory_exec->file);
	buf.memory.file.inode = 3;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->memory_exec->file->inode, 3);
}

static void handed_over(void **state)
{
	(void)state;
	begin(KIND_file_received, sizeof(buf.received));
	buf.received.file.inode = 7;
	buf.received.opener = 1000;
	buf.received.flags = 2;
	buf.received.call = 47;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->file_received->opener_uid, 1000);
	assert_int_equal(event.body->file_received->system_call, 47);
	begin(KIND_process_access, sizeof(buf.access));
	buf.access.operation = ACCESS_ADVISE;
	buf.access.call = 440;
	buf.access.request = 20;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->process_access->request, 20);
	begin(KIND_signal, sizeof(buf.signal));
	buf.signal.to_sensor = 1;
	buf.record.result = -EPERM;
	assert_int_equal(decode(), 0);
	assert_true(event.body->signal->to_sensor);
	assert_int_equal(event.body->result, -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups),      cmocka_unit_test(sandboxes),
		cmocka_unit_test(attributes),  cmocka_unit_test(memory),
		cmocka_unit_test(handed_over),
	};
	int r;

	arena_init(&arena, 1 << 20);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return r;
}
