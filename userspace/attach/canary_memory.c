// SPDX-License-Identifier: Apache-2.0
/* The canary's part for memory: each way once, in a process that is about to end. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/internal.h"

#define PAGE		   65536 /* the largest that there is */
#define NR_PROCESS_MADVISE 440	 /* the same everywhere */
#define NO_SUCH_FLAG	   1

static void tried(long result)
{
	(void)result;
}

static int memory_file(void)
{
	int fd = memfd_create("canary", MFD_CLOEXEC);

	tried(ftruncate(fd, PAGE));
	return fd;
}

static void touch_maps(void)
{
	int first = memory_file(), second = memory_file();
	char *at;

	mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, first, 0);
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, second, 0);
	tried(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
	mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tried(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
	close(first);
	close(second);
}

/* Refused: there is nothing at address 0, no such flag, and no such process. */
static void touch_access(void)
{
	int fd = open("/proc/self/mem", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		tried(pwrite(fd, "", 1, 0));
		close(fd);
	}
	tried(syscall(SYS_userfaultfd, NO_SUCH_FLAG));
	tried(syscall(NR_PROCESS_MADVISE, -1, NULL, 0, 0, 0));
}

/* A directory that it hands to itself. */
static void touch_descriptors(void)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS}};
	char byte = 0;
	struct iovec one = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &one,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.bytes)};
	int pair[2], root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return;
	memcpy(CMSG_DATA(&control.head), &root, sizeof(root));
	if (sendmsg(pair[0], &message, 0) == 1)
		tried(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC));
	close(pair[0]);
	close(pair[1]);
	close(root);
}

void canary_memory(void)
{
	touch_maps();
	touch_access();
	touch_descriptors();
}
