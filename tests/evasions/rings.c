// SPDX-License-Identifier: Apache-2.0
/* What is done through io_uring: no system call says open, rename or connect. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "evade.h"

#define ENTRIES	 4
#define PATIENCE 5000 /* ms */

struct ring {
	struct io_uring_params params;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned *sq_tail, *sq_flags, *cq_head, *cq_tail, *array;
	int fd;
};

static char *map(int fd, size_t size, off_t at)
{
	char *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);

	must(mapped == MAP_FAILED ? -1 : 0);
	return mapped;
}

static int ring_open(struct ring *ring, unsigned flags)
{
	struct io_uring_params *params = &ring->params;
	char *sq, *cq;

	*ring = (struct ring){.params = {.flags = flags, .sq_thread_idle = 1000}};
	ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
	if (ring->fd < 0)
		return -1;
	sq = map(ring->fd, params->sq_off.array + params->sq_entries * sizeof(unsigned),
		 IORING_OFF_SQ_RING);
	cq = map(ring->fd, params->cq_off.cqes + params->cq_entries * sizeof(*ring->cqes),
		 IORING_OFF_CQ_RING);
	ring->sqes =
		(void *)map(ring->fd, params->sq_entries * sizeof(*ring->sqes), IORING_OFF_SQES);
	ring->sq_tail = (unsigned *)(sq + params->sq_off.tail);
	ring->sq_flags = (unsigned *)(sq + params->sq_off.flags);
	ring->array = (unsigned *)(sq + params->sq_off.array);
	ring->cq_head = (unsigned *)(cq + params->cq_off.head);
	ring->cq_tail = (unsigned *)(cq + params->cq_off.tail);
	ring->cqes = (void *)(cq + params->cq_off.cqes);
	return 0;
}

/* One request; without a polling thread it is submitted by a call, with one by nothing at all. */
static int request(struct ring *ring, struct io_uring_sqe sqe)
{
	unsigned tail = *ring->sq_tail, slot = tail & (ring->params.sq_entries - 1), head;
	int result;

	ring->sqes[slot] = sqe;
	ring->array[slot] = slot;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (!(ring->params.flags & IORING_SETUP_SQPOLL))
		must(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	else if (__atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
		must(syscall(SYS_io_uring_enter, ring->fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0));
	head = *ring->cq_head;
	for (int i = 0; i < PATIENCE && __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head;
	     i++)
		usleep(1000);
	if (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head)
		return -ETIMEDOUT;
	result = ring->cqes[head & (ring->params.cq_entries - 1)].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

static int files(unsigned flags)
{
	struct ring ring;
	int fd;

	if (ring_open(&ring, flags))
		return skip("this kernel has no io_uring, or keeps it from us");
	fd = request(&ring, (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
						  .fd = AT_FDCWD,
						  .addr = (uintptr_t) "ring-file",
						  .open_flags = O_WRONLY | O_CREAT,
						  .len = 0600});
	if (fd == -EINVAL)
		return skip("this kernel's io_uring cannot open");
	errno = -fd;
	note_inode("inode", (int)must(fd));
	note("pid", "%d", getpid());
	fd = request(&ring, (struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT,
						  .fd = AT_FDCWD,
						  .addr = (uintptr_t) "ring-file",
						  .len = (uint32_t)AT_FDCWD,
						  .off = (uintptr_t) "ring-name"});
	if (fd == -EINVAL)
		return skip("this kernel's io_uring cannot rename");
	errno = -fd;
	must(fd);
	must(request(&ring, (struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT,
						  .fd = AT_FDCWD,
						  .addr = (uintptr_t) "ring-name"}));
	return 0;
}

static int uring_files(char **argv)
{
	(void)argv;
	return files(0);
}

/* ... with a thread of the kernel that looks for requests: not one call for them */
static int uring_polled(char **argv)
{
	(void)argv;
	return files(IORING_SETUP_SQPOLL);
}

/* uring-connect PORT */
static int uring_connect(char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((in_port_t)strtoul(argv[0], NULL, 10))};
	struct ring ring;

	if (ring_open(&ring, 0))
		return skip("this kernel has no io_uring, or keeps it from us");
	request(&ring, (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
					     .fd = (int)must(socket(AF_INET, SOCK_STREAM, 0)),
					     .addr = (uintptr_t)&to,
					     .off = sizeof(to)});
	return 0;
}

const struct performer rings[] = {{"uring-files", uring_files},
				  {"uring-polled", uring_polled},
				  {"uring-connect", uring_connect},
				  {0}};
