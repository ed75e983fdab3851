/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "enrich/alive.h"

#define PATIENCE_MS 1000

struct cmdlines {
	pid_t reader;
	int socket; /* to it; -1: it did not answer in time */
};

/* Only what may be called behind a fork of a process with threads. */
_Noreturn static void read_for(int socket, pid_t parent)
{
	uint8_t text[CMDLINE_MAX];
	char path[32];
	uint32_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	while (recv(socket, &pid, sizeof(pid), 0) == sizeof(pid)) {
		ssize_t n = -1;
		int fd;

		snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			n = read(fd, text, sizeof(text));
		if (fd >= 0)
			close(fd);
		if (send(socket, text, n > 0 ? (size_t)n : 0, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

int cmdlines_new(struct cmdlines **ret)
{
	CLEANUP(cmdlines_free) struct cmdlines *cmdlines = calloc(1, sizeof(*cmdlines));
	pid_t self = getpid();
	int sockets[2];

	if (!cmdlines)
		return -ENOMEM;
	cmdlines->socket = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	cmdlines->socket = sockets[0];

	CLEANUP(close_fd) int theirs = sockets[1];

	cmdlines->reader = fork();
	if (cmdlines->reader < 0)
		return -errno;
	if (!cmdlines->reader)
		read_for(theirs, self);
	*ret = TAKE(cmdlines);
	return 0;
}

static void give_up(struct cmdlines *cmdlines)
{
	if (cmdlines->socket >= 0)
		close(cmdlines->socket);
	cmdlines->socket = -1;
}

/* A reader that hangs in somebody's file system dies when that lets go of it; nobody waits for it.
 */
void cmdlines_free(struct cmdlines *cmdlines)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MS};

	if (!cmdlines)
		return;
	give_up(cmdlines);
	if (cmdlines->reader > 0)
		kill(cmdlines->reader, SIGKILL);
	for (int i = 0; i < 20 && cmdlines->reader > 0; i++) {
		if (waitpid(cmdlines->reader, NULL, WNOHANG))
			break;
		nanosleep(&pause, NULL);
	}
	free(cmdlines);
}

void cmdlines_read(struct cmdlines *cmdlines, uint32_t pid, uint64_t start_ns,
		   struct cmdline *cmdline)
{
	struct pollfd answer = {.fd = cmdlines->socket, .events = POLLIN};
	uint8_t *at = cmdline->text, *end;
	ssize_t size;

	cmdline->n = 0;
	if (cmdlines->socket < 0)
		return;
	if (send(cmdlines->socket, &pid, sizeof(pid), MSG_NOSIGNAL) < 0 ||
	    poll(&answer, 1, PATIENCE_MS) != 1) {
		give_up(cmdlines);
		return;
	}
	size = recv(cmdlines->socket, cmdline->text, CMDLINE_MAX, 0);
	if (size <= 0 || !process_is_alive(pid, start_ns))
		return;
	end = cmdline->text + size;
	*end = 0; /* a title that was written over it need not end */
	while (at < end) {
		size_t len = strlen((char *)at);

		cmdline->args[cmdline->n++] = (ProtobufCBinaryData){.len = len, .data = at};
		at += len + 1;
	}
}
