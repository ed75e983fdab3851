/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "enrich_world.h"

static void creator_and_image_are_inherited(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event event;
	Hinomi__Process *process;

	(void)state;
	run(enrich, make_exec(10, 5, "/bin/bash", "-l"));
	event = make_fork(10, 11);
	event.process->key->exec_id = event.body->fork->child->exec_id = 5;
	run(enrich, event);
	event = make_event(KIND_file_open, 11, "bash");
	event.process->key->exec_id = 5;
	event.process->parent = make_key(1, 1, 1); /* by now it belongs to init */
	process = run(enrich, event).process;
	assert_int_equal(process->creator->pid, 10);
	assert_int_equal(process->creator->start_ns, 100);
	assert_int_equal(process->creator->exec_id, 5);
	assert_bytes(process->executable, "/bin/bash");
	assert_int_equal(process->n_args, 2);
	assert_bytes(process->args[1], "-l");
	assert_false(process->args_truncated);
	assert_false(process->preexisting);
	assert_int_equal(process->n_ancestors, 0);
}

static void exec_replaces_the_image(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	Hinomi__Process *process;
	struct event event;

	(void)state;
	run(enrich, make_exec(10, 5, "/bin/sh", "a"));
	process = run(enrich, make_exec(10, 6, "/bin/ls", "b")).process;
	assert_bytes(process->executable, "/bin/ls");
	assert_bytes(process->args[1], "b");
	/* an event from before the exec that comes late */
	event = make_event(KIND_file_open, 10, "sh");
	event.process->key->exec_id = 5;
	assert_bytes(run(enrich, event).process->executable, "/bin/sh");
	/* an exec was lost: nobody knows what it runs */
	event = make_event(KIND_file_open, 10, "x");
	event.process->key->exec_id = 9;
	process = run(enrich, event).process;
	assert_int_equal(process->executable.len, 0);
	assert_int_equal(process->n_args, 0);
}

static void exec_before_its_fork(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	Hinomi__Process *process;

	(void)state;
	run(enrich, make_exec(10, 1, "/bin/sh", "a"));
	assert_null(run(enrich, make_exec(11, 2, "/bin/ls", "b")).process->creator);
	run(enrich, make_fork(10, 11));
	process = run(enrich, make_exec(11, 3, "/bin/cat", "c")).process;
	assert_int_equal(process->creator->pid, 10);
	assert_bytes(process->executable, "/bin/cat");
}

static void arguments_are_cut(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	char arg[1000];
	Hinomi__Process *process;
	struct event event;

	(void)state;
	memset(arg, 'x', sizeof(arg));
	arg[sizeof(arg) - 1] = 0;
	process = run(enrich, make_exec(10, 1, "/bin/sh", arg)).process;
	assert_true(process->args_truncated);
	assert_int_equal(process->n_args, 2);
	assert_int_equal(process->args[0].len + 1 + process->args[1].len + 1, 512);
	/* an endless list of nothing */
	event = make_exec(10, 2, "/bin/sh", "");
	event.body->exec->n_args = event.body->exec->args_count = 4000;
	event.body->exec->args = arena_alloc(&arena, 4000 * sizeof(ProtobufCBinaryData));
	process = run(enrich, event).process;
	assert_true(process->args_truncated);
	assert_int_equal(process->n_args, 512);
	assert_int_equal(process->args[511].len, 0);
	/* exactly full */
	arg[512 - 8 - 1] = 0;
	process = run(enrich, make_exec(10, 3, "/bin/sh", arg)).process;
	assert_false(process->args_truncated);
	assert_int_equal(process->args[1].len, 503);
	/* the record itself had not all of them */
	event = make_exec(10, 4, "/bin/sh", "a");
	event.body->exec->args_count = 3;
	assert_true(run(enrich, event).process->args_truncated);
}

static void ancestors_follow_the_parents(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	char comm[16];
	Hinomi__Process *process;
	struct event event;

	(void)state;
	for (uint32_t pid = 20; pid > 1; pid--) { /* children before parents */
		snprintf(comm, sizeof(comm), "p%u", pid);
		event = make_event(KIND_task, pid, comm);
		assert_int_equal(enrich_seed(enrich, &event), 0);
	}
	process = run(enrich, make_event(KIND_file_open, 20, "p20")).process;
	assert_true(process->preexisting);
	assert_null(process->creator);
	assert_int_equal(process->n_ancestors, 8);
	assert_bytes(process->ancestors[0], "p19");
	assert_bytes(process->ancestors[7], "p12");
	/* a thread of the parent is not the parent's name, its leader is */
	event = make_event(KIND_file_open, 19, "worker");
	event.body->tid = 1000;
	assert_bytes(run(enrich, event).process->comm, "worker");
	assert_bytes(run(enrich, make_event(KIND_file_open, 20, "p20")).process->ancestors[0],
		     "p19");
	run(enrich, make_event(KIND_file_open, 19, "renamed"));
	process = run(enrich, make_event(KIND_file_open, 20, "p20")).process;
	assert_bytes(process->ancestors[0], "renamed");
	process = run(enrich, make_event(KIND_file_open, 3, "p3")).process;
	assert_int_equal(process->n_ancestors, 1); /* nothing is known of pid 1 */
}

