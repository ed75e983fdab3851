/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/readiness.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

int readiness_open(char name[READINESS_NAME_MAX])
{
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address.sun_family);
	int on = 1;

	/* bound to nothing, it gets a free abstract name; who sends is told by the kernel */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, size))
		return -errno;
	size = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &size))
		return -errno;
	size -= offsetof(struct sockaddr_un, sun_path) + 1;
	snprintf(name, READINESS_NAME_MAX, "@%.*s", (int)size, address.sun_path + 1);
	return TAKE_FD(fd);
}

static bool says_ready(const char *text, size_t size)
{
	static const char word[] = "READY=1";

	for (const char *line = text, *end = text + size; line && line < end;) {
		size_t left = (size_t)(end - line);
		const char *newline = memchr(line, '\n', left);
		size_t length = newline ? (size_t)(newline - line) : left;

		if (length == sizeof(word) - 1 && !memcmp(line, word, length))
			return true;
		line = newline ? newline + 1 : NULL;
	}
	return false;
}

static bool is_from(struct msghdr *message, pid_t pid)
{
	struct ucred sender;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&sender, CMSG_DATA(c), sizeof(sender));
		return sender.pid == pid;
	}
	return false;
}

bool readiness_heard(int fd, pid_t pid, int timeout_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char text[1024];
	/* no room for descriptors: such a message is cut, and the kernel closes them */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
	ssize_t size;

	if (poll(&wait, 1, timeout_ms) <= 0)
		return false;
	for (;;) {
		struct msghdr message = {.msg_iov = &iov,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control)};

		size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (size < 0)
			return false;
		if (is_from(&message, pid) && says_ready(text, (size_t)size))
			return true;
	}
}
