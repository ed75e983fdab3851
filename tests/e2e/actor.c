// SPDX-License-Identifier: Apache-2.0
/* Runs the first half of a test: a child in the cgroup that acts, watched from outside of it. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "e2e.h"

#define FAILED	99
#define SKIPPED 98

char *child_env[] = {CHILD_ENV "=1", NULL};

void act_fail(struct facts *facts, const char *what)
{
	snprintf(facts->failed, sizeof(facts->failed), "%s: %s", what, strerror(errno));
	_exit(FAILED);
}

void act_skip(struct facts *facts, const char *why, ...)
{
	va_list arguments;

	va_start(arguments, why);
	vsnprintf(facts->skipped, sizeof(facts->skipped), why, arguments);
	va_end(arguments);
	_exit(SKIPPED);
}

const char *act_path(struct facts *facts, int n, const char *name)
{
	snprintf(facts->path[n], sizeof(facts->path[n]), "%s/%s", facts->dir, name);
	return facts->path[n];
}

pid_t act_fork(struct facts *facts, int (*fn)(struct facts *))
{
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(fn(facts));
	return pid;
}

void act_exec(struct facts *facts, const char *path, const char *const *argv)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		execve(path, (char **)argv, child_env);
		act_fail(facts, path);
	}
	facts->pid[0] = pid;
	if (act_reap(facts, pid) && !facts->failed[0])
		act_fail(facts, "the program did not end well");
}

int act_reap(struct facts *facts, pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0));
	return status;
}

int act_tried(struct facts *facts, int n, long result)
{
	facts->error[n] = result == -1 ? errno : 0;
	return facts->error[n];
}

void file_make(struct facts *facts, int n, const char *name, const char *content, mode_t mode)
{
	CLEANUP(close_fd)
	int fd = open(act_path(facts, n, name), O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	must(fd);
	must(write(fd, content, strlen(content)));
	must(fchmod(fd, mode));
	must(fstat(fd, &facts->stat[n]));
}

void program_copy(struct facts *facts, int n, const char *name, mode_t mode)
{
	CLEANUP(close_fd) int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd) int to = -1;

	must(from);
	file_make(facts, n, name, "", mode);
	to = must(open(facts->path[n], O_WRONLY | O_CLOEXEC));
	while (must(sendfile(to, from, NULL, 1 << 24)) > 0)
		;
	must(fstat(to, &facts->stat[n]));
}

static void become_nobody(struct facts *facts)
{
	must(setgroups(0, NULL));
	must(setresgid(NOBODY, NOBODY, NOBODY));
	must(setresuid(NOBODY, NOBODY, NOBODY));
}

static void act(const struct test *test, struct facts *facts, int start)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	umask(022);
	close(facts->start);
	must(chdir(facts->dir));
	if (test->hold)
		test->hold(facts);
	if (test->nobody)
		become_nobody(facts);
	__atomic_store_n(&facts->ready, true, __ATOMIC_RELEASE);
	if (read(start, &byte, 1) != 1)
		_exit(FAILED);
	close(start);
	test->act(facts);
	_exit(0);
}

/* prepare runs in a child too, so that whatever it does to itself goes with it. */
static void prepare(const struct test *test, struct facts *facts)
{
	pid_t pid;
	int status;

	if (!test->prepare)
		return;
	pid = fork();
	if (pid == 0) {
		umask(022);
		if (chdir(facts->dir))
			act_fail(facts, facts->dir);
		test->prepare(facts);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static void cgroup_name(const struct test *test, const struct facts *facts, char name[PATH_MAX])
{
	snprintf(name, PATH_MAX, "%s%s%s", facts->cgroup, test->cgroup ? "/" : "",
		 test->cgroup ? test->cgroup : "");
}

/* The actor is there, in its cgroup, and waits. */
void test_begin(const struct test *test, struct facts *facts, const char *root)
{
	char cgroup[PATH_MAX], *slash;
	int start[2];
	pid_t pid;

	snprintf(facts->dir, sizeof(facts->dir), "%s/%s", root, test->name);
	slash = strrchr(facts->dir, '/');
	*slash = '-';
	if (mkdir(facts->dir, 0755))
		act_fail(facts, facts->dir);
	prepare(test, facts);
	if (facts->failed[0] || facts->skipped[0])
		return;
	if (pipe2(start, O_CLOEXEC))
		act_fail(facts, "pipe");
	facts->start = start[1];
	cgroup_name(test, facts, cgroup);
	cgroup_make(cgroup);
	pid = fork();
	if (pid == 0)
		act(test, facts, start[0]);
	close(start[0]);
	facts->actor = pid;
	while (!__atomic_load_n(&facts->ready, __ATOMIC_ACQUIRE) && !facts->skipped[0] &&
	       !facts->failed[0] && !kill(pid, 0))
		usleep(200);
	if (facts->skipped[0] || facts->failed[0]) { /* what `hold` found */
		close(start[1]);
		waitpid(pid, NULL, 0);
		facts->actor = 0;
		return;
	}
	if (cgroup_enter(cgroup, facts->actor))
		snprintf(facts->failed, sizeof(facts->failed), "cannot enter %.200s", cgroup);
}

/* Lets it go, and waits for it. */
void test_go(const struct test *test, struct facts *facts)
{
	if (!facts->actor)
		return;
	facts->begin_ns = clock_boot_ns();
	if (write(facts->start, "", 1) != 1)
		snprintf(facts->failed, sizeof(facts->failed), "the actor was gone");
	close(facts->start);
	waitpid(facts->actor, &facts->status, 0);
	facts->end_ns = clock_boot_ns();
	if (facts->status != test->status && !facts->failed[0] && !facts->skipped[0])
		snprintf(facts->failed, sizeof(facts->failed),
			 "the actor's wait status was %#x, not %#x", facts->status, test->status);
}

void test_run(const struct test *test, struct facts *facts, const char *root)
{
	test_begin(test, facts, root);
	test_go(test, facts);
}
