// SPDX-License-Identifier: Apache-2.0
/* What is watched: each iteration does one thing and nothing else. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cost.h"

static struct sockaddr_in address;
static int listener = -1, sender = -1;

static bool do_getppid(const struct ground *ground, unsigned i)
{
	(void)ground, (void)i;
	return syscall(SYS_getppid) >= 0;
}

static bool opened(const struct ground *ground, unsigned i, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%u", ground->dir, i);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd >= 0 && !close(fd);
}

/* Nobody asked to be told of it. */
static bool do_read(const struct ground *ground, unsigned i)
{
	return opened(ground, i % ground->files, O_RDONLY);
}

/* Another file each time: none can be counted into the one before. */
static bool do_write(const struct ground *ground, unsigned i)
{
	return opened(ground, i % ground->files, O_WRONLY);
}

static bool do_again(const struct ground *ground, unsigned i)
{
	(void)i;
	return opened(ground, 0, O_WRONLY);
}

static bool spawned(char *const *arguments)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execv(arguments[0], arguments);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool do_exec(const struct ground *ground, unsigned i)
{
	static char self[PATH_MAX];
	char *arguments[] = {self, "nothing", NULL};

	(void)ground, (void)i;
	return (*self || readlink("/proc/self/exe", self, sizeof(self) - 1) > 0) &&
	       spawned(arguments);
}

static bool do_command(const struct ground *ground, unsigned i)
{
	char *arguments[] = {"/bin/sh", "-c", (char *)ground->command, NULL};

	(void)i;
	return ground->command && spawned(arguments);
}

static int bound(int type)
{
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		return -1;
	return fd;
}

static bool prepare_tcp(void)
{
	listener = bound(SOCK_STREAM);
	return listener >= 0 && !listen(listener, 16);
}

/* The client closes with a reset: no TIME_WAIT, hence no want of ports. */
static bool do_tcp(const struct ground *ground, unsigned i)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int peer = -1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)ground, (void)i;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	return peer >= 0 && !close(peer);
}

static bool prepare_udp(void)
{
	sender = bound(SOCK_DGRAM);
	listener = bound(SOCK_DGRAM);
	return sender >= 0 && listener >= 0;
}

static bool do_udp(const struct ground *ground, unsigned i)
{
	char packet[64] = "cost";

	(void)ground, (void)i;
	return sendto(sender, packet, sizeof(packet), 0, (struct sockaddr *)&address,
		      sizeof(address)) == sizeof(packet) &&
	       recv(listener, packet, sizeof(packet), 0) == sizeof(packet);
}

/* Of a file that nobody asked to be followed. */
static bool do_byte_read(const struct ground *ground, unsigned i)
{
	static int fd = -1;
	char byte;

	(void)ground, (void)i;
	if (fd < 0)
		fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	return read(fd, &byte, 1) == 1;
}

static bool do_byte_write(const struct ground *ground, unsigned i)
{
	static int fd = -1;
	char path[PATH_MAX];

	(void)i;
	snprintf(path, sizeof(path), "%s/0", ground->dir);
	if (fd < 0)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	return pwrite(fd, "", 1, 0) == 1;
}

/* What a run costs a sensor by itself: a process that begins and ends. */
static bool do_nothing(const struct ground *ground, unsigned i)
{
	(void)ground, (void)i;
	return true;
}

static bool do_idle(const struct ground *ground, unsigned i)
{
	(void)ground, (void)i;
	return !nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

/* Sizes that take a guest which counts its instructions about a second each. */
const struct workload workloads[] = {
	{"nothing", 1, true, NULL, do_nothing},
	{"getppid", 200000, false, NULL, do_getppid},
	{"read", 30000, false, NULL, do_read},
	{"write", 10000, false, NULL, do_write},
	{"again", 10000, false, NULL, do_again},
	{"exec", 300, false, NULL, do_exec},
	{"tcp", 3000, false, prepare_tcp, do_tcp},
	{"udp", 40000, false, prepare_udp, do_udp},
	{"byte-read", 20000, false, NULL, do_byte_read},
	{"byte-write", 20000, false, NULL, do_byte_write},
	{"command", 1, true, NULL, do_command},
	{"idle", 60, true, NULL, do_idle},
};
const unsigned workload_count = sizeof(workloads) / sizeof(*workloads);

const struct workload *workload_named(const char *name)
{
	for (unsigned i = 0; i < workload_count; i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}

bool ground_prepare(struct ground *ground, unsigned iterations)
{
	for (ground->files = 0; ground->files < iterations; ground->files++)
		if (!opened(ground, ground->files, O_WRONLY | O_CREAT))
			return false;
	return true;
}

void ground_clear(const struct ground *ground)
{
	char path[PATH_MAX];

	for (unsigned i = 0; i < ground->files; i++) {
		snprintf(path, sizeof(path), "%s/%u", ground->dir, i);
		unlink(path);
	}
}
