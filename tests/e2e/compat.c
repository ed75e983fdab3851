// SPDX-License-Identifier: Apache-2.0
/* 32-bit and x32 system calls of a 64-bit program: other tables, the same files and sockets. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <net/if.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

#if defined(__x86_64__)
#include "int80.h"

enum {
	NR_open = 5,
	NR_creat = 8,
	NR_unlink = 10,
	NR_execve = 11,
	NR_rename = 38,
	NR_socketcall = 102,
	NR_chmod = 15,
	NR_connect = 362,
	NR_utime = 30,
	NR_mkdir = 39,
	NR_truncate64 = 193,
	NR_prctl = 172,
	NR_seccomp = 354,
};

#define X32  0x40000000 /* and the native number */

#define PAGE 4096

static char *low_page(struct facts *facts)
{
	return must((char *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
}

static void act_files(struct facts *facts)
{
	char *name = low_page(facts), *other = name + 64;
	long fd;

	int80_probe(facts);
	act_path(facts, 0, "marker");
	act_path(facts, 1, "other");
	strcpy(name, "marker");
	strcpy(other, "other");
	fd = int80(NR_open, (long)name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	must(fstat((int)fd, &facts->stat[0]));
	close((int)fd);
	fd = int80(NR_creat, (long)other, 0600, 0);
	must(fstat((int)fd, &facts->stat[1]));
	close((int)fd);
	if (int80(NR_chmod, (long)other, 0644, 0) || int80(NR_rename, (long)name, (long)other, 0) ||
	    int80(NR_unlink, (long)other, 0, 0))
		act_fail(facts, "a 32-bit call");
}

static void act_files_x32(struct facts *facts)
{
	long fd;

	if (syscall(X32 | SYS_getpid) != getpid())
		act_skip(facts, "this kernel has no x32 system calls");
	act_path(facts, 0, "marker");
	act_path(facts, 1, "other");
	fd = must(syscall(X32 | SYS_openat, AT_FDCWD, "marker", O_WRONLY | O_CREAT | O_EXCL, 0600));
	must(fstat((int)fd, &facts->stat[0]));
	close((int)fd);
	fd = must(syscall(X32 | SYS_creat, "other", 0600));
	must(fstat((int)fd, &facts->stat[1]));
	close((int)fd);
	must(syscall(X32 | SYS_chmod, "other", 0644));
	must(syscall(X32 | SYS_rename, "marker", "other"));
	must(syscall(X32 | SYS_unlink, "other"));
}

static void want_compat(struct check *check, const struct seen *seen)
{
	want_number(check, "event.compat", 1, seen->event->compat);
}

static void check_files(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *first = take(check, KIND_file_create);
	const struct seen *second = take(check, KIND_file_create);
	const struct seen *mode = take(check, KIND_file_mode);
	const struct seen *rename = take(check, KIND_file_rename);
	const struct seen *unlink = take(check, KIND_file_unlink);

	if (facts->pid[0])
		want_child(check, facts->pid[0], 0);
	if (!first || !second || !mode || !rename || !unlink)
		return;
	want_file(check, facts->path[0], &facts->stat[0], first->event->file_create->file);
	want_file(check, facts->path[1], &facts->stat[1], second->event->file_create->file);
	want_text(check, "file_mode.file.path", facts->path[1],
		  &mode->event->file_mode->file->path);
	want_number(check, "file_mode.mode", 0644, mode->event->file_mode->mode);
	want_text(check, "file_rename.old_path", facts->path[0],
		  &rename->event->file_rename->old_path);
	want_text(check, "file_unlink.file.path", facts->path[1],
		  &unlink->event->file_unlink->file->path);
	want_compat(check, first);
	want_compat(check, second);
	want_compat(check, mode);
	want_compat(check, rename);
	want_compat(check, unlink);
}

static void act_change(struct facts *facts)
{
	char *name = low_page(facts), *directory = name + 64;
	int *times = (int *)(name + 128);

	int80_probe(facts);
	act_path(facts, 0, "marker");
	act_path(facts, 1, "directory");
	strcpy(name, "marker");
	strcpy(directory, "directory");
	times[0] = 1000000000;
	times[1] = 1100000000;
	if (int80(NR_truncate64, (long)name, 7, 1) || int80(NR_utime, (long)name, (long)times, 0) ||
	    int80(NR_mkdir, (long)directory, 0700, 0))
		act_fail(facts, "a 32-bit call");
}

static void prepare_change(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
}

static void check_change(struct check *check)
{
	const struct seen *length = take(check, KIND_file_truncate);
	const struct seen *times = take(check, KIND_file_times);
	const struct seen *made = take(check, KIND_file_make);

	want_child(check, check->facts->pid[0], 0);
	if (!length || !times || !made)
		return;
	want_number(check, "file_truncate.length", (1ull << 32) + 7,
		    length->event->file_truncate->length);
	want_number(check, "file_times.accessed_ns", 1000000000000000000,
		    times->event->file_times->accessed_ns);
	want_number(check, "file_times.modified_ns", 1100000000000000000,
		    times->event->file_times->modified_ns);
	want_text(check, "file_make.file.path", check->facts->path[1],
		  &made->event->file_make->file->path);
	want_compat(check, length);
	want_compat(check, times);
	want_compat(check, made);
}

/* ---- a 64-bit program that is executed by a call of 32 bits, behind one that failed */
static void prepare_exec(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

static int executes(struct facts *facts)
{
	char *low = low_page(facts);
	unsigned *vectors = (unsigned *)(low + 512);

	strcpy(low, "program");
	strcpy(low + 64, "missing");
	snprintf(low + 128, 128, "%s", child_env[0]);
	vectors[0] = (unsigned)(long)low;	  /* argv */
	vectors[2] = (unsigned)(long)(low + 128); /* envp */
	if (facts->number[0]) { /* by another call after all: nothing may be left */
		int80(NR_execve, (long)(low + 64), (long)vectors, (long)(vectors + 2));
		execve("program", (char *[]){"program", NULL}, child_env);
	}
	int80(NR_execve, (long)low, (long)vectors, (long)(vectors + 2));
	return 1;
}

static void act_exec_by_32(struct facts *facts)
{
	int80_probe(facts);
	for (int i = 0; i < 2; i++) {
		facts->number[0] = (uint64_t)i;
		facts->pid[1 + i] = act_fork(facts, executes);
		if (act_reap(facts, facts->pid[1 + i]))
			act_fail(facts, "the program did not end well");
	}
}

static void check_exec_by_32(struct check *check)
{
	const struct seen *first = take(check, KIND_exec), *second = take(check, KIND_exec);

	take(check, KIND_exec_failed);
	for (int i = 0; i < 3; i++)
		want_child(check, check->facts->pid[i], 0);
	if (!first || !second || tier_of(check, KIND_cred_change) != 1)
		return; /* what is seen on the way to an exec takes fentry */
	want_compat(check, first);
	want_number(check, "event.compat of the other", 0, second->event->compat);
}

static void act_sockets(struct facts *facts)
{
	struct sockaddr_in *to = (void *)low_page(facts);
	unsigned *call = (unsigned *)((char *)to + 64);
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	int80_probe(facts);
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to->sin_port = htons(7);
	memcpy(&facts->address[0], to, sizeof(*to));
	if (int80(NR_connect, fd, (long)to, sizeof(*to)))
		act_fail(facts, "connect");
	to->sin_port = htons(9);
	memcpy(&facts->address[1], to, sizeof(*to));
	call[0] = (unsigned)fd;
	call[1] = (unsigned)(long)to;
	call[2] = sizeof(*to);
	if (int80(NR_socketcall, 3, (long)call, 0)) /* 3: connect */
		act_fail(facts, "socketcall");
	close(fd);
}

/* x32 has numbers of its own for calls that take structures with pointers. */
#define NR_X32_execve  520
#define NR_X32_sendmsg 518

static void act_own_x32(struct facts *facts)
{
	struct sockaddr_in *to = (void *)low_page(facts);
	unsigned *words = (unsigned *)((char *)to + 64), *vector = words + 16;
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	if (syscall(X32 | SYS_getpid) != getpid())
		act_skip(facts, "this kernel has no x32 system calls");
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to->sin_port = htons(9);
	memcpy(&facts->address[0], to, sizeof(*to));
	vector[0] = (unsigned)(long)to;
	vector[1] = 4;
	words[0] = (unsigned)(long)to; /* struct msghdr with pointers of 32 bits */
	words[1] = sizeof(*to);
	words[2] = (unsigned)(long)vector;
	words[3] = 1;
	must(syscall(X32 | NR_X32_sendmsg, fd, words, 0));
	close(fd);
	act_tried(facts, 0, syscall(X32 | NR_X32_execve, "missing", NULL, NULL));
}

static void check_own_x32(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *flow = take(check, KIND_udp_flow);
	const struct seen *exec = take(check, KIND_exec_failed);

	if (!flow || !exec)
		return;
	want_address(check, "udp_flow.peer", &facts->address[0], 0,
		     flow->event->udp_flow->socket->peer);
	want_compat(check, flow);
	while (there_is(check, KIND_udp_flow)) /* what it counted */
		take(check, KIND_udp_flow);
	want_text(check, "exec_failed.filename", "missing", &exec->event->exec_failed->filename);
	want_result(check, facts->error[0], exec);
	want_compat(check, exec);
}

static void check_sockets(struct check *check)
{
	const struct facts *facts = check->facts;

	want_child(check, facts->pid[0], 0);
	for (int i = 0; i < 2; i++) {
		const struct seen *connect = take(check, KIND_connect);

		if (!connect)
			return;
		want_address(check, "connect.peer", &facts->address[i], 0,
			     connect->event->connect->peer);
		want_compat(check, connect);
	}
}

/* ---- what begins a connection and what changes the network, by calls of 32 bits */

enum {
	NR_write = 4,
	NR_ioctl = 54,
	NR_writev = 146,
	CALL_SEND = 9,
	CALL_SETSOCKOPT = 14,
	CALL_SENDMSG = 16
};

struct low {
	char hello[16];
	unsigned call[5];
	unsigned header[7]; /* struct msghdr */
	unsigned vector[4]; /* two of struct iovec */
	struct ifreq request;
};

static int connected(struct facts *facts, int *listener)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	*listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(bind(*listener, (struct sockaddr *)&at, len));
	must(getsockname(*listener, (struct sockaddr *)&at, &len));
	must(listen(*listener, 1));
	must(connect(fd, (struct sockaddr *)&at, len));
	return fd;
}

#define HELLO_SIZE 9

static void act_net(struct facts *facts)
{
	struct low *low = (void *)low_page(facts);
	int listener, fd;

	int80_probe(facts);
	fd = connected(facts, &listener);
	memcpy(low->hello, "\026\003\001\0\004\001\0\0\0", HELLO_SIZE);
	low->call[0] = (unsigned)fd;
	low->call[1] = (unsigned)(long)low->hello;
	low->call[2] = HELLO_SIZE;
	must(int80(NR_socketcall, CALL_SEND, (long)low->call, 0));
	low->vector[0] = (unsigned)(long)low->hello;
	low->vector[1] = 5;
	low->vector[2] = low->vector[0] + 5;
	low->vector[3] = HELLO_SIZE - 5;
	low->header[2] = (unsigned)(long)low->vector;
	low->header[3] = 2;
	low->call[1] = (unsigned)(long)low->header;
	low->call[2] = 0;
	must(int80(NR_socketcall, CALL_SENDMSG, (long)low->call, 0));
	must(int80(NR_write, fd, (long)low->hello, HELLO_SIZE));
	must(int80(NR_writev, fd, (long)low->vector, 2));
	strcpy(low->request.ifr_name, "marker");
	int80(NR_ioctl, fd, SIOCSIFMTU, (long)&low->request);
	low->call[1] = IPPROTO_IP;
	low->call[2] = 64; /* IPT_SO_SET_REPLACE */
	low->call[3] = (unsigned)(long)&low->request;
	low->call[4] = 32;
	int80(NR_socketcall, CALL_SETSOCKOPT, (long)low->call, 0);
	close(fd);
	close(listener);
	usleep(20000);
}

static void check_net(struct check *check)
{
	static const unsigned rest[] = {KIND_bind, KIND_listen, KIND_connect};
	int hellos = sees_writes(check, KIND_tls_hello) ? 4 : 2;

	want_child(check, check->facts->pid[0], 0);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		take(check, rest[i]);
	take_ends(check);
	for (int i = 0; i < hellos; i++) {
		const struct seen *hello = take(check, KIND_tls_hello);

		if (!hello)
			return;
		want_compat(check, hello);
		want_true(check, "a malformed hello", hello->event->tls_hello->malformed);
	}
	for (int i = 0; i < 2; i++) {
		const struct seen *change = take(check, KIND_net_change);

		if (!change)
			return;
		want_compat(check, change);
		want_number(check, "changes", 1, change->event->net_change->n_changes);
	}
}

/* What a process does to itself, told by the arguments that 32-bit programs pass. */
static void act_itself(struct facts *facts)
{
	struct {
		unsigned short len;
		unsigned filter; /* a pointer */
	} *program = (void *)low_page(facts);
	struct sock_filter *allow = (void *)((char *)program + 64);

	int80_probe(facts);
	*allow = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program->len = 1;
	program->filter = (unsigned)(long)allow;
	if (int80(NR_prctl, PR_SET_KEEPCAPS, 1, 0) || int80(NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0) ||
	    int80(NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)program))
		act_fail(facts, "a 32-bit call");
}

static void check_itself(struct check *check)
{
	const struct seen *prctl = take(check, KIND_prctl);
	const struct seen *first = take(check, KIND_sandbox), *second = take(check, KIND_sandbox);

	while (there_is(check, KIND_cred_change)) /* tier 1: KEEPCAPS is one of the securebits */
		take(check, KIND_cred_change);
	want_child(check, check->facts->pid[0], 0);
	if (!prctl || !first || !second)
		return;
	want_number(check, "prctl.option", PR_SET_KEEPCAPS, prctl->event->prctl->option);
	want_number(check, "prctl.value", 1, prctl->event->prctl->value);
	want_number(check, "sandbox.change", HINOMI__SANDBOX__CHANGE__CHANGE_NO_NEW_PRIVS,
		    first->event->sandbox->change);
	want_number(check, "sandbox.instructions", 1, second->event->sandbox->instructions);
	want_compat(check, prctl);
	want_compat(check, first);
	want_compat(check, second);
}

const struct test compat_tests[] = {
	{"compat/itself", NULL, act_itself, check_itself},
	{"compat/exec", prepare_exec, act_exec_by_32, check_exec_by_32},
	{"compat/files", NULL, act_files, check_files},
	{"compat/change", prepare_change, act_change, check_change},
	{"compat/sockets", NULL, act_sockets, check_sockets},
	{"compat/net", NULL, act_net, check_net},
	{"compat/x32-files", NULL, act_files_x32, check_files},
	{"compat/x32-own", NULL, act_own_x32, check_own_x32},
	{},
};

#else
const struct test compat_tests[] = {{}};
#endif
