// SPDX-License-Identifier: Apache-2.0
/* What every event says of the process that made it. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void touch(struct facts *facts, const char *name)
{
	close(must(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

/* One process that forks, executes twice and ends: one identity, three images. */
static int executes(struct facts *facts)
{
	touch(facts, "before");
	execve(facts->path[0], (char *[]){"first", "second", NULL}, child_env);
	act_fail(facts, "execve");
}

static void prepare_program(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

/* The program of CHILD_ENV=again executes itself once more. */
static void act_identity(struct facts *facts)
{
	child_env[0] = CHILD_ENV "=again";
	facts->pid[0] = act_fork(facts, executes);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the program did not end well");
}

static void check_identity(struct check *check)
{
	const pid_t pid = check->facts->pid[0];
	const struct seen *fork = take(check, KIND_fork), *create = take(check, KIND_file_create);
	const struct seen *first = take_of(check, KIND_exec, pid);
	const struct seen *second = take_of(check, KIND_exec, pid);
	const struct seen *exit = take_of(check, KIND_exit, pid);
	const Hinomi__ProcessKey *key;

	if (!fork || !create || !first || !second || !exit)
		return;
	key = fork->event->fork->child;
	want_key(check, "key before exec", key, create->process->key);
	want_number(check, "key.start_ns after exec", key->start_ns, first->process->key->start_ns);
	want_true(check, "key.exec_id grew with the first exec",
		  first->process->key->exec_id > key->exec_id);
	want_true(check, "key.exec_id grew with the second exec",
		  second->process->key->exec_id > first->process->key->exec_id);
	want_number(check, "key.start_ns after the second exec", key->start_ns,
		    second->process->key->start_ns);
	want_key(check, "key at exit", second->process->key, exit->process->key);
	want_key(check, "creator at exit", fork->process->key, exit->process->creator);
	want_text(check, "process.comm", "exe", &exit->process->comm); /* as it was called */
	want_text(check, "process.executable", check->facts->path[0], &exit->process->executable);
	want_text(check, "ancestors[0]", "e2e", &exit->process->ancestors[0]);
}

static void act_preexisting(struct facts *facts)
{
	namespaces_read(facts->number);
	touch(facts, "marker");
}

static void check_preexisting(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_create);
	char own[PATH_MAX] = "";

	if (!seen)
		return;
	want_number(check, "process.preexisting", 1, seen->process->preexisting);
	want_true(check, "this program's own path",
		  readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	want_text(check, "process.executable", own, &seen->process->executable);
	want_text(check, "process.comm", "e2e", &seen->process->comm);
	want_namespaces(check, "process.namespaces", check->facts->number,
			seen->process->namespaces);
	want_true(check, "process.ancestors", seen->process->n_ancestors > 0);
	want_number(check, "process.parent.pid", (uint64_t)getpid(), seen->process->parent->pid);
}

static void act_login(struct facts *facts)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "65534", 5) != 5)
		act_skip(facts, "no login uid can be set here: %s", strerror(errno));
	close(fd);
	touch(facts, "marker");
}

static void check_login(struct check *check)
{
	const struct seen *seen;

	take(check, KIND_file_open); /* of /proc/self/loginuid */
	take(check, KIND_login);
	seen = take(check, KIND_file_create);
	if (!seen)
		return;
	want_number(check, "process.login_uid", NOBODY, seen->process->login_uid);
	want_text(check, "process.login_user", "nobody", &seen->process->login_user);
	want_true(check, "process.session_id is set", seen->process->session_id != UINT32_MAX);
}

static void act_touch(struct facts *facts)
{
	touch(facts, "marker");
}

static void check_container(struct check *check)
{
	const struct seen *seen;
	char path[PATH_MAX];
	const char *suite = check->cgroup_path;

	snprintf(path, sizeof(path), "%s/docker-" CONTAINER ".scope", suite);
	check->cgroup_id = 0;
	check->cgroup_path = path;
	seen = take(check, KIND_file_create);
	take_of(check, KIND_exit, check->facts->actor);
	if (!seen)
		return;
	want_text(check, "process.container_id", CONTAINER, &seen->process->container_id);
	want_text(check, "process.unit", "docker-" CONTAINER ".scope", &seen->process->unit);
}

#define POD_CGROUP \
	"kubepods-pod0a1b2c3d_1111_2222_3333_0123456789ab.slice:cri-containerd:" CONTAINER

static void check_pod(struct check *check)
{
	const struct seen *seen;
	char path[PATH_MAX];
	const char *suite = check->cgroup_path;

	snprintf(path, sizeof(path), "%s/" POD_CGROUP, suite);
	check->cgroup_id = 0;
	check->cgroup_path = path;
	seen = take(check, KIND_file_create);
	take_of(check, KIND_exit, check->facts->actor);
	if (!seen)
		return;
	want_text(check, "process.container_id", CONTAINER, &seen->process->container_id);
	want_text(check, "process.pod_uid", "0a1b2c3d-1111-2222-3333-0123456789ab",
		  &seen->process->pod_uid);
	want_number(check, "process.runtime", HINOMI__RUNTIME__RUNTIME_CONTAINERD,
		    seen->process->runtime);
}

#define HOSTILE "\x1b[31m\n\xff\"\\"

static void act_comm(struct facts *facts)
{
	must(prctl(PR_SET_NAME, HOSTILE));
	touch(facts, "marker");
}

static void check_comm(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_create);

	if (seen)
		want_text(check, "process.comm", HOSTILE, &seen->process->comm);
}

static void *thread_touches(void *ctx)
{
	struct facts *facts = ctx;

	facts->number[0] = (uint64_t)syscall(SYS_gettid);
	touch(facts, "marker");
	return NULL;
}

static void act_thread(struct facts *facts)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_touches, facts))
		act_fail(facts, "pthread_create");
	pthread_join(thread, NULL);
}

static void check_thread(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_create);

	if (!seen)
		return;
	want_number(check, "event.tid", check->facts->number[0], seen->event->tid);
	want_number(check, "process.key.pid", (uint64_t)check->facts->actor,
		    seen->process->key->pid);
}

static void act_namespaces(struct facts *facts)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP))
		act_skip(facts, "unshare: %s", strerror(errno));
	namespaces_read(facts->number);
	touch(facts, "marker");
}

static void check_namespaces(struct check *check)
{
	const struct seen *seen = take(check, KIND_file_create);

	if (seen)
		want_namespaces(check, "process.namespaces", check->facts->number,
				seen->process->namespaces);
}

const struct test process_tests[] = {
	{"process/identity", prepare_program, act_identity, check_identity},
	{"process/preexisting", NULL, act_preexisting, check_preexisting, .early = true},
	{"process/login", NULL, act_login, check_login},
	{"process/container", NULL, act_touch, check_container,
	 .cgroup = "docker-" CONTAINER ".scope"},
	{"process/pod", NULL, act_touch, check_pod, .cgroup = POD_CGROUP},
	{"process/comm", NULL, act_comm, check_comm},
	{"process/thread", NULL, act_thread, check_thread},
	{"process/namespaces", NULL, act_namespaces, check_namespaces},
	{},
};