static void ancestors_in_a_circle(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event event = make_event(KIND_task, 7, "self");

	(void)state;
	event.process->parent = event.process->key;
	assert_int_equal(enrich_seed(enrich, &event), 0);
	event = make_event(KIND_file_open, 7, "self");
	event.process->parent = event.process->key;
	assert_int_equal(run(enrich, event).process->n_ancestors, 8);
	run(enrich, make_fork(7, 7));
}

static void seeded_process_that_was_forked_after_all(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event event = make_exec(11, 4, "/bin/cat", "x");
	Hinomi__Process *process;

	(void)state;
	event.kind = KIND_task;
	assert_int_equal(enrich_seed(enrich, &event), 0);
	run(enrich, make_fork(10, 11));
	event = make_event(KIND_file_open, 11, "cat");
	event.process->key->exec_id = 4;
	process = run(enrich, event).process;
	assert_false(process->preexisting);
	assert_int_equal(process->creator->pid, 10);
	assert_bytes(process->executable, "/bin/cat");
	event.process = NULL;
	assert_int_equal(enrich_seed(enrich, &event), -EINVAL);
}

static uint64_t started_ns(uint32_t pid)
{
	char stat[1024] = "", *at;
	FILE *file;

	snprintf(stat, sizeof(stat), "/proc/%u/stat", pid);
	file = fopen(stat, "r");
	assert_non_null(file);
	assert_non_null(fgets(stat, sizeof(stat), file));
	fclose(file);
	at = strrchr(stat, ')');
	for (int i = 2; i < 22; i++)
		at = strchr(at + 1, ' ');
	return strtoull(at, NULL, 10) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static struct event make_found(uint32_t pid, uint64_t exec_id, uint64_t start_ns)
{
	struct event event = make_exec(pid, exec_id, "/bin/sleep", "");

	event.kind = KIND_task;
	event.body->exec->n_args = event.body->exec->args_count = 0;
	event.process->key->start_ns = start_ns;
	return event;
}

static void older_process_shows_its_arguments(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	pid_t child = fork();
	uint32_t pid = (uint32_t)child;
	uint64_t start_ns;
	struct event event;
	Hinomi__Process *process;

	(void)state;
	if (!child) {
		execl("/bin/sleep", "sleep", "00000060", NULL);
		_exit(1);
	}
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	start_ns = started_ns(pid);
	event = make_found(pid, 4, start_ns);
	assert_int_equal(enrich_seed(enrich, &event), 0);
	/* the number is the same, the process is not */
	event = make_found(pid, 5, start_ns + 5000000000u);
	assert_int_equal(enrich_seed(enrich, &event), 0);
	enrich_seeded(enrich);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	event = make_event(KIND_file_open, pid, "sleep");
	event.process->key->start_ns = start_ns;
	event.process->key->exec_id = 4;
	process = run(enrich, event).process;
	assert_int_equal(process->n_args, 2);
	assert_bytes(process->args[1], "00000060");
	event = make_event(KIND_file_open, pid, "sleep");
	event.process->key->start_ns = start_ns + 5000000000u;
	event.process->key->exec_id = 5;
	assert_int_equal(run(enrich, event).process->n_args, 0);
}

static void same_state_same_number(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event a, b;
	uint64_t number;

	(void)state;
	arena_reset(&arena);
	run(enrich, make_exec(10, 1, "/bin/sh", "a"));
	a = run(enrich, make_event(KIND_file_open, 10, "sh"));
	b = run(enrich, make_event(KIND_file_open, 10, "sh"));
	assert_ptr_equal(a.process, b.process);
	number = a.process_state;
	assert_int_equal(b.process_state, number);
	arena_reset(&arena);
	b = run(enrich, make_event(KIND_file_open, 10, "sh"));
	assert_int_equal(b.process_state, number);
	assert_bytes(b.process->executable, "/bin/sh");
	a = make_event(KIND_file_open, 10, "sh");
	a.process->credentials->euid = 5;
	a = run(enrich, a);
	assert_true(a.process_state > number);
	assert_ptr_not_equal(a.process, b.process);
	assert_int_equal(b.process->credentials->euid, 0);
}

static void second_exit(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event event = make_event(KIND_exit, 10, "sh");

	(void)state;
	run(enrich, event);
	event = make_event(KIND_exit, 10, "sh");
	assert_int_equal(enrich_event(enrich, &event, &arena), -EALREADY);
	event = make_event(KIND_exit, 10, "sh"); /* another process of that pid */
	event.process->key->start_ns++;
	run(enrich, event);
	run(enrich, make_event(KIND_file_open, 10, "sh")); /* late events are still told */
}

static void the_dead_leave_first(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);

	(void)state;
	for (uint32_t pid = 1; pid <= 50; pid++)
		run(enrich, make_exec(pid, 1, "/bin/keep", "x"));
	for (uint32_t pid = 1000; pid < 41000; pid++) {
		arena_reset(&arena);
		run(enrich, make_event(KIND_file_open, pid, "short"));
		run(enrich, make_event(KIND_exit, pid, "short"));
	}
	assert_int_equal(stats_of(enrich).processes_evicted, 0);
	assert_true(stats_of(enrich).processes <= 100);
	for (uint32_t pid = 1; pid <= 50; pid++) {
		Hinomi__Process *process = run(enrich, make_event(KIND_exit, pid, "keep")).process;

		assert_bytes(process->executable, "/bin/keep");
	}
}

