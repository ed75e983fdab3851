// SPDX-License-Identifier: Apache-2.0
/* Ends of processes: by themselves, by signals, with cores, thread by thread. */
#include <hinomi/kinds.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "e2e.h"

static int waits(struct facts *facts)
{
	(void)facts;
	for (;;)
		pause();
	return 0;
}

static void act_signal(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, waits);
	must(kill(facts->pid[0], SIGKILL));
	facts->number[0] = (uint64_t)act_reap(facts, facts->pid[0]);
}

static void check_status(struct check *check)
{
	want_child(check, check->facts->pid[0], (int)check->facts->number[0]);
}

static int aborts(struct facts *facts)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	must(setrlimit(RLIMIT_CORE, &all));
	kill(getpid(), SIGABRT);
	return 0;
}

static void act_core(struct facts *facts)
{
	signal(SIGABRT, SIG_DFL);
	facts->pid[0] = act_fork(facts, aborts);
	facts->number[0] = (uint64_t)act_reap(facts, facts->pid[0]);
	if (!WCOREDUMP((int)facts->number[0]))
		act_skip(facts, "this machine writes no cores");
}

static void check_core(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exited;

	take(check, KIND_fork);
	exited = take_of(check, KIND_exit, facts->pid[0]);
	/* the kernel makes the core file itself, which is no system call: tier 2 does not see it */
	if (there_is(check, KIND_file_create))
		want_true(check, "file_create of a core on tier 1 only",
			  take(check, KIND_file_create)->event->tier == 1);
	if (there_is(check, KIND_file_truncate))
		want_true(check, "file_truncate of a core on tier 1 only",
			  take(check, KIND_file_truncate)->event->tier == 1);
	if (!exited)
		return;
	want_number(check, "exit.signal", SIGABRT, exited->event->exit->signal);
	want_number(check, "exit.core_dumped", 1, exited->event->exit->core_dumped);
	want_number(check, "exit.code", 0, (uint64_t)exited->event->exit->code);
}

/* The leading thread goes first; the process ends with the other one. */
static void *last_thread(void *ctx)
{
	struct facts *facts = ctx;

	facts->number[1] = (uint64_t)syscall(SYS_gettid);
	usleep(50000);
	syscall(SYS_exit_group, 3);
	return NULL;
}

static int leader_goes(struct facts *facts)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, last_thread, facts))
		act_fail(facts, "pthread_create");
	syscall(SYS_exit, 0);
	return 0;
}

static void act_last_thread(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, leader_goes);
	facts->number[0] = (uint64_t)act_reap(facts, facts->pid[0]);
}

static void check_last_thread(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exited;

	take(check, KIND_fork);
	exited = take_of(check, KIND_exit, facts->pid[0]);
	if (!exited)
		return;
	want_number(check, "exit.code", 3, (uint64_t)exited->event->exit->code);
	want_number(check, "event.tid", facts->number[1], exited->event->tid);
	want_true(check, "exit.run_ns >= 50 ms", exited->event->exit->run_ns >= 50 * NS_PER_MS);
}

static void *thread_waits(void *ctx)
{
	for (;;)
		pause();
	return ctx;
}

static int many_threads(struct facts *facts)
{
	pthread_t thread;

	for (int i = 0; i < 8; i++)
		if (pthread_create(&thread, NULL, thread_waits, NULL))
			act_fail(facts, "pthread_create");
	return 5;
}

static void act_threads(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, many_threads);
	facts->number[0] = (uint64_t)act_reap(facts, facts->pid[0]);
}

const struct test exit_tests[] = {
	{"exit/signal", NULL, act_signal, check_status},
	{"exit/core", NULL, act_core, check_core},
	{"exit/last-thread", NULL, act_last_thread, check_last_thread},
	{"exit/threads", NULL, act_threads, check_status},
	{},
};
