// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "hostile_calls.h"
#include "pipeline.h"

/* With arguments that make each fail if it comes through. */
static const int refused[] = {
	HOSTILE_CALLS, SYS_keyctl, SYS_request_key, SYS_io_uring_setup, SYS_connect,
	SYS_bind,      SYS_listen, SYS_accept,	    SYS_accept4,
};

static int call_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		errno = 0;
		if (syscall(refused[i], -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != EPERM) {
			fprintf(stderr, "call %d: %m\n", refused[i]);
			return 1;
		}
	}
	if (socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != EPERM)
		return 2;
	/* what the sensor goes on to do: names of cgroups, the service manager */
	if (syscall(SYS_open_by_handle_at, -1, (void *)-1, 0) != -1 || errno == EPERM)
		return 3;
	return socket(AF_UNIX, SOCK_DGRAM, 0) < 0 ? 4 : 0;
}

static void test_running(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (!child)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || confine_running("/") ? 9
										     : call_all());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
