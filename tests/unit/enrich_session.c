/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: begun before our eyes, found at start, and forgotten with their last process. */
#include "enrich_world.h"

#include "enrich/origin.h"
#include "enrich/session.h"

static uint8_t address[] = {203, 0, 113, 7};

static Hinomi__Endpoint *make_peer(uint32_t port)
{
	Hinomi__Endpoint *peer = MAKE(Hinomi__Endpoint, endpoint);

	peer->ip = (ProtobufCBinaryData){.data = address, .len = sizeof(address)};
	peer->port = port;
	return peer;
}

static Hinomi__Process *told(struct enrich *enrich, struct event event)
{
	return run(enrich, event).process;
}

static struct event make_program(unsigned kind, uint32_t pid, const char *path)
{
	struct event event = make_event(kind, pid, "program");

	event.body->body_case = HINOMI__EVENT__BODY_EXEC;
	event.body->exec = MAKE(Hinomi__Exec, exec);
	event.body->exec->file = MAKE(Hinomi__File, file);
	event.body->exec->file->path.len = strlen(path);
	event.body->exec->file->path.data = arena_copy(&arena, path, strlen(path));
	return event;
}

static struct event make_login(uint32_t pid, uint32_t uid, uint32_t session)
{
	struct event event = make_event(KIND_login, pid, "program");

	event.body->body_case = HINOMI__EVENT__BODY_LOGIN;
	event.body->login = MAKE(Hinomi__Login, login);
	event.body->login->uid = event.process->login_uid = uid;
	event.body->login->peer = make_peer(50022);
	event.body->time_ns = 7777;
	event.process->session_id = session;
	return event;
}

static struct event in_session(struct event event, uint32_t uid, uint32_t session)
{
	event.process->login_uid = uid;
	event.process->session_id = session;
	return event;
}

static void begun(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(64);
	Hinomi__Process *process;
	struct event login = make_login(10, 1000, 3);

	(void)state;
	run(enrich, make_program(KIND_exec, 10, "/usr/sbin/sshd"));
	process = told(enrich, login);
	assert_true(login.body->login->old_known);
	assert_int_equal(login.body->login->old_uid, UINT32_MAX);
	assert_int_equal(process->session->kind, HINOMI__SESSION__KIND__KIND_SSH);
	assert_int_equal(process->session->peer->port, 50022);
	assert_int_equal(process->session->start_ns, 7777);
	assert_int_equal(process->session->leader->pid, 10);
	assert_bytes(process->session->program, "/usr/sbin/sshd");
	/* it stays with descendants, when the leader has long gone */
	run(enrich, in_session(make_fork(10, 11), 1000, 3));
	run(enrich, in_session(make_event(KIND_exit, 10, "sshd"), 1000, 3));
	arena_reset(&arena);
	process = told(enrich, in_session(make_event(KIND_file_open, 11, "su"), 1000, 3));
	assert_int_equal(process->session->peer->port, 50022);
	/* an exec of another image does not change what began it */
	process = told(enrich, in_session(make_program(KIND_exec, 11, "/bin/sh"), 1000, 3));
	assert_bytes(process->session->program, "/usr/sbin/sshd");
}

/* Processes of a session may be told before the login itself: what is said of them changes then. */
static void begun_late(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(64);
	struct event event = in_session(make_event(KIND_file_open, 11, "sh"), 1000, 3);
	uint64_t before;

	(void)state;
	assert_int_equal(enrich_event(enrich, &event, &arena), 0);
	before = event.process_state;
	assert_int_equal(event.process->session->kind, HINOMI__SESSION__KIND__KIND_UNKNOWN);
	assert_null(event.process->session->peer);
	run(enrich, make_program(KIND_exec, 10, "/usr/sbin/cron"));
	run(enrich, make_login(10, 1000, 3));
	event = in_session(make_event(KIND_file_open, 11, "sh"), 1000, 3);
	assert_int_equal(enrich_event(enrich, &event, &arena), 0);
	assert_int_not_equal(event.process_state, before);
	assert_int_equal(event.process->session->kind, HINOMI__SESSION__KIND__KIND_CRON);
}

