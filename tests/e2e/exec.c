// SPDX-License-Identifier: Apache-2.0
/* Programs executed in every way that leaves another trace in the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "e2e.h"
#include "own.h"

#define EXECUTIONS 4
#define RESTED_S   3 /* a digest is remembered of files that did not change for two */
#define HOSTILE	   "\x1b[2J\n\xff\xfe \xe2\x80\xae"

static void prepare_program(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

static void want_args(struct check *check, const char *const *want, const Hinomi__Exec *exec)
{
	size_t n = 0, total = 0;

	for (; want[n]; n++) {
		total += strlen(want[n]) + 1;
		if (n < exec->n_args)
			want_text(check, "exec.args", want[n], &exec->args[n]);
	}
	want_number(check, "exec.args (how many)", n, exec->n_args);
	want_number(check, "exec.args_tail (how many)", 0, exec->n_args_tail);
	want_number(check, "exec.args_count", n, exec->args_count);
	want_number(check, "exec.args_total_bytes", total, exec->args_total_bytes);
}

/* What the hash thread says of the file, at once or in an event of its own. */
static void want_hash(struct check *check, const Hinomi__Exec *exec)
{
	uint8_t want[32];

	if (own_sha256(want))
		check_fail(check, "this program cannot be hashed");
	if (exec->hash_state == HINOMI__HASH_STATE__HASH_STATE_KNOWN) {
		want_bytes(check, "exec.sha256", want, sizeof(want), &exec->sha256);
		return;
	}
	want_number(check, "exec.hash_state", HINOMI__HASH_STATE__HASH_STATE_PENDING,
		    exec->hash_state);
	for (size_t i = 0; i < check->story->nevents; i++) {
		const Hinomi__Event *event = check->story->events[i].event;
		const Hinomi__File *file = event->file_hash ? event->file_hash->file : NULL;

		if (check->story->events[i].kind != KIND_file_hash || !file ||
		    file->inode != exec->file->inode)
			continue;
		want_number(check, "file_hash.hash_state", HINOMI__HASH_STATE__HASH_STATE_KNOWN,
			    event->file_hash->hash_state);
		want_bytes(check, "file_hash.sha256", want, sizeof(want),
			   &event->file_hash->sha256);
		return;
	}
	check_fail(check, "expected an event file_hash of inode %llu, got none",
		   (unsigned long long)exec->file->inode);
}

static const char *const plain_args[] = {"marker", "one two", "", HOSTILE, NULL};

static void act_plain(struct facts *facts)
{
	namespaces_read(facts->number);
	act_exec(facts, "./program", plain_args);
}

static void check_plain_process(struct check *check, const struct seen *exec)
{
	const struct facts *facts = check->facts;
	const Hinomi__Process *process = exec->process;

	want_number(check, "process.key.pid", (uint64_t)facts->pid[0], process->key->pid);
	want_number(check, "process.parent.pid", (uint64_t)facts->actor, process->parent->pid);
	want_number(check, "process.creator.pid", (uint64_t)facts->actor,
		    process->creator ? process->creator->pid : 0);
	want_number(check, "event.tid", (uint64_t)facts->pid[0], exec->event->tid);
	want_text(check, "process.comm", "program", &process->comm);
	want_text(check, "process.executable", facts->path[0], &process->executable);
	want_number(check, "process.args (how many)", 4, process->n_args);
	want_number(check, "process.args_truncated", 0, process->args_truncated);
	want_ids(check, "process.credentials", 0, 0, process->credentials);
	want_true(check, "process.credentials.cap_effective of root",
		  process->credentials->cap_effective);
	want_text(check, "process.credentials.user", "root", &process->credentials->user);
	want_text(check, "process.credentials.group", "root", &process->credentials->group);
	want_namespaces(check, "process.namespaces", facts->number, process->namespaces);
	want_number(check, "process.namespace_pid", (uint64_t)facts->pid[0],
		    process->namespace_pid);
	want_number(check, "process.preexisting", 0, process->preexisting);
	want_true(check, "process.ancestors", process->n_ancestors > 0);
}

static void check_plain(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exec = take(check, KIND_exec);
	const Hinomi__Exec *body;

	want_child(check, facts->pid[0], 0);
	if (!exec)
		return;
	body = exec->event->exec;
	want_file(check, facts->path[0], &facts->stat[0], body->file);
	want_text(check, "exec.filename", "./program", &body->filename);
	want_text(check, "exec.interpreter", "", &body->interpreter);
	want_text(check, "exec.cwd", facts->dir, &body->cwd);
	want_args(check, plain_args, body);
	want_number(check, "exec.file.deleted", 0, body->file->deleted);
	want_number(check, "exec.file.memory", 0, body->file->memory);
	want_number(check, "exec.old_tid", 0, body->old_tid);
	want_number(check, "exec.setid", 0, body->setid);
	want_result(check, 0, exec);
	want_hash(check, body);
	check_plain_process(check, exec);
}

/* A file that has rested is hashed once; the next one that executes it is told at once. */
static void act_hashed(struct facts *facts)
{
	ssize_t n = readlink("/proc/self/exe", facts->path[0], LONG_PATH - 1);
	struct stat st;

	facts->path[0][must(n)] = 0;
	must(stat(facts->path[0], &st));
	if (time(NULL) - st.st_ctim.tv_sec < RESTED_S)
		sleep(RESTED_S);
	for (int i = 0; i < EXECUTIONS; i++) {
		act_exec(facts, facts->path[0], (const char *[]){"hashed", NULL});
		usleep(200000);
	}
}

static void check_hashed(struct check *check)
{
	const struct seen *exec = NULL;
	uint8_t want[32];

	for (int i = 0; i < EXECUTIONS; i++) {
		exec = take(check, KIND_exec);
		take(check, KIND_fork);
		take(check, KIND_exit);
	}
	if (!exec || own_sha256(want))
		return;
	want_number(check, "exec.hash_state", HINOMI__HASH_STATE__HASH_STATE_KNOWN,
		    exec->event->exec->hash_state);
	want_bytes(check, "exec.sha256", want, sizeof(want), &exec->event->exec->sha256);
}

static void prepare_script(struct facts *facts)
{
	char line[LONG_PATH + 32];

	program_copy(facts, 0, "interpreter", 0755);
	snprintf(line, sizeof(line), "#!%s -x\nnothing\n", facts->path[0]);
	file_make(facts, 1, "script", line, 0755);
}

static void act_script(struct facts *facts)
{
	act_exec(facts, facts->path[1], (const char *[]){"ignored", "argument", NULL});
}

static void check_script(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exec = take(check, KIND_exec);

	want_child(check, facts->pid[0], 0);
	if (!exec)
		return;
	want_file(check, facts->path[0], &facts->stat[0], exec->event->exec->file);
	want_text(check, "exec.filename", facts->path[1], &exec->event->exec->filename);
	want_text(check, "exec.interpreter", facts->path[0], &exec->event->exec->interpreter);
	want_args(check, (const char *[]){facts->path[0], "-x", facts->path[1], "argument", NULL},
		  exec->event->exec);
	want_text(check, "process.comm", "script", &exec->process->comm);
}

static void exec_fd(struct facts *facts, int fd)
{
	pid_t pid;

	must(fstat(fd, &facts->stat[0]));
	pid = must(fork());
	if (pid == 0) {
		syscall(SYS_execveat, fd, "", (char *[]){"by-descriptor", NULL}, child_env,
			AT_EMPTY_PATH);
		act_fail(facts, "execveat");
	}
	facts->pid[0] = pid;
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the program did not end well");
}

static void act_memfd(struct facts *facts)
{
	int from = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	int fd = must(memfd_create("hinomi-marker", MFD_CLOEXEC));

	while (must(sendfile(fd, from, NULL, 1 << 24)) > 0)
		;
	exec_fd(facts, fd);
}

static void check_memfd(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exec = take(check, KIND_exec);

	want_child(check, facts->pid[0], 0);
	if (!exec)
		return;
	want_file(check, "memfd:hinomi-marker", &facts->stat[0], exec->event->exec->file);
	want_number(check, "exec.file.memory", 1, exec->event->exec->file->memory);
	want_number(check, "exec.file.deleted", 1, exec->event->exec->file->deleted);
	want_args(check, (const char *[]){"by-descriptor", NULL}, exec->event->exec);
	want_true(check, "exec.filename begins with /dev/fd/",
		  exec->event->exec->filename.len > 8 &&
			  !memcmp(exec->event->exec->filename.data, "/dev/fd/", 8));
}

static void act_deleted(struct facts *facts)
{
	int fd = must(open(facts->path[0], O_RDONLY | O_CLOEXEC));

	must(unlink(facts->path[0]));
	exec_fd(facts, fd);
}

static void check_deleted(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exec = take(check, KIND_exec);

	take(check, KIND_file_unlink);
	want_child(check, facts->pid[0], 0);
	if (!exec)
		return;
	want_file(check, facts->path[0], &facts->stat[0], exec->event->exec->file);
	want_number(check, "exec.file.links", 0, exec->event->exec->file->links);
	want_number(check, "exec.file.deleted", 1, exec->event->exec->file->deleted);
	want_number(check, "exec.file.memory", 0, exec->event->exec->file->memory);
}

static void *exec_from_thread(void *ctx)
{
	struct facts *facts = ctx;

	facts->number[0] = (uint64_t)syscall(SYS_gettid);
	execve(facts->path[0], (char *[]){"thread", NULL}, child_env);
	act_fail(facts, "execve");
}

static int threaded(struct facts *facts)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_from_thread, facts))
		act_fail(facts, "pthread_create");
	for (;;)
		pause();
	return 0;
}

