// SPDX-License-Identifier: Apache-2.0
/* What a process does to itself: sandboxes, its name, prctl. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

/* ---- sandboxes */
static struct sock_filter everything[] = {
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_fprog program = {.len = 1, .filter = everything};

static void act_sandbox(struct facts *facts)
{
	int listener;

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	act_tried(facts, 0, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0));
	if (facts->error[0] == EINVAL)
		act_skip(facts, "this kernel has no seccomp filters");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	must(listener);
	close(listener);
}

static const Hinomi__Sandbox *sandboxed(struct check *check, int change)
{
	const struct seen *seen = take(check, KIND_sandbox);

	if (!seen)
		return NULL;
	want_result(check, 0, seen);
	want_number(check, "sandbox.change", (uint64_t)change, seen->event->sandbox->change);
	return seen->event->sandbox;
}

static void check_sandbox(struct check *check)
{
	const Hinomi__Sandbox *sandbox;
	uint8_t want[32];
	unsigned size = sizeof(want);

	EVP_Digest(everything, sizeof(everything), want, &size, EVP_sha256(), NULL);
	sandboxed(check, HINOMI__SANDBOX__CHANGE__CHANGE_NO_NEW_PRIVS);
	for (unsigned i = 0; i < 2; i++) {
		sandbox = sandboxed(check, HINOMI__SANDBOX__CHANGE__CHANGE_FILTER);
		if (!sandbox)
			return;
		want_number(check, "sandbox.instructions", 1, sandbox->instructions);
		want_number(check, "sandbox.listener", i, sandbox->listener);
		want_number(check, "sandbox.flags", i ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0,
			    sandbox->flags);
		want_true(check, "sandbox.filters", sandbox->filters > i);
		if (sandbox->sha256.len) /* kernels without CHECKPOINT_RESTORE keep no original */
			want_bytes(check, "sandbox.sha256", want, sizeof(want), &sandbox->sha256);
	}
}

static int strictly(struct facts *facts)
{
	(void)facts;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0))
		return 1;
	syscall(SYS_exit, 0);
	return 1;
}

static void act_strict(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, strictly);
	if (act_reap(facts, facts->pid[0]))
		act_skip(facts, "this kernel has no strict mode");
}

static void check_strict(struct check *check)
{
	sandboxed(check, HINOMI__SANDBOX__CHANGE__CHANGE_STRICT);
	want_child(check, check->facts->pid[0], 0);
}

/* ---- names; of threads beyond the first they are nobody's business */
static void *name_thread(void *ctx)
{
	prctl(PR_SET_NAME, "thread", 0, 0, 0);
	return ctx;
}

static void act_name(struct facts *facts)
{
	pthread_t thread;
	int fd;

	must(prctl(PR_SET_NAME, "\x1b[2J", 0, 0, 0));
	if (pthread_create(&thread, NULL, name_thread, facts) || pthread_join(thread, NULL))
		act_fail(facts, "a thread");
	fd = must(open("/proc/self/comm", O_WRONLY | O_CLOEXEC));
	must(write(fd, "kworker/0:1", 11));
	close(fd);
}

static void check_name(struct check *check)
{
	const struct seen *first = take(check, KIND_process_name);
	const struct seen *second = take(check, KIND_process_name);

	take(check, KIND_file_open);
	if (!first || !second)
		return;
	want_text(check, "process_name.old", "e2e", &first->event->process_name->old);
	want_text(check, "process_name.now", "\x1b[2J", &first->event->process_name->now);
	want_text(check, "process_name.old", "\x1b[2J", &second->event->process_name->old);
	want_text(check, "process_name.now", "kworker/0:1", &second->event->process_name->now);
	want_text(check, "process.comm", "kworker/0:1", &second->process->comm);
}

/* ---- prctl */
static void act_prctl(struct facts *facts)
{
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	act_tried(facts, 0, prctl(PR_SET_MM, PR_SET_MM_START_CODE, 4096, 0, 0));
	must(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -1);
}

static void check_prctl(struct check *check)
{
	const struct seen *dumpable = take(check, KIND_prctl), *mm = take(check, KIND_prctl);

	if (!dumpable || !mm)
		return;
	want_number(check, "prctl.option", PR_SET_DUMPABLE, dumpable->event->prctl->option);
	want_number(check, "prctl.value", 0, dumpable->event->prctl->value);
	want_number(check, "prctl.option", PR_SET_MM, mm->event->prctl->option);
	want_number(check, "prctl.value", PR_SET_MM_START_CODE, mm->event->prctl->value);
	want_number(check, "prctl.address", 4096, mm->event->prctl->address);
	want_result(check, check->facts->error[0], mm);
}

const struct test restrict_tests[] = {
	{"sandbox/filter", NULL, act_sandbox, check_sandbox},
	{"sandbox/strict", NULL, act_strict, check_strict},
	{"process_name/set", NULL, act_name, check_name},
	{"prctl/set", NULL, act_prctl, check_prctl},
	{},
};
