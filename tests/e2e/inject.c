// SPDX-License-Identifier: Apache-2.0
/* What a process does to another one: access to its memory and descriptors, and signals. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_PIDFD_OPEN	     434
#define NR_PIDFD_GETFD	     438
#define MODE_ATTACH	     2 /* PTRACE_MODE_ATTACH */

static int hold[2]; /* the victim lives until the writing end is closed */

static int victim(struct facts *facts)
{
	char byte;

	(void)facts;
	close(hold[1]);
	return read(hold[0], &byte, 1) == 0 ? 0 : 1;
}

static void victim_start(struct facts *facts)
{
	must(pipe2(hold, O_CLOEXEC));
	facts->pid[0] = act_fork(facts, victim);
	close(hold[0]);
}

static void victim_end(struct facts *facts)
{
	close(hold[1]);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the victim did not end well");
}

static const Hinomi__ProcessAccess *accessed(struct check *check, int operation, int error)
{
	const struct seen *seen = take(check, KIND_process_access);
	const Hinomi__ProcessAccess *access;

	if (!seen)
		return NULL;
	access = seen->event->process_access;
	want_result(check, error, seen);
	want_number(check, "process_access.operation", (uint64_t)operation, access->operation);
	want_number(check, "process_access.target.key.pid", (uint64_t)check->facts->pid[0],
		    access->target->key->pid);
	want_number(check, "process_access.call_known", 1, access->call_known);
	if (seen->event->tier > 1)
		return access;
	want_text(check, "process_access.target.comm", "e2e", &access->target->comm);
	want_true(check, "process_access.target.key.start_ns", access->target->key->start_ns);
	want_true(check, "process_access.mode with ATTACH", access->mode & MODE_ATTACH);
	return access;
}

static void act_memory(struct facts *facts)
{
	static char here[4] = "new", there[4] = "old";
	struct iovec local = {here, 4}, remote = {there, 4};

	victim_start(facts);
	must(process_vm_writev(facts->pid[0], &local, 1, &remote, 1, 0));
	must(process_vm_readv(facts->pid[0], &local, 1, &remote, 1, 0));
	victim_end(facts);
}

static void check_memory(struct check *check)
{
	const Hinomi__ProcessAccess *access =
		accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_MEMORY_WRITE, 0);

	if (access)
		want_number(check, "process_access.system_call", SYS_process_vm_writev,
			    access->system_call);
	accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_MEMORY_READ, 0);
	want_child(check, check->facts->pid[0], 0);
}

static void act_ptrace(struct facts *facts)
{
	victim_start(facts);
	must(ptrace(PTRACE_SEIZE, facts->pid[0], NULL, NULL));
	victim_end(facts);
}

static void check_ptrace(struct check *check)
{
	const Hinomi__ProcessAccess *access =
		accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_PTRACE, 0);

	if (access)
		want_number(check, "process_access.request", PTRACE_SEIZE, access->request);
	want_child(check, check->facts->pid[0], 0);
}

/* Through /proc there is no system call of its own: tier 1 alone sees it. */
static void act_proc_mem(struct facts *facts)
{
	char path[64];
	int fd;

	victim_start(facts);
	snprintf(path, sizeof(path), "/proc/%d/mem", facts->pid[0]);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	close(fd);
	victim_end(facts);
}

static void check_proc_mem(struct check *check)
{
	if (tier_of(check, KIND_process_access) == 1)
		accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_OPEN, 0);
	want_child(check, check->facts->pid[0], 0);
}

static void act_descriptor(struct facts *facts)
{
	int pidfd, fd;

	victim_start(facts);
	pidfd = must((int)syscall(NR_PIDFD_OPEN, facts->pid[0], 0));
	fd = must((int)syscall(NR_PIDFD_GETFD, pidfd, hold[0], 0));
	close(fd);
	close(pidfd);
	victim_end(facts);
}

static void check_descriptor(struct check *check)
{
	accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_DESCRIPTOR, 0);
	want_child(check, check->facts->pid[0], 0);
}

static int traceme(struct facts *facts)
{
	(void)facts;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0;
}

static void act_traceme(struct facts *facts)
{
	facts->pid[1] = act_fork(facts, traceme);
	facts->pid[0] = getpid();
	if (act_reap(facts, facts->pid[1]))
		act_fail(facts, "PTRACE_TRACEME");
}

static void check_traceme(struct check *check)
{
	const struct seen *seen = take_of(check, KIND_process_access, check->facts->pid[1]);

	if (seen) {
		const Hinomi__ProcessAccess *access = seen->event->process_access;

		want_number(check, "process_access.operation",
			    HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_TRACE_ME,
			    access->operation);
		want_number(check, "process_access.target.key.pid", (uint64_t)check->facts->pid[0],
			    access->target->key->pid);
	}
	want_child(check, check->facts->pid[1], 0);
}

