// SPDX-License-Identifier: Apache-2.0
/* The sensor under test: in a cgroup of its own, where what it and its children use is counted. */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cost.h"

#define READY_MS   300000 /* an emulated machine verifies programs slowly */
#define LOOK_MS	   200
#define CALM_NS	   1000000 /* of CPU between two looks */
#define CALM_LOOKS 300
#define STOP_MS	   60000

static void pause_ms(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static int door_open(char *name, size_t size)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len;

	snprintf(name, size, "@cost-%d", getpid());
	strncpy(at.sun_path, name, sizeof(at.sun_path) - 1);
	at.sun_path[0] = 0;
	len = offsetof(struct sockaddr_un, sun_path) + strlen(name);
	return fd < 0 || bind(fd, (struct sockaddr *)&at, len) ? -1 : fd;
}

static bool hears_ready(const struct subject *subject, int door)
{
	struct pollfd wait = {.fd = door, .events = POLLIN};
	char text[4096];

	for (unsigned ms = 0; ms < READY_MS && subject_alive(subject); ms += LOOK_MS)
		while (poll(&wait, 1, LOOK_MS) > 0) {
			ssize_t n = recv(door, text, sizeof(text) - 1, 0);

			text[n > 0 ? n : 0] = 0;
			if (strstr(text, "READY=1"))
				return true;
		}
	return false;
}

bool subject_start(struct subject *subject)
{
	char name[32];
	int door = door_open(name, sizeof(name));
	bool ready;

	if (door < 0 || !cgroup_make(subject->cgroup))
		return false;
	subject->pid = fork();
	if (!subject->pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (!cgroup_enter(subject->cgroup))
			_exit(1);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		setenv("NOTIFY_SOCKET", name, 1);
		execv(subject->arguments[0], subject->arguments);
		perror(subject->arguments[0]);
		_exit(127);
	}
	if (subject->settle_ms)
		pause_ms(subject->settle_ms);
	ready = subject->settle_ms ? subject_alive(subject) : hears_ready(subject, door);
	close(door);
	if (!ready)
		fprintf(stderr, "cost: %s did not get ready\n", subject->arguments[0]);
	return ready;
}

bool subject_alive(const struct subject *subject)
{
	siginfo_t info = {};

	return !waitid(P_PID, (id_t)subject->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       !info.si_pid;
}

uint64_t subject_calm(const struct subject *subject, unsigned times)
{
	struct usage before, now;
	unsigned calm = 0, looks;

	if (!subject->pid || !usage_read(subject->cgroup, subject->kthread, &before))
		return 0;
	for (looks = 0; looks < CALM_LOOKS && calm < times; looks++) {
		pause_ms(LOOK_MS);
		if (!usage_read(subject->cgroup, subject->kthread, &now))
			break;
		calm = now.cpu_ns - before.cpu_ns < CALM_NS ? calm + 1 : 0;
		before = now;
	}
	return looks * LOOK_MS;
}

int subject_stop(struct subject *subject)
{
	int status = 0;

	if (!subject->pid)
		return 0;
	kill(subject->pid, SIGTERM);
	for (unsigned ms = 0; subject_alive(subject); ms += LOOK_MS) {
		pause_ms(LOOK_MS);
		if (ms > STOP_MS)
			kill(subject->pid, SIGKILL);
	}
	waitpid(subject->pid, &status, 0);
	subject->pid = 0;
	return status;
}
