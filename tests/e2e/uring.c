// SPDX-License-Identifier: Apache-2.0
/* The same acts without a system call of their own: io_uring. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "e2e.h"

#define ENTRIES	  4
#define SETTLE_US 20000

static void *mapped(struct facts *facts, int fd, size_t size, off_t at)
{
	return must(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at));
}

/* One request in a ring of its own, waited for; what it came to. */
static int request(struct facts *facts, struct io_uring_sqe sqe)
{
	struct io_uring_params params = {0};
	struct io_uring_cqe *cqes;
	struct io_uring_sqe *sqes;
	unsigned *tail, *array;
	int fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params), result;
	char *sq, *cq;

	if (fd < 0)
		act_skip(facts, "io_uring_setup: %s", strerror(errno));
	sq = mapped(facts, fd, params.sq_off.array + params.sq_entries * sizeof(*array),
		    IORING_OFF_SQ_RING);
	cq = mapped(facts, fd, params.cq_off.cqes + params.cq_entries * sizeof(*cqes),
		    IORING_OFF_CQ_RING);
	sqes = mapped(facts, fd, params.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
	tail = (unsigned *)(sq + params.sq_off.tail);
	array = (unsigned *)(sq + params.sq_off.array);
	cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	sqes[0] = sqe;
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	result = cqes[0].res;
	close(fd);
	return result;
}

int act_ring_send(struct facts *facts, int fd, const void *bytes, size_t size)
{
	return request(facts, (struct io_uring_sqe){.opcode = IORING_OP_SEND,
						    .fd = fd,
						    .addr = (uintptr_t)bytes,
						    .len = (unsigned)size});
}

static void open_with(struct facts *facts, unsigned char flags)
{
	const char *path = act_path(facts, 0, "marker");
	struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT,
				   .flags = flags,
				   .fd = AT_FDCWD,
				   .addr = (uintptr_t)path,
				   .open_flags = O_WRONLY | O_CREAT | O_EXCL,
				   .len = 0600};
	int fd = request(facts, sqe);

	if (fd < 0)
		act_skip(facts, "IORING_OP_OPENAT: %s", strerror(-fd));
	must(fstat(fd, &facts->stat[0]));
	close(fd);
}

static void act_open(struct facts *facts)
{
	open_with(facts, 0);
}

/* By a worker thread.  Before 5.12 these were threads of the kernel, in no cgroup and no process.
 */
static void act_open_async(struct facts *facts)
{
	struct utsname host;
	int major = 0, minor = 0;

	uname(&host);
	sscanf(host.release, "%d.%d", &major, &minor);
	if (major < 5 || (major == 5 && minor < 12))
		act_skip(facts, "the workers of this kernel belong to no process");
	open_with(facts, IOSQE_ASYNC);
}

static void check_open(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *seen;

	/* no system call: the tap at the exit of system calls cannot see it */
	if (tier_of(check, KIND_file_create) > 1)
		return;
	seen = take(check, KIND_file_create);
	if (!seen)
		return;
	want_file(check, facts->path[0], &facts->stat[0], seen->event->file_create->file);
	want_number(check, "process.key.pid", (uint64_t)facts->actor, seen->process->key->pid);
}

/* Operations that the headers at hand may not name yet. */
#define OP_MKDIRAT   37 /* from 5.15 */
#define OP_SETXATTR  42 /* from 5.19 */
#define OP_FTRUNCATE 55 /* from 6.9 */

/* Of each what this kernel has: number[n] is set for those that were done. */
static void act_change(struct facts *facts)
{
	const char *path = act_path(facts, 0, "marker");
	int fd = must(open(path, O_RDWR | O_CLOEXEC));

	facts->number[0] = !request(facts, (struct io_uring_sqe){.opcode = OP_MKDIRAT,
								 .fd = AT_FDCWD,
								 .addr = (uintptr_t) "directory",
								 .len = 0700});
	facts->number[1] = !request(facts, (struct io_uring_sqe){.opcode = OP_SETXATTR,
								 .addr = (uintptr_t) "security.x",
								 .addr2 = (uintptr_t) "value",
								 .len = 5,
								 .addr3 = (uintptr_t)path});
	facts->number[2] =
		!request(facts, (struct io_uring_sqe){.opcode = OP_FTRUNCATE, .fd = fd, .off = 3});
	close(fd);
}

static void prepare_change(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
}