/* ---- refused: the actor is nobody, and the process above it is not */
static void act_access_refused(struct facts *facts)
{
	char byte, path[64];
	struct iovec local = {&byte, 1}, remote = {&byte, 1};

	facts->pid[0] = getppid();
	if (act_tried(facts, 0, ptrace(PTRACE_SEIZE, getppid(), NULL, NULL)) != EPERM)
		act_fail(facts, "ptrace of root's process");
	if (act_tried(facts, 1, process_vm_readv(getppid(), &local, 1, &remote, 1, 0)) != EPERM)
		act_fail(facts, "process_vm_readv of root's process");
	snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
	if (act_tried(facts, 2, open(path, O_RDONLY | O_CLOEXEC)) != EACCES)
		act_fail(facts, path);
}

static void check_access_refused(struct check *check)
{
	const Hinomi__ProcessAccess *access =
		accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_PTRACE, EPERM);

	if (access)
		want_number(check, "process_access.request", PTRACE_SEIZE, access->request);
	accessed(check, HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_MEMORY_READ, EPERM);
	while (there_is(check, KIND_file_read)) /* the file may not be opened either */
		take(check, KIND_file_read);
}

/* ---- signals */
static const Hinomi__Signal *signalled_to(struct check *check, int number, const char *comm)
{
	const struct seen *seen = take(check, KIND_signal);

	if (!seen)
		return NULL;
	want_result(check, 0, seen);
	want_number(check, "signal.signal", (uint64_t)number, seen->event->signal->signal);
	want_number(check, "signal.target.key.pid", (uint64_t)check->facts->pid[0],
		    seen->event->signal->target->key->pid);
	want_true(check, "signal.target.key.start_ns", seen->event->signal->target->key->start_ns);
	if (comm)
		want_text(check, "signal.target.comm", comm, &seen->event->signal->target->comm);
	return seen->event->signal;
}

static const Hinomi__Signal *signalled(struct check *check, int number)
{
	return signalled_to(check, number, "e2e");
}

static int stranger(struct facts *facts)
{
	(void)facts;
	signal(SIGURG, SIG_IGN);
	if (setsid() < 0 || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return victim(facts);
}

/* Any signal crosses users; the victim waits until it is another one. */
static void act_cross(struct facts *facts)
{
	char path[64];
	struct stat st;

	must(pipe2(hold, O_CLOEXEC));
	facts->pid[0] = act_fork(facts, stranger);
	close(hold[0]);
	snprintf(path, sizeof(path), "/proc/%d", facts->pid[0]);
	for (int i = 0; i < 1000 && !stat(path, &st) && st.st_uid != NOBODY; i++)
		usleep(1000);
	must(kill(facts->pid[0], 0)); /* a question, not a signal */
	must(kill(facts->pid[0], SIGURG));
	victim_end(facts);
}

static void check_cross(struct check *check)
{
	const Hinomi__Signal *signal = signalled(check, SIGURG);

	while (there_is(check, KIND_cred_change))
		take(check, KIND_cred_change);
	if (signal) {
		want_number(check, "signal.target.uid", NOBODY, signal->target->uid);
		want_number(check, "signal.code", 0, (uint64_t)signal->code);
	}
	want_child(check, check->facts->pid[0], 0);
}

static int other_session(struct facts *facts)
{
	if (setsid() < 0)
		return 1;
	return victim(facts);
}

static void await_session(pid_t pid)
{
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0, session = 0; i < 1000 && session != pid; i++) {
		FILE *file = fopen(path, "re");

		if (file && fgets(line, sizeof(line), file))
			sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %d", &session);
		if (file)
			fclose(file);
		usleep(1000);
	}
}

static void act_fatal(struct facts *facts)
{
	siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};

	must(pipe2(hold, O_CLOEXEC));
	facts->pid[0] = act_fork(facts, other_session);
	close(hold[0]);
	await_session(facts->pid[0]);
	must((int)syscall(SYS_rt_sigqueueinfo, facts->pid[0], SIGTERM, &info));
	close(hold[1]);
	if (act_reap(facts, facts->pid[0]) != SIGTERM)
		act_fail(facts, "the victim was not ended");
}

static void check_fatal(struct check *check)
{
	const Hinomi__Signal *signal = signalled(check, SIGTERM);

	if (signal)
		want_number(check, "signal.code", (uint64_t)(int32_t)SI_QUEUE,
			    (uint64_t)signal->code);
	want_child(check, check->facts->pid[0], SIGTERM);
}

/* ---- refused: the actor is nobody, and the process above it is not */
static void act_refused(struct facts *facts)
{
	int pidfd = must((int)syscall(NR_PIDFD_OPEN, getppid(), 0));

	facts->pid[0] = getppid();
	if (act_tried(facts, 0, kill(getppid(), SIGURG)) != EPERM ||
	    act_tried(facts, 1, syscall(SYS_tgkill, getppid(), getppid(), SIGURG)) != EPERM ||
	    act_tried(facts, 2, syscall(NR_PIDFD_SEND_SIGNAL, pidfd, SIGURG, NULL, 0)) != EPERM)
		act_fail(facts, "a signal to root");
	act_tried(facts, 3, kill(getppid(), 0)); /* a question */
	close(pidfd);
}

