/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
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
#include <hinomi/record_network.h>
#include <hinomi/record_file.h>
#include <hinomi/record_kernel.h>
#include <hinomi/record_process.h>

/* Every record type at the front of a buffer with room for its bytes. */
static union {
	struct record record;
	struct exec_record exec;
	struct fork_record fork;
	struct exit_record exit;
	struct cred_change_record cred_change;
	struct open_record open;
	struct rename_record rename;
	struct link_record link;
	struct attr_record attr;
	struct socket_record socket;
	struct task_record task;
	uint64_t align;
	uint8_t bytes[RECORD_BYTES_MAX];
} buf;

static struct arena arena;

static size_t fixed_size(unsigned kind)
{
	static const size_t sizes[KINDS_MAX] = {
		[KIND_module_load] = sizeof(struct module_record),
		[KIND_module_unload] = sizeof(struct module_record),
		[KIND_bpf] = sizeof(struct bpf_record),
		[KIND_probe] = sizeof(struct probe_record),
		[KIND_cgroup_make] = sizeof(struct cgroup_record),
		[KIND_io_uring] = sizeof(struct uring_record),
		[KIND_keyring] = sizeof(struct keyring_record),
		[KIND_sysctl] = sizeof(struct sysctl_record),
		[KIND_system] = sizeof(struct system_record),
		[KIND_kernel_attempt] = sizeof(struct attempt_record),
		[KIND_summary] = sizeof(struct summary_record),
		[KIND_exec] = sizeof(struct exec_record),
		[KIND_fork] = sizeof(struct fork_record),
		[KIND_exit] = sizeof(struct exit_record),
		[KIND_cred_change] = sizeof(struct cred_change_record),
		[KIND_file_create] = sizeof(struct open_record),
		[KIND_file_open] = sizeof(struct open_record),
		[KIND_file_unlink] = sizeof(struct unlink_record),
		[KIND_file_rename] = sizeof(struct rename_record),
		[KIND_file_link] = sizeof(struct link_record),
		[KIND_file_mode] = sizeof(struct attr_record),
		[KIND_file_owner] = sizeof(struct attr_record),
		[KIND_file_xattr] = sizeof(struct xattr_record),
		[KIND_file_flags] = sizeof(struct flags_record),
		[KIND_file_truncate] = sizeof(struct truncate_record),
		[KIND_file_times] = sizeof(struct times_record),
		[KIND_file_make] = sizeof(struct make_record),
		[KIND_file_map] = sizeof(struct map_record),
		[KIND_file_close] = sizeof(struct close_record),
		[KIND_file_read] = sizeof(struct open_record),
		[KIND_task] = sizeof(struct task_record),
		[KIND_tcp_close] = sizeof(struct tcp_close_record),
		[KIND_udp_flow] = sizeof(struct udp_flow_record),
		[KIND_dns] = sizeof(struct dns_record),
		[KIND_tls_hello] = sizeof(struct opening_record),
		[KIND_metadata_request] = sizeof(struct opening_record),
		[KIND_net_change] = sizeof(struct net_change_record),
		[KIND_audit_change] = sizeof(struct net_change_record),
		[KIND_socket_filter] = sizeof(struct socket_filter_record),
		[KIND_exec_failed] = sizeof(struct exec_failed_record),
		[KIND_process_access] = sizeof(struct access_record),
		[KIND_signal] = sizeof(struct signal_record),
		[KIND_mount] = sizeof(struct mount_record),
		[KIND_chroot] = sizeof(struct mount_record),
		[KIND_login] = sizeof(struct login_record),
		[KIND_namespace] = sizeof(struct namespace_record),
		[KIND_sandbox] = sizeof(struct sandbox_record),
		[KIND_process_name] = sizeof(struct name_record),
		[KIND_prctl] = sizeof(struct prctl_record),
		[KIND_image_load] = sizeof(struct image_record),
		[KIND_memory_exec] = sizeof(struct memory_record),
		[KIND_userfaultfd] = sizeof(struct userfaultfd_record),
		[KIND_file_received] = sizeof(struct received_record),
	};

	return kind < KINDS_MAX && sizes[kind] ? sizes[kind] : sizeof(struct socket_record);
}

static const unsigned kernel_kinds[] = {
#define KIND(name, number, lane) number,
	FOR_EACH_KERNEL_KIND(KIND)
#undef KIND
		KIND_task,
};

static void begin(unsigned kind)
{
	memset(&buf, 0, sizeof(buf));
	arena_reset(&arena);
	buf.record.kind = (uint16_t)kind;
	buf.record.size = (uint32_t)fixed_size(kind);
	memcpy(buf.record.actor.comm, "cat", 3);
}

