// SPDX-License-Identifier: Apache-2.0
/* What a service manager does for the sensor: hears of its readiness, keeps its descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

#define FIRST_FD 3 /* where handed descriptors begin, sd_listen_fds(3) */

int manager_open(struct manager *manager, const char *dir)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", dir) >=
	    (int)sizeof(name.sun_path))
		return -ENAMETOOLONG;
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)))
		return -errno;
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	manager->socket = TAKE_FD(fd);
	return 0;
}

static void keep(struct manager *manager, const char *name, int fd)
{
	if (manager->n == STORED_MAX) {
		close(fd);
		return;
	}
	manager->fds[manager->n] = fd;
	snprintf(manager->names[manager->n++], sizeof(manager->names[0]), "%.*s",
		 (int)strcspn(name, "\n"), name);
}

static void forget(struct manager *manager, const char *name)
{
	size_t len = strcspn(name, "\n");

	for (size_t i = manager->n; i-- > 0;) {
		if (strlen(manager->names[i]) != len || strncmp(manager->names[i], name, len) != 0)
			continue;
		close(manager->fds[i]);
		manager->n--;
		manager->fds[i] = manager->fds[manager->n];
		memcpy(manager->names[i], manager->names[manager->n], sizeof(manager->names[0]));
	}
}

int manager_hear(struct manager *manager)
{
	char text[4096];
	struct iovec room = {.iov_base = text, .iov_len = sizeof(text) - 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &room,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(manager->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *rights = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	const char *name;
	int fd;

	if (n <= 0)
		return -EAGAIN;
	text[n] = 0;
	name = strstr(text, "FDNAME=");
	if (rights && rights->cmsg_type == SCM_RIGHTS) {
		memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
		keep(manager, name ? name + 7 : "stored", fd);
	} else if (strstr(text, "FDSTOREREMOVE=1") && name) {
		forget(manager, name + 7);
	}
	return strstr(text, "READY=1") != NULL;
}

/* In the child that becomes the sensor. */
void manager_hand_over(const struct manager *manager)
{
	CLEANUP(free) char *names = calloc(manager->n + 1, sizeof(manager->names[0]));
	char number[32];
	int copies[STORED_MAX];

	if (!manager->n || !names)
		return;
	for (size_t i = 0; i < manager->n; i++) { /* out of the way of the places they go to */
		copies[i] = fcntl(manager->fds[i], F_DUPFD_CLOEXEC, FIRST_FD + STORED_MAX);
		strcat(names, i ? ":" : "");
		strcat(names, manager->names[i]);
	}
	for (size_t i = 0; i < manager->n; i++)
		dup2(copies[i], FIRST_FD + (int)i);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%zu", manager->n);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
}

void manager_drop(struct manager *manager)
{
	while (manager->n)
		close(manager->fds[--manager->n]);
}
