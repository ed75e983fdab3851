// SPDX-License-Identifier: Apache-2.0
/* Processes made and ended in every way. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "e2e.h"

static int child_code_7(struct facts *facts)
{
	(void)facts;
	return 7;
}

static void act_plain(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, child_code_7);
	facts->number[0] = (uint64_t)act_reap(facts, facts->pid[0]);
}

static void check_plain(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *forked = take(check, KIND_fork);
	const struct seen *exited = take_of(check, KIND_exit, facts->pid[0]);
	const Hinomi__Fork *fork;

	if (!forked || !exited)
		return;
	fork = forked->event->fork;
	want_number(check, "fork.child.pid", (uint64_t)facts->pid[0], fork->child->pid);
	want_key(check, "the child's key at its exit", fork->child, exited->process->key);
	want_key(check, "fork.child_parent", forked->process->key, fork->child_parent);
	want_key(check, "process.creator", forked->process->key, exited->process->creator);
	want_number(check, "fork.child_namespace_pid", (uint64_t)facts->pid[0],
		    fork->child_namespace_pid);
	want_number(check, "fork.child_cgroup_id", check->cgroup_id, fork->child_cgroup_id);
	want_number(check, "fork.child_namespaces.pid", forked->process->namespaces->pid,
		    fork->child_namespaces->pid);
	want_number(check, "exit.code", 7, (uint64_t)exited->event->exit->code);
	want_number(check, "exit.signal", 0, exited->event->exit->signal);
	want_true(check, "0 < exit.run_ns < the test's time",
		  exited->event->exit->run_ns > 0 &&
			  exited->event->exit->run_ns < facts->end_ns - facts->begin_ns);
}

/* Through the system call: the C library's wrappers want stacks and hide flags. */
static pid_t clone_raw(struct facts *facts, uint64_t flags, int cgroup, int (*fn)(struct facts *))
{
	struct clone_args args = {.flags = flags,
				  .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
				  .cgroup = (uint64_t)cgroup};
	pid_t pid = must((pid_t)syscall(SYS_clone3, &args, sizeof(args)));

	if (pid == 0)
		_exit(fn(facts));
	return pid;
}

static int child_clones_sibling(struct facts *facts)
{
	facts->pid[1] = clone_raw(facts, CLONE_PARENT, 0, child_code_7);
	return 0;
}

static void act_clone_parent(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, child_clones_sibling);
	act_reap(facts, facts->pid[0]);
	act_reap(facts, facts->pid[1]);
}

static void check_clone_parent(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *first = take_of(check, KIND_fork, facts->actor);
	const struct seen *second = take_of(check, KIND_fork, facts->pid[0]);
	const struct seen *exited = take_of(check, KIND_exit, facts->pid[1]);

	take_of(check, KIND_exit, facts->pid[0]);
	if (!first || !second || !exited)
		return;
	want_number(check, "fork.child.pid", (uint64_t)facts->pid[1],
		    second->event->fork->child->pid);
	want_key(check, "fork.child_parent", first->process->key,
		 second->event->fork->child_parent);
	want_key(check, "process.creator", first->event->fork->child, exited->process->creator);
	want_key(check, "process.parent", first->process->key, exited->process->parent);
}

static void prepare_cgroup(struct facts *facts)
{
	struct stat st;

	snprintf(facts->path[0], sizeof(facts->path[0]), "%s/inner", facts->cgroup);
	if (cgroup_make(facts->path[0]) || stat(facts->path[0], &st))
		act_fail(facts, facts->path[0]);
	facts->number[0] = st.st_ino;
}

static void act_cgroup(struct facts *facts)
{
	int fd = must(open(facts->path[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	facts->pid[0] = clone_raw(facts, CLONE_INTO_CGROUP, fd, child_code_7);
	act_reap(facts, facts->pid[0]);
}

static void check_cgroup(struct check *check)
{
	const struct seen *forked = take(check, KIND_fork);
	const struct seen *exited;

	check->cgroup_id = check->facts->number[0];
	check->cgroup_path = NULL;
	exited = take_of(check, KIND_exit, check->facts->pid[0]);
	check->cgroup_id = 0;
	if (!forked || !exited)
		return;
	want_number(check, "fork.child_cgroup_id", check->facts->number[0],
		    forked->event->fork->child_cgroup_id);
}

static void *nothing(void *ctx)
{
	return ctx;
}

static void act_thread(struct facts *facts)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL))
		act_fail(facts, "pthread_create");
	pthread_join(thread, NULL);
}

static void check_nothing(struct check *check)
{
	(void)check; /* a thread is no process */
}

static void act_vfork(struct facts *facts)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	facts->pid[0] = must(pid);
	act_reap(facts, pid);
}

static void check_vfork(struct check *check)
{
	want_child(check, check->facts->pid[0], 0);
}

static int pid_1(struct facts *facts)
{
	namespaces_read(facts->number);
	return getpid() == 1 ? 0 : 1;
}

static void act_pid_namespace(struct facts *facts)
{
	if (unshare(CLONE_NEWPID))
		act_skip(facts, "unshare(CLONE_NEWPID): %s", strerror(errno));
	facts->pid[0] = act_fork(facts, pid_1);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the child is not pid 1");
}

static void check_pid_namespace(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *forked = take(check, KIND_fork);
	const struct seen *exited = take_of(check, KIND_exit, facts->pid[0]);

	if (!forked || !exited)
		return;
	want_number(check, "fork.child_namespace_pid", 1, forked->event->fork->child_namespace_pid);
	want_namespaces(check, "fork.child_namespaces", facts->number,
			forked->event->fork->child_namespaces);
	want_number(check, "process.namespace_pid", 1, exited->process->namespace_pid);
	want_number(check, "process.namespaces.pid", facts->number[NS_PID],
		    exited->process->namespaces->pid);
	want_true(check, "another pid namespace than the creator's",
		  forked->process->namespaces->pid != facts->number[NS_PID]);
}

static int grandparent(struct facts *facts)
{
	pid_t own = getpid(), pid = must(fork());

	if (pid == 0) {
		while (getppid() == own)
			usleep(1000);
		facts->number[0] = (uint64_t)getppid();
		_exit(0);
	}
	facts->pid[1] = pid;
	return 0;
}

static void act_orphan(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, grandparent);
	act_reap(facts, facts->pid[0]);
	while (wait(NULL) > 0)
		;
}

/* The parent changes when it dies, the creator never. */
static void check_orphan(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exited;

	take(check, KIND_fork);
	take(check, KIND_fork);
	take_of(check, KIND_exit, facts->pid[0]);
	exited = take_of(check, KIND_exit, facts->pid[1]);
	if (!exited)
		return;
	want_number(check, "process.parent.pid", facts->number[0], exited->process->parent->pid);
	want_number(check, "process.creator.pid", (uint64_t)facts->pid[0],
		    exited->process->creator ? exited->process->creator->pid : 0);
}

const struct test fork_tests[] = {
	{"fork/plain", NULL, act_plain, check_plain},
	{"fork/clone-parent", NULL, act_clone_parent, check_clone_parent},
	{"fork/into-cgroup", prepare_cgroup, act_cgroup, check_cgroup},
	{"fork/vfork", NULL, act_vfork, check_vfork},
	{"fork/thread", NULL, act_thread, check_nothing},
	{"fork/pid-namespace", NULL, act_pid_namespace, check_pid_namespace},
	{"fork/orphan", NULL, act_orphan, check_orphan},
	{},
};
