/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "cli/libexec.h"

#define EXEC_FAILED 127
#define STEP_MS	    10

static int become(const struct child_user *user)
{
	if (user && !geteuid()) {
		if (setgroups(0, NULL) || setresgid(user->gid, user->gid, user->gid) ||
		    setresuid(user->uid, user->uid, user->uid))
			return -errno;
	}
	if (user && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

/* In the child: never returns. */
static void run_program(int fd, pid_t parent, char *const argv[], const char *notify,
			const struct child_user *user)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), err;
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0); /* Ctrl-C is for us: we stop them in order */
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (notify)
		setenv("NOTIFY_SOCKET", notify, 1);
	else
		unsetenv("NOTIFY_SOCKET");
	err = become(user);
	/* a change of user clears it, so it comes last */
	if (!err && prctl(PR_SET_PDEATHSIG, SIGTERM))
		err = -errno;
	if (!err && getppid() != parent)
		_exit(EXEC_FAILED);
	/* by descriptor: the build tree may be closed to that user */
	if (!err) {
		fexecve(fd, argv, environ);
		err = -errno;
	}
	dprintf(STDERR_FILENO, "%s: cannot be started: %s\n", argv[0], strerror(-err));
	_exit(EXEC_FAILED);
}

int child_start(struct child *child, char *const argv[], const char *notify,
		const struct child_user *user)
{
	CLEANUP(close_fd) int fd = -1;
	char path[PATH_MAX];
	pid_t parent = getpid(), pid;
	int err = libexec_find(argv[0], path);

	if (err)
		return err;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		run_program(fd, parent, argv, notify, user);
	*child = (struct child){.name = argv[0], .pid = pid};
	return 0;
}

bool child_check(struct child *child)
{
	if (child->pid && !child->ended)
		child->ended = waitpid(child->pid, &child->status, WNOHANG) == child->pid;
	return child->ended;
}

bool child_wait(struct child *child, unsigned timeout_ms)
{
	uint64_t until_ns = clock_boot_ns() + timeout_ms * NS_PER_MS;

	while (child->pid && !child_check(child) && clock_boot_ns() < until_ns)
		poll(NULL, 0, STEP_MS);
	return !child->pid || child->ended;
}

void child_signal(const struct child *child, int signal)
{
	if (child->pid && !child->ended)
		kill(child->pid, signal);
}

void child_describe(const struct child *child, char *text, size_t size)
{
	if (WIFSIGNALED(child->status))
		snprintf(text, size, "killed by SIG%s", sigabbrev_np(WTERMSIG(child->status)));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(child->status));
}