static void act_thread(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, threaded);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the program did not end well");
}

static void check_thread(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exec = take(check, KIND_exec);

	want_child(check, facts->pid[0], 0);
	if (!exec)
		return;
	want_number(check, "exec.old_tid", facts->number[0], exec->event->exec->old_tid);
	want_number(check, "event.tid", (uint64_t)facts->pid[0], exec->event->tid);
	want_number(check, "process.key.pid", (uint64_t)facts->pid[0], exec->process->key->pid);
}

static void prepare_setid(struct facts *facts)
{
	program_copy(facts, 0, "program", 04755);
}

static void check_setid(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *exec = take(check, KIND_exec);
	const struct seen *change =
		there_is(check, KIND_cred_change) ? take(check, KIND_cred_change) : NULL;

	want_child(check, facts->pid[0], 0);
	if (!exec)
		return;
	want_number(check, "exec.setid", 1, exec->event->exec->setid);
	want_number(check, "exec.file.mode", facts->stat[0].st_mode, exec->event->exec->file->mode);
	want_number(check, "process.credentials.uid", NOBODY, exec->process->credentials->uid);
	want_number(check, "process.credentials.euid", 0, exec->process->credentials->euid);
	want_number(check, "process.credentials.suid", 0, exec->process->credentials->suid);
	want_number(check, "process.credentials.gid", NOBODY, exec->process->credentials->gid);
	want_true(check, "exec.before of set-id", exec->event->exec->before);
	if (exec->event->exec->before)
		want_number(check, "exec.before.euid", NOBODY, exec->event->exec->before->euid);
	/* tier 2 hears of system calls that are about credentials, and exec is none of them */
	if (change && change->event->cred_change->old) {
		want_number(check, "cred_change.old.euid", NOBODY,
			    change->event->cred_change->old->euid);
		want_number(check, "process.credentials.euid", 0,
			    change->process->credentials->euid);
	}
	want_true(check, "a cred_change, unless that is on tier 2",
		  change || tier_of(check, KIND_cred_change) == 2);
}