static void check_refused(struct check *check)
{
	for (int i = 0; i < 3; i++) {
		const struct seen *seen = take(check, KIND_signal);

		if (!seen)
			return;
		want_result(check, EPERM, seen);
		want_number(check, "signal.signal", SIGURG, seen->event->signal->signal);
		want_number(check, "signal.target.key.pid", (uint64_t)check->facts->pid[0],
			    seen->event->signal->target->key->pid);
		if (seen->event->tier == 1)
			want_text(check, "signal.target.comm", "e2e",
				  &seen->event->signal->target->comm);
	}
}

/* 0 where the kernel lists no children. */
static pid_t first_child(pid_t pid)
{
	char path[64];
	FILE *file;
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%d", &child) != 1)
		child = 0;
	if (file)
		fclose(file);
	return child;
}

/* Any signal to the sensor counts, whoever sends it. */
static void act_to_sensor(struct facts *facts)
{
	if (!sensor_pid)
		act_skip(facts, "the sensor is somebody else's");
	facts->pid[0] = sensor_pid;
	must(kill(sensor_pid, SIGCONT));
	facts->pid[1] = first_child(sensor_pid);
	if (facts->pid[1] > 0)
		must(kill(facts->pid[1], SIGCONT));
}

static void check_to_sensor(struct check *check)
{
	const Hinomi__Signal *signal = signalled_to(check, SIGCONT, NULL);

	if (signal)
		want_number(check, "signal.to_sensor", 1, signal->to_sensor);
	if (check->facts->pid[1] <= 0)
		return;
	check->facts->pid[0] = check->facts->pid[1];
	signal = signalled_to(check, SIGCONT, NULL);
	if (signal)
		want_number(check, "signal.to_sensor of a helper", 1, signal->to_sensor);
}

/* Of the same user, each ends a process that does not handle it; harmless ones are left out. */
static const int enders[] = {SIGUSR1, SIGALRM, SIGIO, SIGTSTP, SIGBUS, 40};

static int hardened(struct facts *facts)
{
	for (size_t i = 0; i < sizeof(enders) / sizeof(*enders); i++)
		signal(enders[i], SIG_IGN);
	return other_session(facts);
}

static void act_enders(struct facts *facts)
{
	must(pipe2(hold, O_CLOEXEC));
	facts->pid[0] = act_fork(facts, hardened);
	close(hold[0]);
	await_session(facts->pid[0]);
	for (size_t i = 0; i < sizeof(enders) / sizeof(*enders); i++)
		must(kill(facts->pid[0], enders[i]));
	must(kill(facts->pid[0], SIGWINCH));
	must(kill(facts->pid[0], SIGURG));
	victim_end(facts);
}

static void check_enders(struct check *check)
{
	for (size_t i = 0; i < sizeof(enders) / sizeof(*enders); i++)
		signalled(check, enders[i]);
	want_child(check, check->facts->pid[0], 0);
}

/* A descriptor is asked to send it when it becomes ready. */
static void act_descriptor_signal(struct facts *facts)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	must(pipe2(hold, O_CLOEXEC));
	facts->pid[0] = act_fork(facts, other_session);
	close(hold[0]);
	await_session(facts->pid[0]);
	must(fcntl(pair[0], F_SETOWN, facts->pid[0]));
	must(fcntl(pair[0], F_SETSIG, SIGKILL));
	must(fcntl(pair[0], F_SETFL, O_ASYNC));
	must((int)write(pair[1], "x", 1));
	close(hold[1]);
	if (act_reap(facts, facts->pid[0]) != SIGKILL)
		act_fail(facts, "the victim was not ended");
	close(pair[0]);
	close(pair[1]);
}

static void check_descriptor_signal(struct check *check)
{
	signalled(check, SIGKILL);
	want_child(check, check->facts->pid[0], SIGKILL);
}

/* What a shell does to its jobs is daily work, and no event. */
static void act_own_child(struct facts *facts)
{
	victim_start(facts);
	must(kill(facts->pid[0], SIGTERM));
	if (act_reap(facts, facts->pid[0]) != SIGTERM)
		act_fail(facts, "the victim was not ended");
	close(hold[1]);
}

static void check_own_child(struct check *check)
{
	want_child(check, check->facts->pid[0], SIGTERM);
}

const struct test inject_tests[] = {
	{"process_access/memory", NULL, act_memory, check_memory},
	{"process_access/ptrace", NULL, act_ptrace, check_ptrace},
	{"process_access/proc-mem", NULL, act_proc_mem, check_proc_mem},
	{"process_access/descriptor", NULL, act_descriptor, check_descriptor},
	{"process_access/traceme", NULL, act_traceme, check_traceme},
	{"process_access/refused", NULL, act_access_refused, check_access_refused, .nobody = true},
	{"signal/other-user", NULL, act_cross, check_cross},
	{"signal/fatal", NULL, act_fatal, check_fatal},
	{"signal/refused", NULL, act_refused, check_refused, .nobody = true},
	{"signal/to-sensor", NULL, act_to_sensor, check_to_sensor, .watched = true},
	{"signal/enders", NULL, act_enders, check_enders},
	{"signal/descriptor", NULL, act_descriptor_signal, check_descriptor_signal},
	{"signal/own-child", NULL, act_own_child, check_own_child},
	{},
};
