// SPDX-License-Identifier: Apache-2.0
/*
 * The canary's part for processes and the kernel.  Most calls are made so that
 * the kernel refuses them: the hooks see those as well, and nothing changes
 * whatever rights the sensor has.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/internal.h"

/* the same everywhere; not in every libc's headers */
#define NR_MOVE_MOUNT	  429
#define NR_OPEN_TREE	  428
#define NR_FSCONFIG	  431
#define NR_FSMOUNT	  432
#define NR_MOUNT_SETATTR  442
#define NR_OPEN_TREE_ATTR 467
#define TREE_CLONE	  1
#define RECONFIGURE	  7
#define NO_CLONE_FLAG	  1 /* refused by unshare */

static void tried(long result)
{
	(void)result;
}

/* Takes part in a trace and ends; its parent ignores the signal.  Nobody may send one that claims
 * to come from kill(2). */
static void touched(void)
{
	siginfo_t forged = {.si_signo = SIGHUP, .si_code = SI_USER};

	kill(getppid(), SIGHUP);
	tried(syscall(SYS_rt_sigqueueinfo, getppid(), SIGHUP, &forged));
	tried(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	_exit(0);
}

static void touch_processes(void)
{
	char byte;
	struct iovec local = {.iov_base = &byte, .iov_len = 1}, remote = {.iov_len = 1};
	int go[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		return;
	signal(SIGHUP, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == 0)
			touched();
		_exit(1);
	}
	close(go[0]);
	if (pid > 0)
		tried(process_vm_readv(pid, &local, 1, &remote, 1, 0));
	close(go[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void touch_exec(void)
{
	char *argv[] = {"canary", NULL};

	int fd = memfd_create("canary", MFD_CLOEXEC);

	execv("/nonexistent/canary", argv);
	if (fd < 0)
		return;
	if (write(fd, "canary", 6) == 6) /* opened, and then no known format */
		tried(syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH));
	close(fd);
}

static void touch_mounts(void)
{
	tried(mount("canary", "/", "no-such-filesystem", 0, NULL));
	tried(umount2("/proc/self", MNT_DETACH));
	tried(syscall(NR_MOVE_MOUNT, -1, "", -1, "", 0));
	tried(syscall(NR_OPEN_TREE, -1, "", TREE_CLONE));
	tried(syscall(NR_OPEN_TREE_ATTR, -1, "", TREE_CLONE, NULL, 0));
	tried(syscall(NR_FSMOUNT, -1, 0, 0));
	tried(syscall(NR_FSCONFIG, -1, RECONFIGURE, NULL, NULL, 0));
	tried(syscall(NR_MOUNT_SETATTR, -1, "", 0, NULL, 0));
	tried(syscall(SYS_pivot_root, "", ""));
	tried(chroot(""));
}

static void touch_namespaces(void)
{
	tried(syscall(SYS_setns, -1, CLONE_NEWUTS));
	tried(syscall(SYS_unshare, CLONE_NEWUTS | NO_CLONE_FLAG));
}

/* Where it is not set, this changes nothing; where it is, the kernel refuses, or this child alone
 * has none. */
static void touch_login(void)
{
	static const char unset[] = "4294967295";
	int fd;

	/* of a process that is not dumpable these files are root's, and the service is not; no key
	 * is in this child's memory */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	tried(write(fd, unset, sizeof(unset) - 1));
	close(fd);
}

static void touch_itself(void)
{
	tried(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	tried(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0));
	tried(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
	tried(prctl(PR_SET_NAME, "canary", 0, 0, 0));
}

void canary_kernel(void)
{
	touch_itself();
	touch_exec();
	touch_processes();
	touch_mounts();
	touch_namespaces();
	touch_login();
}