static void prepare_unexecutable(struct facts *facts)
{
	file_make(facts, 0, "unexecutable", "x", 0644);
	file_make(facts, 1, "formless", "x", 0755);
}

static void act_failed(struct facts *facts)
{
	char *argv[] = {"x", NULL};

	act_tried(facts, 0, execve("./nothing-here", argv, child_env));
	act_tried(facts, 1, execve(facts->path[0], argv, child_env));
	act_tried(facts, 2, execve("./formless", argv, child_env));
	if (facts->error[0] != ENOENT || facts->error[1] != EACCES || facts->error[2] != ENOEXEC)
		act_fail(facts, "execve of nothing");
}

static const Hinomi__ExecFailed *refused(struct check *check, const char *filename, int error)
{
	const struct seen *seen = take(check, KIND_exec_failed);

	if (!seen)
		return NULL;
	want_result(check, error, seen);
	want_text(check, "exec_failed.filename", filename, &seen->event->exec_failed->filename);
	return seen->event->exec_failed;
}

static void check_failed(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__ExecFailed *failed;
	char asked[LONG_PATH];

	refused(check, "./nothing-here", ENOENT);
	refused(check, facts->path[0], EACCES);
	if (there_is(check, KIND_file_read)) /* tier 1: the kernel's own opening of it, refused */
		take(check, KIND_file_read);
	failed = refused(check, "./formless", ENOEXEC);
	snprintf(asked, sizeof(asked), "%s/./formless", facts->dir);
	if (failed && tier_of(check, KIND_exec_failed) == 1)
		want_file(check, facts->path[1], &facts->stat[1], failed->file);
	else if (failed)
		want_asked(check, asked, failed->file);
}

const struct test exec_tests[] = {
	{"exec/plain", prepare_program, act_plain, check_plain},
	{"exec/script", prepare_script, act_script, check_script},
	{"exec/memfd", NULL, act_memfd, check_memfd},
	{"exec/deleted", prepare_program, act_deleted, check_deleted},
	{"exec/thread", prepare_program, act_thread, check_thread},
	{"exec/setid", prepare_setid, act_plain, check_setid, .nobody = true},
	{"exec/hashed", NULL, act_hashed, check_hashed},
	{"exec_failed/failed", prepare_unexecutable, act_failed, check_failed},
	{},
};
