/* SPDX-License-Identifier: Apache-2.0 */
/* Events made by hand, and a directory to be found in: what the tests of enrich share. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "enrich/enrich.h"

static struct arena arena;
static char dir[] = "/tmp/hinomi-enrich-XXXXXX";

#define BYTES(text) ((ProtobufCBinaryData){.len = sizeof(text) - 1, .data = (uint8_t *)(text)})
#define assert_bytes(value, text)                                          \
	do {                                                               \
		assert_int_equal((value).len, sizeof(text) - 1);           \
		assert_memory_equal((value).data, text, sizeof(text) - 1); \
	} while (0)

static inline void *make(size_t size, const ProtobufCMessageDescriptor *descriptor)
{
	void *message = arena_alloc(&arena, size);

	assert_non_null(message);
	protobuf_c_message_init(descriptor, message);
	return message;
}

#define MAKE(type, name) ((type *)make(sizeof(type), &hinomi__##name##__descriptor))

static inline Hinomi__ProcessKey *make_key(uint32_t pid, uint64_t start_ns, uint64_t exec_id)
{
	Hinomi__ProcessKey *key = MAKE(Hinomi__ProcessKey, process_key);

	key->pid = pid;
	key->start_ns = start_ns;
	key->exec_id = exec_id;
	return key;
}

/* Started at ten times its pid, by the one whose pid is one less, unless the test says otherwise.
 */
static inline struct event make_event(unsigned kind, uint32_t pid, const char *comm)
{
	struct event event = {.body = MAKE(Hinomi__Event, event),
			      .process = MAKE(Hinomi__Process, process),
			      .kind = kind};

	event.body->tid = pid;
	event.process->key = make_key(pid, pid * 10ULL, 1);
	event.process->parent = make_key(pid - 1, (pid - 1) * 10ULL, 1);
	event.process->credentials = MAKE(Hinomi__Credentials, credentials);
	event.process->namespaces = MAKE(Hinomi__Namespaces, namespaces);
	event.process->comm.len = strlen(comm);
	event.process->comm.data = arena_copy(&arena, comm, strlen(comm));
	event.process->login_uid = event.process->session_id = UINT32_MAX;
	return event;
}

static inline struct event make_fork(uint32_t creator, uint32_t child)
{
	struct event event = make_event(KIND_fork, creator, "parent");

	event.body->body_case = HINOMI__EVENT__BODY_FORK;
	event.body->fork = MAKE(Hinomi__Fork, fork);
	event.body->fork->child = make_key(child, child * 10ULL, event.process->key->exec_id);
	event.body->fork->child_parent = make_key(creator, creator * 10ULL, 1);
	event.body->fork->child_namespaces = MAKE(Hinomi__Namespaces, namespaces);
	return event;
}

static inline struct event make_exec(uint32_t pid, uint64_t exec_id, const char *path,
				     const char *arg)
{
	struct event event = make_event(KIND_exec, pid, strrchr(path, '/') + 1);
	Hinomi__Exec *exec = event.body->exec = MAKE(Hinomi__Exec, exec);

	event.body->body_case = HINOMI__EVENT__BODY_EXEC;
	event.process->key->exec_id = exec_id;
	exec->file = MAKE(Hinomi__File, file);
	exec->file->path.len = strlen(path);
	exec->file->path.data = arena_copy(&arena, path, strlen(path));
	exec->n_args = exec->args_count = 2;
	exec->args = arena_alloc(&arena, 2 * sizeof(*exec->args));
	exec->args[0] = exec->file->path;
	exec->args[1].len = strlen(arg);
	exec->args[1].data = arena_copy(&arena, arg, strlen(arg));
	return event;
}

static inline struct enrich *make_enrich(uint32_t processes_max)
{
	struct enrich_options options = {
		.processes_max = processes_max, .root = dir, .cgroup_root = dir};
	struct enrich *enrich;

	assert_int_equal(enrich_new(&options, &enrich), 0);
	return enrich;
}

static inline struct event run(struct enrich *enrich, struct event event)
{
	assert_int_equal(enrich_event(enrich, &event, &arena), 0);
	assert_non_null(event.process);
	assert_true(event.process_state > 0);
	return event;
}

static inline struct enrich_stats stats_of(struct enrich *enrich)
{
	struct enrich_stats stats;

	enrich_stats(enrich, &stats);
	return stats;
}

static inline void write_file(const char *name, const char *text)
{
	char path[128], temporary[140];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	file = fopen(temporary, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(temporary, path), 0);
}

static inline uint64_t make_dir(const char *parent, const char *name)
{
	char path[4352];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", parent, name);
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static inline int setup(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	if (!mkdtemp(dir))
		return -1;
	make_dir(dir, "etc");
	return 0;
}

static inline int teardown(void **state)
{
	char command[64];

	(void)state;
	arena_done(&arena);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}
