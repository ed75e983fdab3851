/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FDS_MAX 16

/* A path, or an abstract name behind @. */
static int address_of(const char *name, struct sockaddr_un *address, socklen_t *size)
{
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length < 2)
		return -EINVAL;
	if (length >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
	return 0;
}

int notify_send_fds(const char *message, const int *fds, size_t nfds)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	struct iovec text = {.iov_base = (void *)message, .iov_len = strlen(message)};
	struct msghdr header = {.msg_name = &address, .msg_iov = &text, .msg_iovlen = 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	CLEANUP(close_fd) int fd = -1;
	int err;

	if (!name)
		return 0;
	if (nfds > FDS_MAX)
		return -E2BIG;
	err = address_of(name, &address, &header.msg_namelen);
	if (err)
		return err;
	if (nfds) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, nfds * sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	return sendmsg(fd, &header, MSG_NOSIGNAL) < 0 ? -errno : 1;
}

int notify_send(const char *message)
{
	return notify_send_fds(message, NULL, 0);
}

uint64_t notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long value;
	char *end;

	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	value = strtoull(usec, &end, 10);
	if (errno || end == usec || *end || value > UINT64_MAX / 1000)
		return 0;
	return value * 1000 / 2;
}
