// SPDX-License-Identifier: Apache-2.0
/* The sensor under test, started as a service manager would: it says itself when it is ready. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "e2e.h"

#define READY_MS      180000 /* emulated machines load programs slowly */
#define STOP_MS	      60000
#define ARGUMENTS_MAX 32

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
	arguments[at++] = "--resume";
	arguments[at++] = "--cgroup";
	arguments[at++] = sensor->cgroup;
	for (char *const *more = sensor->arguments; more && *more && at < ARGUMENTS_MAX - 1; more++)
		arguments[at++] = *more;
	execv(sensor->program, (char **)arguments);
	perror(sensor->program);
	_exit(127);
}

static int config_write(const struct sensor *sensor, const char *path)
{
	CLEANUP(fclose) FILE *file = fopen(path, "we");

	return !file || fputs(sensor->config, file) < 0 ? -errno : 0;
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

pid_t sensor_pid;

int sensor_start(struct sensor *sensor)
{
	uint64_t until = clock_boot_ns() + READY_MS * NS_PER_MS;
	struct pollfd wait = {.fd = sensor->manager.socket, .events = POLLIN};
	char config[PATH_MAX];
	int r;

	snprintf(config, sizeof(config), "%s/sensor.conf", sensor->dir);
	r = config_write(sensor, config);
	if (r)
		return r;
	sensor->pid = fork();
	if (sensor->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		manager_hand_over(&sensor->manager);
		run(sensor, config);
	}
	sensor_pid = sensor->pid;
	while (clock_boot_ns() < until) {
		if (poll(&wait, 1, 100) > 0) {
			if (manager_hear(&sensor->manager) == 1)
				return 0;
		} else if (has_ended(sensor)) {
			return -ECHILD;
		}
	}
	sensor_stop(sensor);
	return -ETIMEDOUT;
}

void sensor_kill(struct sensor *sensor)
{
	while (manager_hear(&sensor->manager) >= 0)
		;
	kill(sensor->pid, SIGKILL);
	waitpid(sensor->pid, NULL, 0);
	sensor->pid = 0;
}

int sensor_stop(struct sensor *sensor)
{
	uint64_t until = clock_boot_ns() + STOP_MS * NS_PER_MS;
	int status = 0;
	pid_t pid;

	if (!sensor->pid)
		return -1;
	while (manager_hear(&sensor->manager) >= 0)
		;
	manager_drop(&sensor->manager); /* the sensor's own links are the last ones */
	kill(sensor->pid, SIGTERM);
	while (!(pid = waitpid(sensor->pid, &status, WNOHANG))) {
		if (clock_boot_ns() > until)
			kill(sensor->pid, SIGKILL);
		usleep(10000);
	}
	sensor->pid = 0;
	return pid < 0 ? -1 : status;
}