/* A name alone makes no session: whoever is not root may call his program sshd. */
static void claimed(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(64);
	struct event exec = make_program(KIND_exec, 10, "/tmp/sshd"), login = make_login(10, 0, 4);
	Hinomi__Process *process;

	(void)state;
	exec.process->credentials->euid = login.process->credentials->euid = 33;
	run(enrich, exec);
	process = told(enrich, login);
	assert_int_equal(process->session->kind, HINOMI__SESSION__KIND__KIND_OTHER);
	assert_int_equal(process->session->set_by, 33);
}

static void seed(struct enrich *enrich, uint32_t pid, const char *path, uint32_t port)
{
	struct event task = in_session(make_program(KIND_task, pid, path), 1000, 5);

	if (port) {
		task.process->session = MAKE(Hinomi__Session, session);
		task.process->session->peer = make_peer(port);
	}
	assert_int_equal(enrich_seed(enrich, &task), 0);
}

static void found(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(64);
	const Hinomi__Session *session;

	(void)state;
	seed(enrich, 22, "/usr/bin/curl", 443); /* its own connection, not that of the login */
	seed(enrich, 23, "/usr/lib/openssh/sshd-session", 2222);
	seed(enrich, 21, "/usr/lib/openssh/sshd-session",
	     50022); /* older: the one that logged in */
	seed(enrich, 20, "/bin/bash", 0);
	session = told(enrich, in_session(make_event(KIND_file_open, 20, "sh"), 1000, 5))->session;
	assert_true(session->preexisting);
	assert_int_equal(session->kind, HINOMI__SESSION__KIND__KIND_SSH);
	assert_int_equal(session->peer->port, 50022);
	assert_int_equal(session->start_ns, 0);
	assert_int_equal(session->leader->pid, 21);
}

static void found_without_leader(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_enrich(64);
	const Hinomi__Session *session;

	(void)state;
	seed(enrich, 22, "/usr/bin/curl", 443);
	session = told(enrich, in_session(make_event(KIND_file_open, 22, "sh"), 1000, 5))->session;
	assert_true(session->preexisting);
	assert_int_equal(session->kind, HINOMI__SESSION__KIND__KIND_UNKNOWN);
	assert_null(session->peer);
	assert_null(session->leader);
}

static void forgotten_with_the_last(void **state)
{
	struct sessions *sessions;
	struct session *a, *b;

	(void)state;
	assert_int_equal(sessions_new(&sessions), 0);
	assert_null(sessions_get(sessions, SESSION_UNSET));
	a = sessions_get(sessions, 1);
	b = sessions_get(sessions, 1025); /* the same bucket */
	assert_ptr_equal(sessions_get(sessions, 1), a);
	assert_ptr_not_equal(a, b);
	session_unref(a);
	session_unref(a);
	assert_ptr_equal(sessions_get(sessions, 1025), b);
	session_unref(b);
	session_unref(b);
	sessions_free(sessions);
}

static Hinomi__File *make_file(uint64_t inode)
{
	Hinomi__File *file = MAKE(Hinomi__File, file);

	file->inode = inode;
	file->generation = 1;
	file->device_minor = 7;
	file->mode = S_IFREG | 0755;
	return file;
}

static void writers_leave_in_order(void **state)
{
	struct origin origin = {.pid = 1};
	struct origins *origins;

	(void)state;
	assert_int_equal(origins_new(100, &origins), 0);
	for (uint32_t i = 1; i <= 1000; i++) {
		arena_reset(&arena);
		origin.pid = i;
		origins_note(origins, make_file(i), &origin);
		origins_note(origins, make_file(1), &origin); /* written again and again */
	}
	assert_int_equal(origins_stats(origins).files, 100);
	assert_int_equal(origins_stats(origins).evicted, 900);
	assert_int_equal(origins_find(origins, make_file(1))->pid, 1000);
	assert_int_equal(origins_find(origins, make_file(902))->pid, 902);
	assert_null(origins_find(origins, make_file(901)));
	origins_forget(origins, make_file(950));
	assert_null(origins_find(origins, make_file(950)));
	origins_note(origins, make_file(2000), &origin);
	assert_int_equal(origins_stats(origins).evicted, 900);
	make_file(0);
	assert_false(origins_wants(make_file(0)));
	assert_false(origins_wants(NULL));
	origins_free(origins);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(begun),
		cmocka_unit_test(begun_late),
		cmocka_unit_test(claimed),
		cmocka_unit_test(found),
		cmocka_unit_test(found_without_leader),
		cmocka_unit_test(forgotten_with_the_last),
		cmocka_unit_test(writers_leave_in_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
