// SPDX-License-Identifier: Apache-2.0
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "hostile_calls.h"

#define NOWHERE ((void *)-1) /* makes each call fail that comes through after all */
#define ENDED	127

/* What a child did; its line, where it went wrong. */
typedef int deed_fn(const void *ctx);

#define MUST(condition)                  \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)
#define REFUSED(call) MUST((errno = 0, (call)) == -1 && errno == ENOSYS)

/* Status of a child that does it inside of the sandbox. */
static int inside(enum sandbox kind, deed_fn *deed, const void *ctx)
{
	pid_t child = fork();
	int status, line;

	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sandbox_enter(kind))
			_exit(ENDED);
		line = deed(ctx);
		if (line)
			fprintf(stderr, "line %d: %s\n", line, strerror(errno));
		_exit(line ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void *add_one(void *ctx)
{
	++*(int *)ctx;
	return NULL;
}

static int work(const void *ctx)
{
	char path[] = "/tmp/sandbox.XXXXXX";
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	struct rlimit limit;
	pthread_t thread;
	int fd = mkstemp(path), n = 0;
	void *large = malloc(1 << 24);

	(void)ctx;
	MUST(fd >= 0 && write(fd, "x", 1) == 1 && !fsync(fd) && !ftruncate(fd, 0));
	MUST(!unlink(path) && !close(fd));
	MUST(large && !pthread_create(&thread, NULL, add_one, &n) && !pthread_join(thread, NULL));
	MUST(n == 1 && !getrlimit(RLIMIT_NOFILE, &limit));
	MUST(!getaddrinfo("localhost", "1", &hints, &found));
	freeaddrinfo(found);
	free(large);
	return 0;
}

static int connects(const void *ctx)
{
	struct sockaddr_in6 nobody = {.sin6_family = AF_INET6};

	MUST(!work(ctx));
	MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
	MUST(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	MUST(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
	MUST(connect(-1, (struct sockaddr *)&nobody, sizeof(nobody)) && errno == EBADF);
	REFUSED(bind(-1, (struct sockaddr *)&nobody, sizeof(nobody)));
	REFUSED(listen(-1, 1));
	REFUSED(accept4(-1, NULL, NULL, 0));
	return 0;
}

static int accepts(const void *ctx)
{
	MUST(!work(ctx));
	MUST(accept4(-1, NULL, NULL, 0) == -1 && errno == EBADF);
	MUST(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0); /* the service manager's */
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	REFUSED(connect(-1, NULL, 0));
	REFUSED(bind(-1, NULL, 0));
	REFUSED(listen(-1, 1));
	return 0;
}

static int refused(const void *ctx)
{
	struct rlimit limit = {1, 1};

	(void)ctx;
	REFUSED(fork());
	REFUSED(vfork());
	REFUSED((int)syscall(SYS_clone3, NOWHERE, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	REFUSED(socket(AF_VSOCK, SOCK_STREAM, 0));
	REFUSED(socket(AF_ALG, SOCK_SEQPACKET, 0));
	REFUSED(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	REFUSED(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
	REFUSED(socket(AF_INET6, SOCK_PACKET, 0));
	REFUSED(socketpair(AF_INET, SOCK_STREAM, 0, NOWHERE));
	REFUSED((int)syscall(SYS_io_uring_setup, 1, NOWHERE));
	REFUSED((int)syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0));
	REFUSED((int)syscall(SYS_io_uring_register, -1, 0, NULL, 0));
	REFUSED((int)syscall(SYS_keyctl, -1, 0, 0, 0, 0));
	REFUSED((int)syscall(SYS_add_key, NOWHERE, NOWHERE, NULL, 0, 0));
	REFUSED((int)syscall(SYS_request_key, NOWHERE, NOWHERE, NULL, 0));
	REFUSED((int)syscall(SYS_seccomp, 0, 0, NOWHERE));
	REFUSED((int)syscall(SYS_pidfd_open, getpid(), 0));
	REFUSED(memfd_create("", 0));
	REFUSED(kill(getpid(), 0));
	REFUSED((int)syscall(SYS_tgkill, getppid(), getppid(), 0));
	REFUSED(mprotect(NULL, 4096, PROT_READ | PROT_EXEC));
	REFUSED((int)(long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	REFUSED(setrlimit(RLIMIT_NOFILE, &limit));
	REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	REFUSED(ioctl(0, TIOCSTI, "x"));
#if defined(__x86_64__)
	REFUSED((int)syscall(0x40000000 | SYS_getpid)); /* x32 */
#endif
	return 0;
}

static int call(const void *nr)
{
	syscall(*(const int *)nr, -1L, -1L, -1L, -1L, -1L, -1L);
	return 0;
}

/* Those of an attacker, by what he would do next. */
static const int fatal[] = {
	HOSTILE_CALLS,
	SYS_open_by_handle_at,
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NEEDS_SANDBOX()                                                     \
	do {                                                                \
		puts("skipped: sanitizers make system calls of their own"); \
		skip();                                                     \
	} while (0)
#else
#define NEEDS_SANDBOX()
#endif

static void test_forwarder(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	assert_int_equal(inside(SANDBOX_CONNECTS, connects, NULL), 0);
	assert_int_equal(inside(SANDBOX_CONNECTS, refused, NULL), 0);
}

static void test_collector(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	assert_int_equal(inside(SANDBOX_ACCEPTS, accepts, NULL), 0);
	assert_int_equal(inside(SANDBOX_ACCEPTS, refused, NULL), 0);
}

static void test_fatal(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
		int status = inside(SANDBOX_CONNECTS, call, &fatal[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("call %d ended with status %#x", fatal[i], (unsigned)status);
	}
}

#if defined(__x86_64__)
/* getpid through the table of 32-bit programs */
static int compat(const void *ctx)
{
	long ret = 20;

	(void)ctx;
	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
	return ret != getpid();
}

static void test_other_table(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		signal(SIGSEGV, SIG_DFL); /* what a kernel without that table makes of it, and
					   * cmocka would report */
		_exit(compat(NULL));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status) {
		puts("skipped: this kernel runs no 32-bit programs");
		skip();
	}
	NEEDS_SANDBOX();
	status = inside(SANDBOX_CONNECTS, compat, NULL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

struct early {
	pthread_barrier_t entered;
	int err;
};

static void *fork_late(void *ctx)
{
	struct early *early = ctx;

	pthread_barrier_wait(&early->entered);
	early->err = fork() == -1 ? errno : 0;
	return NULL;
}

/* A thread that was there before is inside as well. */
static void test_threads(void **state)
{
	struct early early;
	pthread_t thread;
	pid_t child;
	int status;

	(void)state;
	NEEDS_SANDBOX();
	child = fork();
	if (!child) {
		pthread_barrier_init(&early.entered, NULL, 2);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    pthread_create(&thread, NULL, fork_late, &early) ||
		    sandbox_enter(SANDBOX_CONNECTS))
			_exit(ENDED);
		pthread_barrier_wait(&early.entered);
		pthread_join(thread, NULL);
		_exit(early.err == ENOSYS ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarder),
		cmocka_unit_test(test_collector),
		cmocka_unit_test(test_fatal),
#if defined(__x86_64__)
		cmocka_unit_test(test_other_table),
#endif
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
