/* SPDX-License-Identifier: Apache-2.0 */
/* Classes about what processes do to each other and to the kernel: from record to event. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "decode/decode.h"
#include "hinomi/record.h"
#include <hinomi/record_file.h>
#include <hinomi/record_kernel.h>
#include <hinomi/record_process.h>

static union {
	struct record record;
	struct exec_failed_record exec_failed;
	struct access_record access;
	struct signal_record signal;
	struct mount_record mount;
	struct namespace_record namespace;
	struct summary_record summary;
	struct module_record module;
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

static void put(struct bytes_ref *ref, const char *text)
{
	ref->off = buf.record.size;
	ref->len = ref->total = (uint32_t)strlen(text);
	memcpy(buf.bytes + buf.record.size, text, ref->len);
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

#define assert_bytes(value, text)                                      \
	do {                                                           \
		assert_int_equal((value).len, strlen(text));           \
		assert_memory_equal((value).data, text, strlen(text)); \
	} while (0)

static void exec_failed(void **state)
{
	(void)state;
	begin(KIND_exec_failed, sizeof(buf.exec_failed));
	put(&buf.exec_failed.filename, "./x");
	buf.record.result = -ENOENT;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->result, -ENOENT);
	assert_bytes(event.body->exec_failed->filename, "./x");
	assert_null(event.body->exec_failed->file);
	buf.exec_failed.file.inode = 7;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->exec_failed->file->inode, 7);
	buf.exec_failed.filename.len = 4;
	assert_int_equal(decode(), -EBADMSG);
}

static void modules(void **state)
{
	const Hinomi__Module *module;

	(void)state;
	begin(KIND_module_load, sizeof(buf.module));
	memcpy(buf.module.name, "dummy", 6);
	assert_int_equal(decode(), 0);
	module = event.body->module_load;
	assert_bytes(module->name, "dummy");
	assert_int_equal(module->srcversion.len, 0);
	assert_int_equal(module->build_id.len, 0);
	memset(buf.module.srcversion, 'A', sizeof(buf.module.srcversion)); /* without an end */
	buf.module.build_id[MODULE_BUILD_ID - 1] = 1;
	assert_int_equal(decode(), 0);
	module = event.body->module_load;
	assert_int_equal(module->srcversion.len, MODULE_SRCVERSION);
	assert_int_equal(module->build_id.len, MODULE_BUILD_ID);
	assert_int_equal(module->build_id.data[MODULE_BUILD_ID - 1], 1);
}

static void process_access(void **state)
{
	const Hinomi__ProcessAccess *access;

	(void)state;
	begin(KIND_process_access, sizeof(buf.access));
	buf.access.target = (struct target){
		.key = {.tgid = 5, .start_ns = 6, .exec_id = 7}, .uid = 8, .comm = "cat"};
	buf.access.operation = ACCESS_MEMORY_WRITE;
	buf.access.mode = 18;
	buf.access.call = 311;
	buf.access.request = 99;
	assert_int_equal(decode(), 0);
	access = event.body->process_access;
	assert_int_equal(access->target->key->pid, 5);
	assert_int_equal(access->target->key->start_ns, 6);
	assert_int_equal(access->target->uid, 8);
	assert_bytes(access->target->comm, "cat");
	assert_int_equal(access->operation,
			 HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_MEMORY_WRITE);
	assert_int_equal(access->mode, 18);
	assert_true(access->call_known);
	assert_int_equal(access->system_call, 311);
	assert_int_equal(access->request, 0); /* means nothing but for ptrace */
	buf.access.operation = ACCESS_PTRACE;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->process_access->request, 99);
	buf.access.call = -1;
	assert_int_equal(decode(), 0);
	assert_false(event.body->process_access->call_known);
	assert_int_equal(event.body->process_access->system_call, 0);
}

static void signals(void **state)
{
	(void)state;
	begin(KIND_signal, sizeof(buf.signal));
	buf.signal.target.key.tgid = 5;
	memcpy(buf.signal.target.comm, "0123456789abcdef", 16); /* no NUL */
	buf.signal.signal = SIGKILL;
	buf.signal.code = -6;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->signal->signal, SIGKILL);
	assert_int_equal(event.body->signal->code, -6);
	assert_bytes(event.body->signal->target->comm, "0123456789abcdef");
}

