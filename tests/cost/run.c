// SPDX-License-Identifier: Apache-2.0
/* One run of a workload, in a process of its own. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "cost.h"

#define WARM_SHARE 16 /* of the iterations are done once before */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_usec * 1000;
}

/* This process's, and that of children it has waited for. */
static uint64_t own_ns(void)
{
	struct rusage children;

	getrusage(RUSAGE_CHILDREN, &children);
	return now_ns(CLOCK_PROCESS_CPUTIME_ID) + ns_of(children.ru_utime) +
	       ns_of(children.ru_stime);
}

static bool repeat(const struct workload *workload, const struct ground *ground, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!workload->act(ground, i)) {
			perror(workload->name);
			return false;
		}
	return true;
}

static int act(const struct workload *workload, const struct ground *ground, unsigned n,
	       const char *cgroup, int parent)
{
	struct outcome outcome;
	char go = 0;

	if (cgroup && !cgroup_enter(cgroup))
		return 1;
	if (workload->prepare && !workload->prepare())
		return 1;
	if (!workload->fixed && !repeat(workload, ground, n / WARM_SHARE + 1))
		return 1;
	if (write(parent, &go, 1) != 1 || read(parent, &go, 1) != 1)
		return 1;
	outcome.own_ns = own_ns();
	outcome.wall_ns = now_ns(CLOCK_MONOTONIC);
	if (!repeat(workload, ground, n))
		return 1;
	outcome.wall_ns = now_ns(CLOCK_MONOTONIC) - outcome.wall_ns;
	outcome.own_ns = own_ns() - outcome.own_ns;
	return write(parent, &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1;
}

bool run_workload(const struct workload *workload, const struct ground *ground, unsigned n,
		  const char *cgroup, void (*begin)(void *ctx), void *ctx, struct outcome *ret)
{
	int pair[2], status;
	bool done = false;
	char go = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		_exit(act(workload, ground, n, cgroup, pair[1]));
	}
	close(pair[1]);
	if (pid > 0 && read(pair[0], &go, 1) == 1) {
		begin(ctx);
		done = write(pair[0], &go, 1) == 1 &&
		       read(pair[0], ret, sizeof(*ret)) == sizeof(*ret);
	}
	close(pair[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status && done;
}