static void put(struct bytes_ref *ref, const void *data, size_t size)
{
	ref->off = buf.record.size;
	ref->len = ref->total = (uint32_t)size;
	memcpy(buf.bytes + buf.record.size, data, size);
	buf.record.size += (uint32_t)size;
}

/* From memory of exactly the record's size, so that a read behind it is seen. */
static int decode(struct event *event)
{
	static void *copy;
	int r;

	free(copy);
	copy = malloc(buf.record.size);
	memcpy(copy, &buf, buf.record.size);
	r = decode_record(copy, buf.record.size, &arena, event);
	return r;
}

#define assert_bytes(value, text)                                          \
	do {                                                               \
		assert_int_equal((value).len, sizeof(text) - 1);           \
		assert_memory_equal((value).data, text, sizeof(text) - 1); \
	} while (0)

static void head_and_actor(void **state)
{
	struct event event;
	struct actor *actor = &buf.record.actor;

	(void)state;
	begin(KIND_exit);
	buf.record.lane = LANE_BULK;
	buf.record.tier = 2;
	buf.record.cpu = 7;
	buf.record.flags = RECORD_COMPAT | RECORD_RESULT_UNKNOWN;
	buf.record.seq = 99;
	buf.record.time_ns = 1234;
	buf.record.result = -EACCES;
	actor->key = (struct process_key){.tgid = 10, .start_ns = 11, .exec_id = 12};
	actor->parent = (struct process_key){.tgid = 1, .start_ns = 2, .exec_id = 3};
	actor->cred = (struct cred_ids){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	actor->ns = (struct namespace_ids){1, 2, 3, 4, 5, 6, 7};
	actor->tid = 14;
	actor->ns_tgid = 15;
	actor->login_uid = 16;
	actor->session_id = 17;
	actor->cgroup_id = 18;
	memcpy(actor->comm, "0123456789abcdef", 16); /* no NUL */
	assert_int_equal(decode(&event), 0);
	assert_int_equal(event.kind, KIND_exit);
	assert_int_equal(event.lane, LANE_BULK);
	assert_int_equal(event.body->lane, HINOMI__LANE__LANE_BULK);
	assert_int_equal(event.body->tier, 2);
	assert_int_equal(event.body->cpu, 7);
	assert_true(event.body->compat && event.body->result_unknown);
	assert_int_equal(event.body->seq, 99);
	assert_int_equal(event.body->time_ns, 1234);
	assert_int_equal(event.body->result, -EACCES);
	assert_int_equal(event.body->tid, 14);
	assert_int_equal(event.process->key->pid, 10);
	assert_int_equal(event.process->key->start_ns, 11);
	assert_int_equal(event.process->key->exec_id, 12);
	assert_int_equal(event.process->parent->pid, 1);
	assert_int_equal(event.process->credentials->uid, 1);
	assert_int_equal(event.process->credentials->fsgid, 8);
	assert_int_equal(event.process->credentials->cap_ambient, 12);
	assert_int_equal(event.process->namespaces->cgroup, 7);
	assert_int_equal(event.process->namespace_pid, 15);
	assert_int_equal(event.process->login_uid, 16);
	assert_int_equal(event.process->session_id, 17);
	assert_int_equal(event.process->cgroup_id, 18);
	assert_bytes(event.process->comm, "0123456789abcdef");
}

static void exec_is_whole(void **state)
{
	struct event event;
	Hinomi__Exec *exec;

	(void)state;
	begin(KIND_exec);
	buf.exec.file = (struct file_ref){.inode = 5,
					  .device = 8 << 20 | 17,
					  .mode = 0100755,
					  .flags = FILE_DELETED | FILE_MEMORY | FILE_PATH_AS_ASKED |
						   FILE_PATH_TRUNCATED};
	put(&buf.exec.file.path, "/bin/sh", 7);
	put(&buf.exec.filename, "./x", 3);
	put(&buf.exec.interpreter, "/bin/sh", 7);
	put(&buf.exec.args, "sh\0\0-c\0a b", 10); /* an empty one; the last is cut */
	buf.exec.args.total = 100000;
	put(&buf.exec.args_tail, "tail\0", 5);
	put(&buf.exec.cwd, "/", 1);
	buf.exec.argc = 400;
	buf.exec.old_tid = 9;
	buf.exec.secure = 1;
	assert_int_equal(decode(&event), 0);
	exec = event.body->exec;
	assert_int_equal(event.body->body_case, KIND_exec);
	assert_bytes(exec->file->path, "/bin/sh");
	assert_int_equal(exec->file->device_major, 8);
	assert_int_equal(exec->file->device_minor, 17);
	assert_true(exec->file->deleted && exec->file->memory && exec->file->path_as_asked &&
		    exec->file->path_truncated);
	assert_bytes(exec->filename, "./x");
	assert_int_equal(exec->n_args, 4);
	assert_bytes(exec->args[0], "sh");
	assert_bytes(exec->args[1], "");
	assert_bytes(exec->args[3], "a b");
	assert_int_equal(exec->n_args_tail, 1);
	assert_int_equal(exec->args_total_bytes, 100000);
	assert_int_equal(exec->args_count, 400);
	assert_true(exec->setid);
}

static void argument_lists_are_bounded(void **state)
{
	struct event event;
	static const char nuls[RECORD_ARGS_MAX];

	(void)state;
	begin(KIND_exec);
	put(&buf.exec.args, nuls, sizeof(nuls));
	assert_int_equal(decode(&event), 0);
	assert_int_equal(event.body->exec->n_args, 32768);
	begin(KIND_task);
	put(&buf.task.args, "init\0splash", 11);
	assert_int_equal(decode(&event), 0);
	assert_int_equal(event.kind, KIND_task);
	assert_int_equal(event.body->exec->n_args, 2);
	assert_bytes(event.body->exec->args[1], "splash");
}

static void exit_status(void **state)
{
	static const struct {
		uint32_t raw;
		int code, signal, core;
	} cases[] = {{0, 0, 0, 0},
		     {0x300, 3, 0, 0},
		     {9, 0, 9, 0},
		     {0x8b, 0, 11, 1},
		     {0xff00, 255, 0, 0}};
	struct event event;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(KIND_exit);
		buf.exit.exit_code = cases[i].raw;
		assert_int_equal(decode(&event), 0);
		assert_int_equal(event.body->exit->code, cases[i].code);
		assert_int_equal(event.body->exit->signal, cases[i].signal);
		assert_int_equal(event.body->exit->core_dumped, cases[i].core);
	}
}

