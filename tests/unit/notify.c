/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"

static char name[64];

/* A manager that listens under an abstract name. */
static int manager(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(name, sizeof(name), "@hinomi-notify-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	return fd;
}

static void message_arrives_with_descriptors(void **state)
{
	char text[64] = "", control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	int fd = manager(), fds[] = {0, 1}, got[2];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send("READY=1\nSTATUS=well"), 1);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 19);
	assert_memory_equal(text, "READY=1\nSTATUS=well", 19);
	assert_int_equal(notify_send_fds("FDSTORE=1", fds, 2), 1);
	assert_int_equal(recvmsg(fd, &header, MSG_CMSG_CLOEXEC), 9);
	assert_non_null(CMSG_FIRSTHDR(&header));
	memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(got));
	close(got[0]);
	close(got[1]);
	assert_int_equal(notify_send_fds("FDSTORE=1", fds, 17), -E2BIG);
	close(fd);
	assert_int_equal(notify_send("READY=1"), -ECONNREFUSED);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(notify_send("READY=1"), -ENOENT);
}

static void watchdog_is_ours_or_nobodys(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	assert_int_equal(notify_watchdog_ns(), 30000000000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ns(), 30000000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_arrives_with_descriptors),
		cmocka_unit_test(watchdog_is_ours_or_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
