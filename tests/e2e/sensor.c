// SPDX-License-Identifier: Apache-2.0
/* The sensor under test, started as a service manager would: it says itself when it is ready. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "e2e.h"

#define READY_MS      60000 /* emulated machines load programs slowly */
#define STOP_MS	      60000
#define ARGUMENTS_MAX 32

static int notify_open(struct sensor *sensor)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", sensor->dir) >=
	    (int)sizeof(name.sun_path))
		return -ENAMETOOLONG;
	unlink(name.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)))
		return -errno;
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	sensor->notify = TAKE_FD(fd);
	return 0;
}

static void run(const struct sensor *sensor, const char *config)
{
	const char *arguments[ARGUMENTS_MAX] = {sensor->program};
	size_t n = strlen(sensor->program), at = 1;

	if (n >= 6 && !strcmp(sensor->program + n - 6, "hinomi"))
		arguments[at++] = "sensor";
	arguments[at++] = "--spool";
	arguments[at++] = sensor->spool;
	arguments[at++] = "--config";
	arguments[at++] = config;
	arguments[at++] = "--cgroup";
	arguments[at++] = sensor->cgroup;
	for (char *const *more = sensor->arguments; more && *more && at < ARGUMENTS_MAX - 1; more++)
		arguments[at++] = *more;
	execv(sensor->program, (char **)arguments);
	perror(sensor->program);
	_exit(127);
}

/* A heartbeat within the shortest of runs. */
static int config_write(const char *path)
{
	CLEANUP(fclose) FILE *file = fopen(path, "we");

	return !file || fputs("[sensor]\nheartbeat = 300ms\n", file) < 0 ? -errno : 0;
}

static bool has_ended(struct sensor *sensor)
{
	int status;

	if (waitpid(sensor->pid, &status, WNOHANG) != sensor->pid)
		return false;
	fprintf(stderr, "e2e: %s ended with wait status %#x before it was ready\n", sensor->program,
		status);
	sensor->pid = 0;
	return true;
}

int sensor_start(struct sensor *sensor)
{
	uint64_t until = clock_boot_ns() + READY_MS * NS_PER_MS;
	struct pollfd wait = {.events = POLLIN};
	char text[4096];
	char config[PATH_MAX];
	int r = notify_open(sensor);

	snprintf(config, sizeof(config), "%s/sensor.conf", sensor->dir);
	if (!r)
		r = config_write(config);
	if (r)
		return r;
	sensor->pid = fork();
	if (sensor->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		run(sensor, config);
	}
	wait.fd = sensor->notify;
	while (clock_boot_ns() < until) {
		ssize_t n = poll(&wait, 1, 100) > 0 ? recv(wait.fd, text, sizeof(text) - 1, 0) : 0;

		if (n > 0) {
			text[n] = 0;
			if (strstr(text, "READY=1"))
				return 0;
		} else if (has_ended(sensor)) {
			return -ECHILD;
		}
	}
	sensor_stop(sensor);
	return -ETIMEDOUT;
}

int sensor_stop(struct sensor *sensor)
{
	uint64_t until = clock_boot_ns() + STOP_MS * NS_PER_MS;
	int status = 0;
	pid_t pid;

	if (!sensor->pid)
		return -1;
	kill(sensor->pid, SIGTERM);
	while (!(pid = waitpid(sensor->pid, &status, WNOHANG))) {
		if (clock_boot_ns() > until)
			kill(sensor->pid, SIGKILL);
		usleep(10000);
	}
	sensor->pid = 0;
	close(sensor->notify);
	return pid < 0 ? -1 : status;
}
