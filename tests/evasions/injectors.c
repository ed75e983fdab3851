// SPDX-License-Identifier: Apache-2.0
/* One process in another one's memory, and code that comes out of data. Nothing is changed that
 * matters. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "evade.h"

#define PAGE 4096

static uint64_t word = 7;

/* A child that waits to be worked on. */
static pid_t victim(void)
{
	pid_t pid = (pid_t)must(fork());

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "victim");
		pause();
		_exit(0);
	}
	usleep(200000);
	note("victim", "%d", pid);
	return pid;
}

static int finish(pid_t pid)
{
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) != pid;
}

static int poke(char **argv)
{
	pid_t pid = victim();

	(void)argv;
	must(ptrace(PTRACE_ATTACH, pid, 0, 0));
	must(waitpid(pid, NULL, 0));
	must(ptrace(PTRACE_POKEDATA, pid, &word, 8));
	must(ptrace(PTRACE_DETACH, pid, 0, 0));
	return finish(pid);
}

static int proc_mem(char **argv)
{
	pid_t pid = victim();
	char path[64];
	int fd;

	(void)argv;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = (int)must(open(path, O_RDWR | O_CLOEXEC));
	must(pwrite(fd, &word, sizeof(word), (off_t)(uintptr_t)&word));
	return finish(pid);
}

static int vm_write(char **argv)
{
	struct iovec here = {&word, sizeof(word)};
	pid_t pid = victim();

	(void)argv;
	must(process_vm_writev(pid, &here, 1, &here, 1, 0));
	return finish(pid);
}

static int advise(char **argv)
{
	pid_t pid = victim();
	int fd = (int)must(syscall(SYS_pidfd_open, pid, 0));
	struct iovec page = {(void *)((uintptr_t)&word & ~(uintptr_t)(PAGE - 1)), PAGE};

	(void)argv;
	if (syscall(440 /* process_madvise */, fd, &page, 1, MADV_PAGEOUT, 0) < 0 &&
	    errno == ENOSYS)
		return skip("this kernel has no process_madvise");
	return finish(pid);
}

static int steal_fd(char **argv)
{
	pid_t pid = victim();
	int fd = (int)must(syscall(SYS_pidfd_open, pid, 0));

	(void)argv;
	must(syscall(438 /* pidfd_getfd */, fd, 1, 0));
	return finish(pid);
}

#if defined(__x86_64__)
static const unsigned char code[] = {0x31, 0xc0, 0xc3}; /* xor eax, eax; ret */
#else
static const unsigned char code[] = {0x00, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif

static int run_page(char *page)
{
	int (*function)(void) = (int (*)(void))(uintptr_t)page;

	__builtin___clear_cache(page, page + sizeof(code));
	return function();
}

/* Written first, made executable then. */
static int write_then_run(char **argv)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)argv;
	memcpy(page, code, sizeof(code));
	must(mprotect(page, PAGE, PROT_READ | PROT_EXEC));
	return run_page(page);
}

static int write_and_run(char **argv)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)argv;
	memcpy(page, code, sizeof(code));
	return run_page(page);
}

/* A supervisor answers open() of its child with a file of its own choosing. */
static void supervise(int listener)
{
	struct seccomp_notif request = {0};
	struct seccomp_notif_addfd give = {.flags = SECCOMP_ADDFD_FLAG_SETFD, .newfd = 100};
	struct seccomp_notif_resp answer = {.val = 100};

	must(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
	give.id = answer.id = request.id;
	give.srcfd = (uint32_t)must(open("given", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	note_inode("given", (int)give.srcfd);
	must(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give));
	must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

static int notify(char **argv)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog filter = {sizeof(program) / sizeof(*program), program};
	int fd, pidfd;
	pid_t pid;

	(void)argv;
	pid = (pid_t)must(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
	if (!pid) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			     &filter));
		_exit(openat(AT_FDCWD, "asked", O_RDONLY) != 100);
	}
	usleep(300000);
	for (fd = 3; fd < 16; fd++) { /* the table of descriptors is shared */
		char path[64], name[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, name, sizeof(name) - 1) > 0 && strstr(name, "seccomp"))
			break;
	}
	supervise(fd);
	return waitpid(pid, &pidfd, 0) != pid || pidfd;
}

const struct performer injectors[] = {{"poke", poke},
				      {"proc-mem", proc_mem},
				      {"vm-write", vm_write},
				      {"advise", advise},
				      {"steal-fd", steal_fd},
				      {"write-then-run", write_then_run},
				      {"write-and-run", write_and_run},
				      {"notify", notify},
				      {0}};
