// SPDX-License-Identifier: Apache-2.0
/* Memory that becomes executable, and what else goes around the files that are executed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "e2e.h"

#ifdef SYS_socketcall /* what the C library makes of recvmsg in 32-bit programs */
#define CALLED_RECVMSG SYS_socketcall
#else
#define CALLED_RECVMSG SYS_recvmsg
#endif

#define NR_PIDFD_OPEN	   434
#define NR_PROCESS_MADVISE 440
#define PAGE		   4096
#define COLD		   20 /* MADV_COLD */

/* ---- image_load */
static void prepare_library(struct facts *facts)
{
	program_copy(facts, 0, "library", 0666); /* others may write it: told for each process */
	program_copy(facts, 1, "later", 0666);
}

static void act_image(struct facts *facts)
{
	int fd = must(open(facts->path[0], O_RDONLY | O_CLOEXEC));
	void *at;

	must(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
	must(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0)); /* no second event */
	close(fd);
	fd = must(open(facts->path[1], O_RDONLY | O_CLOEXEC));
	at = must(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	must(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
	close(fd);
}

static void check_image(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = take(check, KIND_image_load);

	if (!seen)
		return;
	want_file(check, facts->path[0], &facts->stat[0], seen->event->image_load->file);
	want_number(check, "image_load.protection", PROT_READ | PROT_EXEC,
		    seen->event->image_load->protection);
	want_number(check, "image_load.flags", MAP_PRIVATE, seen->event->image_load->flags);
	want_number(check, "image_load.by_executable", 0, seen->event->image_load->by_executable);
	want_number(check, "image_load.later", 0, seen->event->image_load->later);
	if (tier_of(check, KIND_image_load) > 1) {
		take(check, KIND_memory_exec); /* mprotect: of what is not known there */
		return;
	}
	seen = take(check, KIND_image_load);
	if (!seen)
		return;
	want_file(check, facts->path[1], &facts->stat[1], seen->event->image_load->file);
	want_number(check, "image_load.later", 1, seen->event->image_load->later);
}

/* A program that the loader is told to run is no exec of it, but a file that is mapped. */
static void prepare_program(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

static void act_loader(struct facts *facts)
{
	static const char *const loaders[] = {"/lib64/ld-linux-x86-64.so.2",
					      "/lib/ld-linux-aarch64.so.1"};

	if (sizeof(long) == 4)
		act_skip(facts, "this program is static, and not for the machine's loader");
	for (size_t i = 0; i < 2; i++) {
		if (access(loaders[i], X_OK))
			continue;
		for (int n = 0; n < 2; n++)
			act_exec(facts, loaders[i],
				 (const char *[]){loaders[i], facts->path[0], "--list", NULL});
		return;
	}
	act_skip(facts, "there is no dynamic loader");
}

/* Each time, since the executable is the loader, which says nothing of what it was told to run. */
static void check_loader(struct check *check)
{
	const struct facts *facts = check->facts;
	int found = 0;

	for (int n = 0; n < 2; n++) {
		take(check, KIND_exec);
		take(check, KIND_fork);
		take(check, KIND_exit);
	}
	while (there_is(check, KIND_image_load)) {
		const Hinomi__ImageLoad *image = take(check, KIND_image_load)->event->image_load;

		if (image->file->inode != facts->stat[0].st_ino)
			continue;
		found++;
		want_file(check, facts->path[0], &facts->stat[0], image->file);
		want_number(check, "image_load.by_executable", 0, image->by_executable);
	}
	want_number(check, "image_load of the program", 2, (uint64_t)found);
}

/* ---- memory_exec */
/* Asks for nothing executable, and the kernel makes it so. */
static void act_personality(struct facts *facts)
{
	char *at;

	must(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC));
	must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	at = must(mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(mprotect(at, PAGE, PROT_READ));
	must(personality(0));
}

static void check_personality(struct check *check)
{
	const struct seen *seen = take(check, KIND_memory_exec);

	if (!seen)
		return;
	want_number(check, "memory_exec.action", HINOMI__MEMORY_EXEC__ACTION__ACTION_MAP,
		    seen->event->memory_exec->action);
	want_number(check, "memory_exec.writable", 1, seen->event->memory_exec->writable);
	seen = take(check, KIND_memory_exec);
	if (seen)
		want_number(check, "memory_exec.action",
			    HINOMI__MEMORY_EXEC__ACTION__ACTION_PROTECT,
			    seen->event->memory_exec->action);
	while (there_is(check, KIND_memory_exec)) /* what the C library maps meanwhile */
		take(check, KIND_memory_exec);
}

static void act_memory(struct facts *facts)
{
	char *at;
	int fd;

	must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		  0));
	at = must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	*at = 1;
	facts->number[0] = (uint64_t)(uintptr_t)at;
	must(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
	fd = must(open(facts->path[0], O_RDONLY | O_CLOEXEC));
	must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0));
	at = must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	*at = 1;
	must(mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	close(fd);
}

static const Hinomi__MemoryExec *executable(struct check *check, int action, int memory,
					    bool writable)
{
	const struct seen *seen = take(check, KIND_memory_exec);
	const Hinomi__MemoryExec *body = seen ? seen->event->memory_exec : NULL;

	if (!seen)
		return NULL;
	want_number(check, "memory_exec.action", (uint64_t)action, body->action);
	if (action == HINOMI__MEMORY_EXEC__ACTION__ACTION_MAP || seen->event->tier == 1)
		want_number(check, "memory_exec.memory", (uint64_t)memory, body->memory);
	want_number(check, "memory_exec.writable", writable, body->writable);
	return body;
}

static void check_memory(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__MemoryExec *memory;
	bool first_tier = tier_of(check, KIND_memory_exec) == 1;

	executable(check, HINOMI__MEMORY_EXEC__ACTION__ACTION_MAP,
		   HINOMI__MEMORY_EXEC__MEMORY__MEMORY_ANONYMOUS, true);
	memory = executable(check, HINOMI__MEMORY_EXEC__ACTION__ACTION_PROTECT,
			    HINOMI__MEMORY_EXEC__MEMORY__MEMORY_ANONYMOUS, false);
	if (!memory)
		return;
	want_true(check, "memory_exec.address and size around what was asked",
		  memory->address <= facts->number[0] &&
			  memory->address + memory->size >= facts->number[0] + PAGE);
	if (first_tier)
		want_number(check, "memory_exec.was_writable", 1, memory->was_writable);
	memory = executable(check, HINOMI__MEMORY_EXEC__ACTION__ACTION_MAP,
			    HINOMI__MEMORY_EXEC__MEMORY__MEMORY_FILE, true);
	if (memory)
		want_file(check, facts->path[0], &facts->stat[0], memory->file);
	memory = executable(check, HINOMI__MEMORY_EXEC__ACTION__ACTION_PROTECT,
			    HINOMI__MEMORY_EXEC__MEMORY__MEMORY_FILE, true);
	if (memory && first_tier)
		want_file(check, facts->path[0], &facts->stat[0], memory->file);
}

/* A compiler at run time: one event, and the rest in the ledger. */
static void act_often(struct facts *facts)
{
	for (int i = 0; i < 1000; i++)
		must(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void check_often(struct check *check)
{
	executable(check, HINOMI__MEMORY_EXEC__ACTION__ACTION_MAP,
		   HINOMI__MEMORY_EXEC__MEMORY__MEMORY_ANONYMOUS, false);
}

/* ---- userfaultfd */
static void act_userfaultfd(struct facts *facts)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (act_tried(facts, 0, fd) == ENOSYS)
		act_skip(facts, "this kernel has no userfaultfd");
}

static void check_userfaultfd(struct check *check)
{
	const struct seen *seen = take(check, KIND_userfaultfd);

	if (!seen)
		return;
	want_number(check, "userfaultfd.flags", O_CLOEXEC | O_NONBLOCK,
		    seen->event->userfaultfd->flags);
	want_result(check, check->facts->error[0], seen);
}

/* ---- memory of others, and one's own by the back door */
static void act_own_memory(struct facts *facts)
{
	static const char constant[8] = "constant";
	int fd = must(open("/proc/self/mem", O_RDWR | O_CLOEXEC));

	for (int i = 0; i < 3; i++)
		if (pwrite(fd, "x", 1, (off_t)(uintptr_t)constant) != 1)
			act_skip(facts, "/proc/self/mem: %s", strerror(errno));
	close(fd);
}

static void check_own_memory(struct check *check)
{
	const struct seen *seen;

	take(check, KIND_file_open);
	if (tier_of(check, KIND_process_access) > 1)
		return;
	while (there_is(check, KIND_process_access)) {
		seen = take(check, KIND_process_access);
		if (seen->event->process_access->operation !=
		    HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_FILE_WRITE)
			continue;
		want_result(check, 0, seen);
		want_number(check, "process_access.target.key.pid", (uint64_t)check->facts->actor,
			    seen->event->process_access->target->key->pid);
		return;
	}
	check_fail(check, "expected a write to /proc/self/mem, got none");
}

static int hold[2];

static int victim(struct facts *facts)
{
	char byte;

	(void)facts;
	close(hold[1]);
	return read(hold[0], &byte, 1) == 0 ? 0 : 1;
}

static void act_advise(struct facts *facts)
{
	static char page[2 * PAGE];
	struct iovec piece = {.iov_base = page, .iov_len = PAGE};
	int pidfd;

	must(pipe2(hold, O_CLOEXEC));
	facts->pid[0] = act_fork(facts, victim);
	close(hold[0]);
	pidfd = must((int)syscall(NR_PIDFD_OPEN, facts->pid[0], 0));
	if (act_tried(facts, 0, syscall(NR_PROCESS_MADVISE, pidfd, &piece, 1, COLD, 0)) == ENOSYS)
		facts->number[0] = 1;
	close(pidfd);
	close(hold[1]);
	act_reap(facts, facts->pid[0]);
	if (facts->number[0])
		act_skip(facts, "this kernel has no process_madvise");
}

static void check_advise(struct check *check)
{
	const struct seen *seen;

	want_child(check, check->facts->pid[0], 0);
	/* on 5.10 no function that fentry reaches is called by its name */
	if (tier_of(check, KIND_process_access) == 1 && !there_is(check, KIND_process_access))
		return;
	seen = take(check, KIND_process_access);
	if (!seen)
		return;
	want_number(check, "process_access.operation",
		    HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_ADVISE,
		    seen->event->process_access->operation);
	want_number(check, "process_access.target.key.pid", (uint64_t)check->facts->pid[0],
		    seen->event->process_access->target->key->pid);
	want_number(check, "process_access.request", COLD, seen->event->process_access->request);
	want_result(check, check->facts->error[0], seen);
}

/* ---- descriptors that are handed over */
static void send_one(struct facts *facts, int to, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS}};
	struct iovec one = {.iov_base = "", .iov_len = 1};
	struct msghdr message = {.msg_iov = &one,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	must(sendmsg(to, &message, 0));
}

static void receive_one(struct facts *facts, int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec one = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &one,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};

	must(recvmsg(from, &message, MSG_CMSG_CLOEXEC));
}