static void reused_pid_means_that_an_exit_was_missed(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(1000);
	struct event event;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		arena_reset(&arena);
		event = make_event(KIND_file_open, 10, "sh");
		event.process->key->start_ns = 100 + i;
		run(enrich, event);
	}
	assert_int_equal(stats_of(enrich).processes_evicted, 0);
	assert_true(stats_of(enrich).processes <= 16);
}

static void old_credentials_come_from_the_tree(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event event;

	(void)state;
	for (int i = 0; i < 3; i++) {
		event = make_event(KIND_cred_change, 10, "su");
		event.body->body_case = HINOMI__EVENT__BODY_CRED_CHANGE;
		event.body->cred_change = MAKE(Hinomi__CredChange, cred_change);
		event.process->credentials->euid = i ? 77 : 5;
		event = run(enrich, event);
		/* unknown at first; known; again unknown, as another thread may have been meant */
		assert_int_equal(event.body->cred_change->old_known, i == 1);
		if (i == 1)
			assert_int_equal(event.body->cred_change->old->euid, 5);
		assert_int_equal(event.process->credentials->euid, i ? 77 : 5);
	}
}

static void names_of_users_and_groups(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = NULL;
	struct event event = make_event(KIND_file_open, 10, "x");

	(void)state;
	write_file("etc/passwd", "alice:x:1000:1000::/:\nbob:x:1001:1001::/:\n");
	write_file("etc/group", "wheel:x:10:\n");
	enrich = make_enrich(100);
	event.process->credentials->euid = 1001;
	event.process->credentials->egid = 10;
	event.process->login_uid = 1000;
	event = run(enrich, event);
	assert_bytes(event.process->credentials->user, "bob");
	assert_bytes(event.process->credentials->group, "wheel");
	assert_bytes(event.process->login_user, "alice");
}

static void memory_runs_out(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(100);
	struct event event = make_exec(10, 1, "/bin/sh", "x");
	struct arena none;

	(void)state;
	arena_init(&none, 100);
	assert_int_equal(enrich_event(enrich, &event, &none), -ENOMEM);
	assert_non_null(event.process);
	assert_int_equal(event.process->n_ancestors, 0);
	arena_done(&none);
	event = make_event(KIND_file_open, 10, "sh");
	assert_bytes(run(enrich, event).process->executable, "/bin/sh");
	event = (struct event){.body = MAKE(Hinomi__Event, event), .kind = KIND_heartbeat};
	assert_int_equal(enrich_event(enrich, &event, &arena), 0);
	assert_int_equal(enrich_take_hash(enrich, &arena, &event), 0);
	assert_int_equal(enrich_hash_fd(enrich), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creator_and_image_are_inherited),
		cmocka_unit_test(exec_replaces_the_image),
		cmocka_unit_test(exec_before_its_fork),
		cmocka_unit_test(arguments_are_cut),
		cmocka_unit_test(ancestors_follow_the_parents),
		cmocka_unit_test(ancestors_in_a_circle),
		cmocka_unit_test(seeded_process_that_was_forked_after_all),
		cmocka_unit_test(older_process_shows_its_arguments),
		cmocka_unit_test(same_state_same_number),
		cmocka_unit_test(second_exit),
		cmocka_unit_test(the_dead_leave_first),
		cmocka_unit_test(reused_pid_means_that_an_exit_was_missed),
		cmocka_unit_test(old_credentials_come_from_the_tree),
		cmocka_unit_test(names_of_users_and_groups),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
