// SPDX-License-Identifier: Apache-2.0
/* Who did it: processes that hide who made them, or become somebody else. */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "evade.h"

#define TO_RUN "/bin/true"

static pid_t clone_3(struct clone_args args)
{
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* A daemon: its maker, and the maker's maker, are gone when it acts. */
static int daemonise(char **argv)
{
	pid_t pid = (pid_t)must(fork());

	(void)argv;
	if (pid) {
		must(waitpid(pid, NULL, 0));
		usleep(500000);
		return 0;
	}
	setsid();
	note("middle", "%d", getpid());
	if (must(fork()))
		_exit(0);
	while (getppid() != 1 && getppid() != 0)
		usleep(1000);
	note("pid", "%d", getpid());
	execl(TO_RUN, "true", "daemonised", NULL);
	_exit(STATUS_FAILED);
}

/* A child that is not a child: its parent is the maker's. */
static int clone_parent(char **argv)
{
	int fd[2];
	char byte;
	pid_t pid;

	(void)argv;
	must(pipe2(fd, O_CLOEXEC));
	note("maker", "%d", getpid());
	note("parent", "%d", getppid());
	pid = clone_3((struct clone_args){.flags = CLONE_PARENT, .exit_signal = 0});
	if (pid < 0)
		return skip("this kernel does not make such a child");
	if (!pid) {
		note("pid", "%d", getpid());
		execl(TO_RUN, "true", "adopted", NULL);
		_exit(STATUS_FAILED);
	}
	close(fd[1]);
	return read(fd[0], &byte, 1) != 0; /* until the child has let go of it */
}

/* clone-into DIR: a child that is born in another cgroup. */
static int clone_into(char **argv)
{
	struct stat stat;
	int fd = (int)must(open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	pid_t pid;

	must(fstat(fd, &stat));
	note("cgroup", "%ju", (uintmax_t)stat.st_ino);
	pid = clone_3((struct clone_args){
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd});
	if (pid < 0)
		return skip("this kernel does not make such a child");
	if (!pid) {
		execl(TO_RUN, "true", "into", NULL);
		_exit(STATUS_FAILED);
	}
	return waitpid(pid, NULL, 0) != pid;
}

static int borrow(char **argv)
{
	pid_t pid = vfork();

	(void)argv;
	if (!pid) {
		execl(TO_RUN, "true", "borrowed", NULL);
		_exit(STATUS_FAILED);
	}
	return waitpid(pid, NULL, 0) != pid;
}

static void *exec_here(void *context)
{
	(void)context;
	note("tid", "%d", gettid());
	execl(TO_RUN, "true", "from-a-thread", NULL);
	return NULL;
}

/* exec in a thread that is not the first one: it takes over the first one's number. */
static int thread_exec(char **argv)
{
	pthread_t thread;

	(void)argv;
	note("pid", "%d", getpid());
	pthread_create(&thread, NULL, exec_here, NULL);
	pause();
	return STATUS_FAILED;
}

/* One number, two processes, one after the other. */
static int reuse(char **argv)
{
	pid_t pid = (pid_t)must(fork());

	(void)argv;
	if (!pid)
		_exit(0);
	must(waitpid(pid, NULL, 0));
	note("pid", "%d", pid);
	for (int i = 0; i < 2; i++) {
		pid_t child = clone_3((struct clone_args){
			.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1});

		if (!child) {
			execl(TO_RUN, "true", "reused", NULL);
			_exit(STATUS_FAILED);
		}
		if (must(child) != pid || waitpid(child, NULL, 0) != child)
			return STATUS_FAILED;
	}
	return 0;
}

/* crowd N: so many processes are born and die, then the first one acts. */
static int crowd(char **argv)
{
	unsigned number = (unsigned)strtoul(argument(argv, 0, "1000"), NULL, 10);

	note("pid", "%d", getpid());
	for (unsigned i = 0; i < number; i++) {
		pid_t pid = vfork();

		if (!pid)
			_exit(0);
		must(waitpid(must(pid), NULL, 0));
	}
	must(open("after-the-crowd", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return 0;
}

/* Becomes nobody, without exec, and acts. */
static int become_nobody(char **argv)
{
	(void)argv;
	must(chmod(".", 0777));
	must(setresgid(65534, 65534, 65534));
	must(setresuid(65534, 65534, 65534));
	must(open("by-nobody", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return 0;
}

const struct performer changelings[] = {
	{"daemonise", daemonise}, {"clone-parent", clone_parent},   {"clone-into", clone_into},
	{"borrow", borrow},	  {"thread-exec", thread_exec},	    {"reuse", reuse},
	{"crowd", crowd},	  {"become-nobody", become_nobody}, {0}};
