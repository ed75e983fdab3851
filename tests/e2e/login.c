// SPDX-License-Identifier: Apache-2.0
/* Login uids: set, refused, taken away; and the session that its processes belong to from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <hinomi/kinds.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

#define UID   4711
#define UNSET UINT32_MAX
#define LOW   3	      /* descriptor, as servers have few */
#define LATER "later" /* file that the orphan of the session makes */

static int loginuid_write(uint32_t uid)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	char text[16];
	int size = snprintf(text, sizeof(text), "+%012u", uid), err = 0; /* as odd as allowed */

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)size) != size)
		err = -errno;
	close(fd);
	return err;
}

static uint64_t number_of(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t n = 0;

	if (!file || fscanf(file, "%" SCNu64, &n) != 1)
		n = UNSET;
	if (file)
		fclose(file);
	return n;
}

/* Far from who logged in: another user, another session of terminals, an orphan. */
static void wander(void)
{
	int fd;

	if (fork())
		return;
	setsid();
	if (fork())
		_exit(0);
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	fd = open(LATER, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	_exit(fd < 0);
}

int login_child(void)
{
	int err = loginuid_write(UID);

	if (err)
		return -err;
	wander();
	wait(NULL);
	return 0;
}

static void prepare_sshd(struct facts *facts)
{
	program_copy(facts, 0, "sshd", 0755);
	must(chmod(".", 0777));
}

/* A server as sshd is: it accepts, and a child that has the connection executes and logs in. */
static void act_ssh(struct facts *facts)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int client = must(socket(AF_INET, SOCK_STREAM, 0)), fd;

	must(bind(listener, (void *)&at, len));
	must(listen(listener, 1));
	must(getsockname(listener, (void *)&at, &len));
	must(connect(client, (void *)&at, len));
	fd = must(accept(listener, NULL, NULL));
	facts->address_len[0] = sizeof(facts->address[0]);
	must(getsockname(client, (void *)&facts->address[0], &facts->address_len[0]));
	facts->number[0] = number_of("/proc/self/loginuid");
	facts->number[1] = number_of("/proc/self/sessionid");
	must(dup2(client, STDIN_FILENO)); /* lower than the one that counts */
	must(dup2(fd, LOW));
	child_env[0] = CHILD_ENV "=login";
	act_exec(facts, facts->path[0], (const char *const[]){"sshd: somebody", NULL});
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(fd);
	close(client);
}

static void want_session(struct check *check, const Hinomi__Session *session, const char *program,
			 Hinomi__Session__Kind kind, uint32_t id)
{
	want_true(check, "process.session", session);
	if (!session)
		return;
	want_number(check, "session.kind", kind, session->kind);
	want_number(check, "session.id", id, session->id);
	want_text(check, "session.program", program, &session->program);
	want_true(check, "session.start_ns",
		  session->start_ns >= check->facts->begin_ns &&
			  session->start_ns <= check->facts->end_ns);
	want_true(check, "session.preexisting", !session->preexisting);
}

static void want_peer(struct check *check, const Hinomi__Endpoint *peer)
{
	const struct sockaddr_in *at = (void *)&check->facts->address[0];

	want_true(check, "peer", peer);
	if (!peer)
		return;
	want_bytes(check, "peer.ip", &at->sin_addr, 4, &peer->ip);
	want_number(check, "peer.port", ntohs(at->sin_port), peer->port);
}

static void check_ssh(struct check *check)
{
	struct facts *facts = check->facts;
	const struct seen *login = take(check, KIND_login), *made = take(check, KIND_file_create);
	const struct seen *exec = take(check, KIND_exec);

	if (!login || !made || !exec)
		return;
	want_result(check, 0, login);
	want_number(check, "login.uid", UID, login->event->login->uid);
	want_number(check, "login.old_known", 1, login->event->login->old_known);
	want_number(check, "login.old_uid", facts->number[0], login->event->login->old_uid);
	want_number(check, "login.old_session_id", facts->number[1],
		    login->event->login->old_session_id);
	want_peer(check, login->event->login->peer);
	want_number(check, "exec login_uid", facts->number[0], exec->process->login_uid);
	want_number(check, "login_uid later", UID, made->process->login_uid);
	want_number(check, "uid later", NOBODY, made->process->credentials->euid);
	for (int i = 0; i < 2; i++) {
		const Hinomi__Process *process = i ? made->process : login->process;

		want_session(check, process->session, facts->path[0],
			     HINOMI__SESSION__KIND__KIND_SSH, login->process->session_id);
		if (!process->session)
			return;
		want_peer(check, process->session->peer);
		want_key(check, "session.leader", login->process->key, process->session->leader);
	}
}

/* Whoever has no login uid may take any, once. */
static void act_claimed(struct facts *facts)
{
	if (number_of("/proc/self/loginuid") != UNSET)
		act_skip(facts, "who runs this has logged in");
	must(prctl(PR_SET_DUMPABLE, 1)); /* its files in /proc are its own again */
	facts->error[0] = -loginuid_write(UID);
	facts->error[1] = -loginuid_write(UID + 1);
	if (facts->error[0])
		act_skip(facts, "loginuid: %s", strerror(facts->error[0]));
}

static void check_claimed(struct check *check)
{
	const struct seen *first = take(check, KIND_login), *second = take(check, KIND_login);

	if (!first || !second)
		return;
	want_result(check, 0, first);
	want_result(check, check->facts->error[1], second);
	want_number(check, "login.uid", UID, first->event->login->uid);
	want_number(check, "login.uid refused", UID + 1, second->event->login->uid);
	want_number(check, "login_uid after refusal", UID, second->process->login_uid);
	want_true(check, "login.peer", !first->event->login->peer);
	if (!first->process->session)
		check_fail(check, "process.session is not set");
	else
		want_number(check, "session.set_by", NOBODY, first->process->session->set_by);
	if (second->process->session)
		want_number(check, "session.kind", HINOMI__SESSION__KIND__KIND_OTHER,
			    second->process->session->kind);
}

static void act_unset(struct facts *facts)
{
	if (loginuid_write(UID) || loginuid_write(UNSET))
		act_skip(facts, "this machine's login uids cannot be changed");
	close(must(open(LATER, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static void check_unset(struct check *check)
{
	const struct seen *set = take(check, KIND_login), *unset = take(check, KIND_login);
	const struct seen *made = take(check, KIND_file_create);

	if (!set || !unset || !made)
		return;
	want_number(check, "login.uid", UNSET, unset->event->login->uid);
	want_number(check, "login.old_uid", UID, unset->event->login->old_uid);
	want_number(check, "session_id", UNSET, unset->process->session_id);
	want_true(check, "process.session", !unset->process->session && !made->process->session);
}

/* ---- what else is seen of all this */

static void take_rest(struct check *check)
{
	static const unsigned kinds[] = {KIND_fork, KIND_exit,	 KIND_file_open, KIND_cred_change,
					 KIND_bind, KIND_listen, KIND_connect,	 KIND_accept};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		while (there_is(check, kinds[i]))
			take(check, kinds[i]);
	take_ends(check);
}

#define CHECK(name)                                         \
	static void check_##name##_all(struct check *check) \
	{                                                   \
		check_##name(check);                        \
		take_rest(check);                           \
	}
CHECK(ssh)
CHECK(claimed)
CHECK(unset)

const struct test login_tests[] = {
	{"login/ssh", .prepare = prepare_sshd, .act = act_ssh, .check = check_ssh_all},
	{"login/claimed", .act = act_claimed, .check = check_claimed_all, .nobody = true},
	{"login/unset", .act = act_unset, .check = check_unset_all},
	{},
};