static void check_change(struct check *check)
{
	const uint64_t *done = check->facts->number;
	const struct seen *seen;

	take(check, KIND_file_open);
	if (done[0] && tier_of(check, KIND_file_make) == 1)
		take(check, KIND_file_make);
	if (done[1] && tier_of(check, KIND_file_xattr) == 1) {
		seen = take(check, KIND_file_xattr);
		if (seen)
			want_text(check, "file_xattr.name", "security.x",
				  &seen->event->file_xattr->name);
	}
	if (done[2] && tier_of(check, KIND_file_truncate) == 1) {
		seen = take(check, KIND_file_truncate);
		if (seen)
			want_number(check, "file_truncate.length", 3,
				    seen->event->file_truncate->length);
	}
}

static void act_connect(struct facts *facts)
{
	struct sockaddr_in *to = (void *)&facts->address[0];
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), result;

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to->sin_port = htons(9);
	result = request(facts, (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
						      .fd = fd,
						      .addr = (uintptr_t)to,
						      .off = sizeof(*to)});
	if (result)
		act_skip(facts, "IORING_OP_CONNECT: %s", strerror(-result));
	close(fd);
}

static void check_connect(struct check *check)
{
	const struct seen *seen;

	if (tier_of(check, KIND_connect) > 1)
		return; /* as above */
	seen = take(check, KIND_connect);
	if (seen)
		want_address(check, "connect.peer", &check->facts->address[0], 0,
			     seen->event->connect->peer);
}

/* A connection and what begins it, without one system call for either. */
static void act_tcp(struct facts *facts)
{
	static const char odd[] = "\026\003\001\0\004\001\0\0\0";
	struct sockaddr_in *to = (void *)&facts->address[0];
	int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), result;
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	socklen_t len = sizeof(*to);

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)to, len));
	must(getsockname(listener, (struct sockaddr *)to, &len));
	must(listen(listener, 1));
	result = request(facts, (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
						      .fd = fd,
						      .addr = (uintptr_t)to,
						      .off = sizeof(*to)});
	if (result)
		act_skip(facts, "IORING_OP_CONNECT: %s", strerror(-result));
	result = act_ring_send(facts, fd, odd, sizeof(odd) - 1);
	if (result < 0)
		act_skip(facts, "IORING_OP_SEND: %s", strerror(-result));
	close(fd);
	close(listener);
	usleep(SETTLE_US);
}

static void check_tcp(struct check *check)
{
	const struct seen *seen;

	take(check, KIND_bind);
	take(check, KIND_listen);
	seen = tier_of(check, KIND_connect) == 1 ? take(check, KIND_connect) : NULL;
	if (seen)
		want_address(check, "connect.peer", &check->facts->address[0], 0,
			     seen->event->connect->peer);
	while (seen && there_is(check, KIND_connect)) /* first without waiting, then by a worker */
		take(check, KIND_connect);
	seen = tier_of(check, KIND_tls_hello) == 1 ? take(check, KIND_tls_hello) : NULL;
	if (seen)
		want_number(check, "process.key.pid", (uint64_t)check->facts->actor,
			    seen->process->key->pid);
	seen = take(check, KIND_tcp_close); /* a tracepoint, on every tier */
	if (seen)
		want_number(check, "tcp_close: who", (uint64_t)check->facts->actor,
			    seen->process->key->pid);
	take_ends(check);
}

static void act_udp(struct facts *facts)
{
	struct sockaddr_in *to = (void *)&facts->address[0];
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), result;
	struct iovec iov = {"marker", 6};
	struct msghdr header = {
		.msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = &iov, .msg_iovlen = 1};

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to->sin_port = htons(9);
	result = request(facts, (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG,
						      .fd = fd,
						      .addr = (uintptr_t)&header,
						      .len = 1});
	if (result != 6)
		act_skip(facts, "IORING_OP_SENDMSG: %s", strerror(-result));
	close(fd);
}

static void check_udp(struct check *check)
{
	const struct seen *seen;

	if (tier_of(check, KIND_udp_flow) > 1)
		return; /* as above */
	seen = take(check, KIND_udp_flow);
	if (!seen)
		return;
	want_address(check, "udp_flow.peer", &check->facts->address[0], 0,
		     seen->event->udp_flow->socket->peer);
	want_number(check, "udp_flow.bytes_sent", 6, seen->event->udp_flow->bytes_sent);
	want_number(check, "process.key.pid", (uint64_t)check->facts->actor,
		    seen->process->key->pid);
}

const struct test uring_tests[] = {
	{"io_uring/tcp", NULL, act_tcp, check_tcp},
	{"io_uring/udp", NULL, act_udp, check_udp},
	{"io_uring/open", NULL, act_open, check_open},
	{"io_uring/open-async", NULL, act_open_async, check_open},
	{"io_uring/change", prepare_change, act_change, check_change},
	{"io_uring/connect", NULL, act_connect, check_connect},
	{},
};