static void old_values_only_when_known(void **state)
{
	struct event event;

	(void)state;
	begin(KIND_cred_change);
	buf.cred_change.old.uid = 5;
	assert_int_equal(decode(&event), 0);
	assert_null(event.body->cred_change->old);
	buf.cred_change.old_known = 1;
	assert_int_equal(decode(&event), 0);
	assert_int_equal(event.body->cred_change->old->uid, 5);
	begin(KIND_file_mode);
	buf.attr.old_mode = 0644;
	buf.attr.mode = 04755;
	assert_int_equal(decode(&event), 0);
	assert_int_equal(event.body->file_mode->mode, 04755);
	assert_int_equal(event.body->file_mode->old_mode, 0);
	begin(KIND_file_rename);
	assert_int_equal(decode(&event), 0);
	assert_null(event.body->file_rename->replaced);
	buf.rename.replaced.inode = 1;
	buf.rename.old_path_flags = FILE_PATH_AS_ASKED;
	put(&buf.rename.old_path, "old", 3);
	assert_int_equal(decode(&event), 0);
	assert_non_null(event.body->file_rename->replaced);
	assert_bytes(event.body->file_rename->old_path, "old");
	assert_true(event.body->file_rename->old_path_as_asked);
}

static void put_address(struct address *to, uint16_t family, const void *data, size_t len)
{
	*to = (struct address){.family = family, .len = (uint16_t)len, .port = 443, .scope_id = 2};
	memcpy(to->data, data, len);
}

static Hinomi__Address *decode_address(uint16_t family, const void *data, size_t len)
{
	static struct event event;

	begin(KIND_connect);
	put_address(&buf.socket.peer, family, data, len);
	assert_int_equal(decode(&event), 0);
	assert_null(event.body->connect->local);
	return event.body->connect->peer;
}

static void addresses(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 3};
	static const uint8_t v6[16] = {0xfe, 0x80, [15] = 1};
	Hinomi__Address *address = decode_address(AF_INET, "\x7f\0\0\1", 4);

	(void)state;
	assert_bytes(address->ip, "\x7f\0\0\1");
	assert_int_equal(address->port, 443);
	assert_int_equal(address->family, AF_INET);
	address = decode_address(AF_INET6, v6, 16);
	assert_int_equal(address->ip.len, 16);
	assert_int_equal(address->scope_id, 2);
	assert_false(address->mapped);
	address = decode_address(AF_INET6, mapped, 16);
	assert_int_equal(address->family, AF_INET);
	assert_bytes(address->ip, "\x0a\1\2\3");
	assert_true(address->mapped);
	address = decode_address(AF_UNIX, "/run/x\0", 7);
	assert_bytes(address->path, "/run/x");
	assert_false(address->abstract);
	address = decode_address(AF_UNIX, "\0a\0b", 4);
	assert_bytes(address->path, "a\0b");
	assert_true(address->abstract);
	address = decode_address(AF_UNIX, "", 0);
	assert_int_equal(address->path.len, 0);
	assert_false(address->abstract);
	address = decode_address(AF_VSOCK, "\1\2\3", 3);
	assert_bytes(address->raw, "\1\2\3");
	address = decode_address(AF_INET, "", 0); /* unreadable, yet a connect */
	assert_int_equal(address->ip.len, 0);
}