/* The last one is opened by nobody, for whom the file system is looked at. */
static void act_received(struct facts *facts)
{
	int pair[2], file, other, null;

	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	file = must(open("received", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	act_path(facts, 0, "received");
	must(fstat(file, &facts->stat[0]));
	null = must(open("/dev/null", O_RDONLY | O_CLOEXEC));
	setfsuid(NOBODY);
	other = must(open("other", O_RDONLY | O_CLOEXEC));
	setfsuid(0);
	send_one(facts, pair[0], file);
	send_one(facts, pair[0], null); /* of no interest */
	send_one(facts, pair[0], file); /* the same once more */
	send_one(facts, pair[0], other);
	for (int i = 0; i < 4; i++)
		receive_one(facts, pair[1]);
}

static void prepare_other(struct facts *facts)
{
	file_make(facts, 1, "other", "x", 0644);
}

static void check_received(struct check *check)
{
	const struct facts *facts = check->facts;

	while (there_is(check, KIND_cred_change))
		take(check, KIND_cred_change);
	take(check, KIND_file_create);
	for (int i = 0; i < 2; i++) {
		const struct seen *seen = take(check, KIND_file_received);
		const Hinomi__FileReceived *body;

		if (!seen)
			return;
		body = seen->event->file_received;
		want_file(check, facts->path[i], &facts->stat[i], body->file);
		want_number(check, "file_received.opener_uid", i ? NOBODY : 0, body->opener_uid);
		want_number(check, "file_received.flags", i ? O_RDONLY : O_RDWR,
			    body->flags & O_ACCMODE);
		want_number(check, "file_received.system_call", CALLED_RECVMSG, body->system_call);
	}
}

/* Of what acts for its holder: a connection, memory, a ring or userfaultfd; not pipes, sockets of
 * the machine. */
static void act_received_kinds(struct facts *facts)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(to);
	int pair[2], pipes[2], fds[5], n = 0, listener = must(socket(AF_INET, SOCK_STREAM, 0));
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	must(pipe2(pipes, O_CLOEXEC));
	must(bind(listener, (void *)&to, len));
	must(listen(listener, 1));
	must(getsockname(listener, (void *)&to, &len));
	memcpy(&facts->address[0], &to, len);
	facts->address_len[0] = len;
	fds[n++] = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(connect(fds[0], (void *)&to, len));
	fds[n++] = must(memfd_create("passed", MFD_CLOEXEC));
	fds[n] = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	facts->number[0] = fds[n] >= 0;
	n += fds[n] >= 0;
	fds[n++] = pipes[0];
	fds[n++] = listener;
	for (int i = 0; i < n; i++) {
		send_one(facts, pair[0], fds[i]);
		receive_one(facts, pair[1]);
	}
}

static void check_received_kinds(struct check *check)
{
	static const unsigned others[] = {KIND_bind, KIND_listen, KIND_connect, KIND_tcp_close};
	int n = 2 + (int)check->facts->number[0];

	for (int i = 0; i < n; i++) {
		const struct seen *seen = take(check, KIND_file_received);
		const Hinomi__FileReceived *body;

		if (!seen)
			return;
		body = seen->event->file_received;
		want_number(check, "file_received.peer", i == 0, body->peer != NULL);
		if (body->peer)
			want_address(check, "file_received.peer", &check->facts->address[0],
				     check->facts->address_len[0], body->peer);
		if (i == 1)
			want_true(check, "file_received.file.memory", body->file->memory);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		while (there_is(check, others[i]))
			take(check, others[i]);
}

const struct test memory_tests[] = {
	{"image_load/map", prepare_library, act_image, check_image},
	{"image_load/loader", prepare_program, act_loader, check_loader},
	{"memory_exec/personality", NULL, act_personality, check_personality},
	{"memory_exec/ways", prepare_library, act_memory, check_memory},
	{"memory_exec/often", NULL, act_often, check_often},
	{"userfaultfd/made", NULL, act_userfaultfd, check_userfaultfd},
	{"process_access/own-memory", NULL, act_own_memory, check_own_memory},
	{"process_access/advise", NULL, act_advise, check_advise},
	{"file_received/kinds", NULL, act_received_kinds, check_received_kinds},
	{"file_received/files", prepare_other, act_received, check_received},
	{},
};