static void mounts(void **state)
{
	static const struct {
		unsigned action;
		uint64_t flags;
		Hinomi__Mount__Action want;
	} actions[] = {
		{MOUNT_MOUNT, MS_RDONLY, HINOMI__MOUNT__ACTION__ACTION_MOUNT},
		{MOUNT_MOUNT, MS_REMOUNT | MS_BIND, HINOMI__MOUNT__ACTION__ACTION_REMOUNT},
		{MOUNT_MOUNT, MS_BIND | MS_REC, HINOMI__MOUNT__ACTION__ACTION_BIND},
		{MOUNT_MOUNT, MS_REC | MS_SLAVE, HINOMI__MOUNT__ACTION__ACTION_PROPAGATION},
		{MOUNT_MOUNT, MS_MOVE, HINOMI__MOUNT__ACTION__ACTION_MOVE},
		{MOUNT_MOVE, 0, HINOMI__MOUNT__ACTION__ACTION_MOVE},
		{MOUNT_UMOUNT, MS_BIND, HINOMI__MOUNT__ACTION__ACTION_UMOUNT},
		{MOUNT_PIVOT_ROOT, 0, HINOMI__MOUNT__ACTION__ACTION_PIVOT_ROOT},
		{MOUNT_SETATTR, 0, HINOMI__MOUNT__ACTION__ACTION_SETATTR},
		{MOUNT_CLONE, 1, HINOMI__MOUNT__ACTION__ACTION_CLONE},
		{MOUNT_DETACHED, 1, HINOMI__MOUNT__ACTION__ACTION_DETACHED},
		{77, 0, HINOMI__MOUNT__ACTION__ACTION_UNSPECIFIED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		begin(KIND_mount, sizeof(buf.mount));
		buf.mount.action = actions[i].action;
		buf.mount.flags = actions[i].flags;
		put(&buf.mount.target.path, "/mnt");
		put(&buf.mount.source, "/dev/vda");
		put(&buf.mount.type, "ext4");
		assert_int_equal(decode(), 0);
		assert_int_equal(event.body->mount->action, actions[i].want);
		assert_int_equal(event.body->mount->flags, actions[i].flags);
		assert_bytes(event.body->mount->target->path, "/mnt");
		assert_bytes(event.body->mount->source, "/dev/vda");
		assert_bytes(event.body->mount->filesystem, "ext4");
	}
	begin(KIND_chroot, sizeof(buf.mount));
	put(&buf.mount.target.path, "/jail");
	assert_int_equal(decode(), 0);
	assert_bytes(event.body->chroot->root->path, "/jail");
}

static void namespaces(void **state)
{
	const Hinomi__NamespaceChange *change;

	(void)state;
	begin(KIND_namespace, sizeof(buf.namespace));
	buf.namespace.how = NAMESPACE_SETNS;
	buf.namespace.flags = CLONE_NEWNET;
	buf.namespace.old = (struct namespace_ids){1, 2, 3, 4, 5, 6, 7};
	buf.namespace.now = (struct namespace_ids){1, 2, 9, 4, 5, 6, 7};
	buf.namespace.pid_for_children = 2;
	assert_int_equal(decode(), 0);
	change = event.body->namespace_;
	assert_null(change->old);
	assert_int_equal(change->now->net, 9);
	assert_int_equal(change->how, HINOMI__NAMESPACE_CHANGE__HOW__HOW_SETNS);
	assert_int_equal(change->flags, CLONE_NEWNET);
	assert_int_equal(change->pid_for_children, 2);
	buf.namespace.old_known = 1;
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->namespace_->old->net, 3);
}

static void summaries(void **state)
{
	const Hinomi__Summary *summary;

	(void)state;
	begin(KIND_summary, sizeof(buf.summary));
	buf.summary.of = KIND_file_unlink;
	buf.summary.count = 5000000000;
	buf.summary.first_ns = 10;
	buf.summary.last_ns = 20;
	buf.summary.file.inode = 7;
	buf.record.result = -EACCES;
	put(&buf.summary.file.path, "/tmp/x");
	assert_int_equal(decode(), 0);
	summary = event.body->summary;
	assert_string_equal(summary->class_, "file_unlink");
	assert_true(summary->count == 5000000000);
	assert_int_equal(summary->first_ns, 10);
	assert_int_equal(summary->last_ns, 20);
	assert_int_equal(summary->file->inode, 7);
	assert_bytes(summary->file->path, "/tmp/x");
	assert_null(summary->address);
	assert_int_equal(event.body->result, -EACCES);

	begin(KIND_summary, sizeof(buf.summary));
	buf.summary.of = KIND_connect;
	buf.summary.address = (struct address){.family = AF_INET, .port = 80, .len = 4};
	assert_int_equal(decode(), 0);
	assert_null(event.body->summary->file);
	assert_int_equal(event.body->summary->address->port, 80);
	buf.summary.of = KIND_gap; /* never of those */
	assert_int_equal(decode(), 0);
	assert_string_equal(event.body->summary->class_, "");
	buf.summary.file.path = (struct bytes_ref){.off = 4000, .len = 200, .total = 200};
	assert_int_equal(decode(), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec_failed), cmocka_unit_test(process_access),
		cmocka_unit_test(signals),     cmocka_unit_test(mounts),
		cmocka_unit_test(namespaces),  cmocka_unit_test(summaries),
		cmocka_unit_test(modules),
	};
	int r;

	arena_init(&arena, 1 << 20);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return r;
}