static void bad_addresses(void **state)
{
	struct event event;

	(void)state;
	begin(KIND_bind);
	put_address(&buf.socket.local, AF_INET, "\1\2\3", 3);
	assert_int_equal(decode(&event), -EBADMSG);
	begin(KIND_bind);
	put_address(&buf.socket.local, AF_UNIX, "", 0);
	buf.socket.local.len = ADDRESS_RAW_MAX + 1;
	assert_int_equal(decode(&event), -EBADMSG);
}

/* Each class: shorter than its fixed part is refused, at it is taken. */
static void sizes_of_every_kind(void **state)
{
	struct event event;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernel_kinds); i++) {
		for (size_t size = 0; size < fixed_size(kernel_kinds[i]); size += 4) {
			begin(kernel_kinds[i]);
			assert_int_equal(decode_record(&buf, size, &arena, &event), -EBADMSG);
			buf.record.size = (uint32_t)size;
			assert_int_equal(decode_record(&buf, sizeof(buf), &arena, &event),
					 -EBADMSG);
		}
		begin(kernel_kinds[i]);
		assert_int_equal(decode(&event), 0);
		assert_int_equal(event.kind, kernel_kinds[i]);
		assert_int_equal(event.body->body_case,
				 kernel_kinds[i] == KIND_task ? KIND_exec : kernel_kinds[i]);
	}
}

static void refs_outside_the_record(void **state)
{
	static const struct bytes_ref bad[] = {
		{.off = 0, .len = 1}, /* the head */
		{.off = sizeof(struct exec_record) - 1, .len = 1},
		{.off = sizeof(struct exec_record), .len = 9},
		{.off = sizeof(struct exec_record) + 8, .len = 1},
		{.off = UINT32_MAX, .len = 2},
		{.off = sizeof(struct exec_record), .len = UINT32_MAX},
	};
	struct bytes_ref *refs[] = {&buf.exec.file.path, &buf.exec.filename,  &buf.exec.interpreter,
				    &buf.exec.args,	 &buf.exec.args_tail, &buf.exec.cwd};
	struct event event;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad) * ARRAY_SIZE(refs); i++) {
		begin(KIND_exec);
		buf.record.size += 8;
		*refs[i % ARRAY_SIZE(refs)] = bad[i / ARRAY_SIZE(refs)];
		assert_int_equal(decode(&event), -EBADMSG);
	}
}

static void nonsense(void **state)
{
	struct event event;

	(void)state;
	for (unsigned kind = 0; kind < 200; kind++) {
		bool known = kind == KIND_task || kind_is_kernel(kind);

		for (size_t i = 0; i < ARRAY_SIZE(kernel_kinds); i++)
			known |= kernel_kinds[i] == kind;
		begin(kind);
		buf.record.size = sizeof(buf);
		assert_int_equal(decode_record(&buf, sizeof(buf), &arena, &event),
				 known ? 0 : -EBADMSG);
	}
	begin(KIND_exit);
	buf.record.lane = LANES;
	assert_int_equal(decode(&event), -EBADMSG);
	begin(KIND_exit);
	assert_int_equal(decode_record(buf.bytes + 1, sizeof(buf) - 1, &arena, &event), -EBADMSG);
}

static void memory_runs_out_at_each_step(void **state)
{
	struct event event;
	struct arena small;
	size_t need;

	(void)state;
	begin(KIND_exec);
	put(&buf.exec.args, "a\0b", 3);
	assert_int_equal(decode(&event), 0);
	need = arena.used;
	for (size_t limit = 0; limit <= need; limit += 16) {
		arena_init(&small, limit);
		assert_int_equal(decode_record(&buf, sizeof(buf), &small, &event),
				 limit < need ? -ENOMEM : 0);
		arena_done(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_and_actor),
		cmocka_unit_test(exec_is_whole),
		cmocka_unit_test(argument_lists_are_bounded),
		cmocka_unit_test(exit_status),
		cmocka_unit_test(old_values_only_when_known),
		cmocka_unit_test(addresses),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(sizes_of_every_kind),
		cmocka_unit_test(refs_outside_the_record),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(memory_runs_out_at_each_step),
	};
	int r;

	arena_init(&arena, 8 << 20);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return r;
}
