// SPDX-License-Identifier: Apache-2.0
/* Where a file that is executed came from: who wrote it, from which session and which peer. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

#define ELSEWHERE 0xcb007107 /* 203.0.113.7 */
#define UID	  4712

/* A network of its own, in which an address that is not of 127.0.0.0/8 leads back to here. */
static void network_make(struct facts *facts)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct sockaddr_in *at = (void *)&request.ifr_addr;
	int fd;

	if (unshare(CLONE_NEWNET))
		act_skip(facts, "unshare: %s", strerror(errno));
	fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	must(ioctl(fd, SIOCSIFFLAGS, &request));
	memset(&request.ifr_addr, 0, sizeof(request.ifr_addr));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(ELSEWHERE);
	must(ioctl(fd, SIOCSIFADDR, &request));
	close(fd);
}

static void download(struct facts *facts)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ELSEWHERE)};
	socklen_t len = sizeof(at);
	int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int client = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must(bind(listener, (void *)&at, len));
	must(listen(listener, 1));
	must(getsockname(listener, (void *)&facts->address[0], &(socklen_t){sizeof(at)}));
	must(connect(client, (void *)&facts->address[0], len));
	close(client);
	close(listener);
}

/* Logs in, gets something from elsewhere, and writes a program. */
static int writes(struct facts *facts)
{
	int from, to, fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	if (dprintf(fd, "%d", UID) < 0)
		return 1;
	close(fd);
	download(facts);
	from = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	to = must(open("download", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
	while (must(sendfile(to, from, NULL, 1 << 24)) > 0)
		;
	return 0;
}

static void act_downloaded(struct facts *facts)
{
	network_make(facts);
	facts->pid[1] = act_fork(facts, writes);
	if (act_reap(facts, facts->pid[1]))
		act_skip(facts, "no login uid can be set here");
	must(rename("download", "renamed"));
	must(link("renamed", "program"));
	child_env[0] = CHILD_ENV "=1";
	act_exec(facts, "./program", (const char *const[]){"program", NULL});
}

static void take_all(struct check *check, const unsigned *kinds)
{
	for (; *kinds; kinds++)
		while (there_is(check, *kinds))
			take(check, *kinds);
	take_ends(check);
}

static void check_downloaded(struct check *check)
{
	static const unsigned rest[] = {KIND_fork,	 KIND_exit,
					KIND_file_open,	 KIND_file_rename,
					KIND_file_link,	 KIND_listen,
					KIND_bind,	 KIND_connect,
					KIND_login,	 KIND_namespace,
					KIND_net_change, KIND_mount,
					KIND_accept,	 0};
	const struct sockaddr_in *at = (void *)&check->facts->address[0];
	const struct seen *made = take(check, KIND_file_create), *exec = take(check, KIND_exec);
	const Hinomi__Origin *origin = exec ? exec->event->exec->file->origin : NULL;

	take_all(check, rest);
	want_true(check, "exec.file.origin", origin);
	if (!made || !origin)
		return;
	want_key(check, "origin.writer", made->process->key, origin->writer);
	want_number(check, "origin.time_ns", made->event->time_ns, origin->time_ns);
	want_true(check, "origin.created", origin->created);
	want_number(check, "origin.login_uid", UID, origin->login_uid);
	want_true(check, "origin.session", origin->session);
	if (origin->session)
		want_number(check, "origin.session.id", made->process->session_id,
			    origin->session->id);
	want_true(check, "origin.peer", origin->peer);
	if (!origin->peer)
		return;
	want_bytes(check, "origin.peer.ip", &at->sin_addr, 4, &origin->peer->ip);
	want_number(check, "origin.peer.port", ntohs(at->sin_port), origin->peer->port);
}

/* program > file, by another user than who made it, and another who runs it. */
static int redirects(struct facts *facts)
{
	int from = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), to;

	must(setresuid(-1, NOBODY, -1));
	to = must(open(facts->path[1], O_WRONLY | O_TRUNC | O_CLOEXEC));
	while (must(sendfile(to, from, NULL, 1 << 24)) > 0)
		;
	close(to);
	must(setresuid(-1, 0, -1));
	execve(facts->path[0], (char *[]){"writer", NULL}, child_env);
	return 1;
}

static void prepare_redirected(struct facts *facts)
{
	program_copy(facts, 0, "writer", 0755);
	file_make(facts, 1, "written", "", 0777);
	must(chmod(facts->path[1], 0777));
}

static void act_redirected(struct facts *facts)
{
	child_env[0] = CHILD_ENV "=1";
	facts->pid[1] = act_fork(facts, redirects);
	if (act_reap(facts, facts->pid[1]))
		act_fail(facts, "the writer did not end well");
	act_exec(facts, facts->path[1], (const char *const[]){"written", NULL});
}

static void check_redirected(struct check *check)
{
	static const unsigned rest[] = {KIND_fork, KIND_exit, KIND_cred_change, KIND_file_open, 0};
	const struct seen *writer = take_of(check, KIND_exec, check->facts->pid[1]);
	const struct seen *exec = take_of(check, KIND_exec, check->facts->pid[0]);
	const Hinomi__Origin *origin = exec ? exec->event->exec->file->origin : NULL;

	take_all(check, rest);
	want_true(check, "exec.file.origin", origin);
	if (writer)
		want_true(check, "origin of what is older", !writer->event->exec->file->origin);
	if (!origin)
		return;
	want_number(check, "origin.writer.pid", (uint64_t)check->facts->pid[1],
		    origin->writer->pid);
	want_number(check, "origin.uid", NOBODY, origin->uid);
	want_text(check, "origin.executable", check->facts->path[0], &origin->executable);
	want_true(check, "origin.created", !origin->created);
}

const struct test origin_tests[] = {
	{"origin/downloaded", .act = act_downloaded, .check = check_downloaded},
	{"origin/redirected", prepare_redirected, act_redirected, check_redirected},
	{},
};
