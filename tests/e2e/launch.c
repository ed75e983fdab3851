// SPDX-License-Identifier: Apache-2.0
/* What an exec says of the file, of the rights that it gave, and of what the process was given. */
#include <link.h>
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <hinomi/record_process.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "e2e.h"

#define BIT(capability) (1u << (capability))

/* What is seen on the way to an exec takes fentry, as the first tier of this class does. */
static bool sees_the_way(const struct check *check)
{
	return tier_of(check, KIND_cred_change) == 1;
}

static const Hinomi__Exec *launched(struct check *check)
{
	const struct seen *seen = take(check, KIND_exec);

	want_child(check, check->facts->pid[0], 0);
	return seen ? seen->event->exec : NULL;
}

static void prepare_program(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

/* ---- a script that is interpreted by a script */
static void prepare_levels(struct facts *facts)
{
	char line[LONG_PATH + 32];

	program_copy(facts, 0, "interpreter", 0755);
	snprintf(line, sizeof(line), "#!%s\nnothing\n", facts->path[0]);
	file_make(facts, 1, "second", line, 0755);
	snprintf(line, sizeof(line), "#!%s\nnothing\n", facts->path[1]);
	file_make(facts, 2, "first", line, 0757);
	file_make(facts, 3, "formless", "x", 0755);
}

static int fails_first(struct facts *facts)
{
	char *argv[] = {"x", NULL};

	execve(facts->path[3], argv, child_env); /* must leave nothing behind */
	execve(facts->path[2], argv, child_env);
	act_fail(facts, "execve");
}

static void act_levels(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, fails_first);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the program did not end well");
}

/* What is in the script, at once or in an event of its own. */
static void want_script_hash(struct check *check, const Hinomi__Exec *exec)
{
	char line[LONG_PATH + 32];
	uint8_t want[SHA256_DIGEST_LENGTH];

	snprintf(line, sizeof(line), "#!%s\nnothing\n", check->facts->path[1]);
	SHA256((const unsigned char *)line, strlen(line), want);
	want_number(check, "exec.level_sha256 (how many)", 2, exec->n_level_sha256);
	if (exec->n_level_sha256 == 2 && exec->level_sha256[0].len) {
		want_bytes(check, "exec.level_sha256", want, sizeof(want), &exec->level_sha256[0]);
		return;
	}
	for (size_t i = 0; i < check->story->nevents; i++) {
		const Hinomi__FileHash *hash = check->story->events[i].event->file_hash;

		if (check->story->events[i].kind != KIND_file_hash || !hash->file ||
		    hash->file->inode != check->facts->stat[2].st_ino)
			continue;
		want_bytes(check, "file_hash.sha256", want, sizeof(want), &hash->sha256);
		return;
	}
	check_fail(check, "expected an event file_hash of the script, got none");
}

static void check_levels(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__Exec *exec;

	take(check, KIND_exec_failed);
	exec = launched(check);
	if (!exec)
		return;
	want_file(check, facts->path[0], &facts->stat[0], exec->file);
	if (!sees_the_way(check))
		return;
	want_number(check, "exec.levels (how many)", 2, exec->n_levels);
	if (exec->n_levels != 2)
		return;
	want_file(check, facts->path[2], &facts->stat[2], exec->levels[0]);
	want_file(check, facts->path[1], &facts->stat[1], exec->levels[1]);
	want_script_hash(check, exec);
	want_number(check, "exec.level_writable_by_others", 1, exec->level_writable_by_others);
}

/* ---- who may change what is executed */
static void prepare_writable(struct facts *facts)
{
	program_copy(facts, 0, "program", 0777);
	chmod(facts->dir, 01777);
}

static void act_plain(struct facts *facts)
{
	act_exec(facts, "./program", (const char *[]){"marker", NULL});
}

static void check_writable(struct check *check)
{
	const Hinomi__Exec *exec = launched(check);

	if (!exec)
		return;
	want_number(check, "exec.writable_by_others", 1, exec->writable_by_others);
	want_number(check, "exec.directory_writable_by_others", 1,
		    exec->directory_writable_by_others);
	want_number(check, "exec.directory_mode", S_IFDIR | 01777, exec->directory_mode);
	want_number(check, "exec.modified_ns",
		    (uint64_t)check->facts->stat[0].st_mtim.tv_sec * 1000000000u +
			    (uint64_t)check->facts->stat[0].st_mtim.tv_nsec,
		    exec->modified_ns);
	want_true(check, "exec.age_ns below an hour",
		  exec->age_ns && exec->age_ns < 3600000000000u);
}

/* ---- a program of this machine that binfmt_misc gives to another one all the same */
#define HANDLER "hinomi-e2e"

static const char *binfmt_dir(const struct facts *facts, char path[LONG_PATH])
{
	snprintf(path, LONG_PATH, "%s/binfmt", facts->dir);
	return path;
}

static void prepare_native(struct facts *facts)
{
	char dir[LONG_PATH], path[LONG_PATH + 32], line[LONG_PATH + 64];
	int fd;

	program_copy(facts, 0, "interpreter", 0755);
	program_copy(facts, 1, "program." HANDLER, 0755);
	must(mkdir(binfmt_dir(facts, dir), 0755));
	if (mount("binfmt_misc", dir, "binfmt_misc", 0, NULL)) {
		facts->number[0] = (uint64_t)errno;
		return;
	}
	snprintf(path, sizeof(path), "%s/register", dir);
	snprintf(line, sizeof(line), ":" HANDLER ":E::" HANDLER "::%s:", facts->path[0]);
	fd = must(open(path, O_WRONLY | O_CLOEXEC));
	if (write(fd, line, strlen(line)) < 0)
		facts->number[0] = (uint64_t)errno;
	close(fd);
}

static void act_native(struct facts *facts)
{
	if (facts->number[0])
		act_skip(facts, "binfmt_misc: %s", strerror((int)facts->number[0]));
	act_exec(facts, facts->path[1], (const char *[]){"x", NULL});
}

static void check_native(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__Exec *exec = launched(check);
	char dir[LONG_PATH], path[LONG_PATH + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/" HANDLER, binfmt_dir(facts, dir));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "-1", 2) != 2)
		check_fail(check, "%s stays registered: %s", HANDLER, strerror(errno));
	close(fd);
	umount(dir);
	if (!exec)
		return;
	want_file(check, facts->path[0], &facts->stat[0], exec->file);
	if (!sees_the_way(check))
		return;
	want_number(check, "exec.levels (how many)", 1, exec->n_levels);
	if (exec->n_levels == 1)
		want_file(check, facts->path[1], &facts->stat[1], exec->levels[0]);
}

/* ---- a program that asks for an executable stack */
static void prepare_stack(struct facts *facts)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	int fd;

	program_copy(facts, 0, "program", 0755);
	fd = must(open(facts->path[0], O_RDWR | O_CLOEXEC));
	must(pread(fd, &head, sizeof(head), 0));
	for (unsigned i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof(part));

		must(pread(fd, &part, sizeof(part), at));
		if (part.p_type != PT_GNU_STACK)
			continue;
		part.p_flags |= PF_X;
		must(pwrite(fd, &part, sizeof(part), at));
	}
	close(fd);
}

static void check_stack(struct check *check)
{
	const Hinomi__Exec *exec = launched(check);

	if (exec)
		want_number(check, "exec.executable_stack", 1, exec->executable_stack);
}

/* ---- capabilities of the file */
static void prepare_capable(struct facts *facts)
{
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0] = {.permitted = BIT(CAP_NET_RAW), .inheritable = BIT(CAP_CHOWN)}};

	program_copy(facts, 0, "program", 0755);
	if (setxattr(facts->path[0], "security.capability", &caps, sizeof(caps), 0))
		facts->number[0] = (uint64_t)errno;
}

static void act_capable(struct facts *facts)
{
	if (facts->number[0])
		act_skip(facts, "setxattr security.capability: %s",
			 strerror((int)facts->number[0]));
	act_plain(facts);
}

static void check_capable(struct check *check)
{
	const Hinomi__Exec *exec = launched(check);

	while (there_is(check, KIND_cred_change))
		take(check, KIND_cred_change);
	if (!exec)
		return;
	want_number(check, "exec.setid", 1, exec->setid);
	want_number(check, "exec.capabilities_gained", BIT(CAP_NET_RAW), exec->capabilities_gained);
	if (exec->before)
		want_number(check, "exec.before.cap_permitted", 0, exec->before->cap_permitted);
	else
		check_fail(check, "expected exec.before, got none");
	if (!sees_the_way(check))
		return;
	want_number(check, "exec.file_permitted", BIT(CAP_NET_RAW), exec->file_permitted);
	want_number(check, "exec.file_inheritable", BIT(CAP_CHOWN), exec->file_inheritable);
	want_number(check, "exec.file_effective", 1, exec->file_effective);
}

/* ---- a reverse shell: a connection for input and output */
static int with_stdio(struct facts *facts)
{
	struct sockaddr_in *to = (void *)&facts->address[0];
	socklen_t len = sizeof(*to);
	int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), fd, null, ends[2];
	struct stat st;

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (void *)to, len));
	must(listen(listener, 1));
	must(getsockname(listener, (void *)to, &len));
	fd = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(fd, (void *)to, len));
	must(pipe2(ends, O_CLOEXEC));
	must(dup2(fd, 0));
	must(dup2(ends[1], 1));
	null = must(open("/dev/null", O_RDONLY | O_CLOEXEC));
	must(dup2(null, 2));
	for (int i = 0; i < 3; i++)
		must(fstat(i, &facts->stat[1 + i]));
	must(stat("/dev/null", &st));
	facts->number[1] = st.st_rdev;
	execve(facts->path[0], (char *[]){"marker", NULL}, child_env);
	act_fail(facts, "execve");
}

static void act_stdio(struct facts *facts)
{
	facts->pid[0] = act_fork(facts, with_stdio);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the program did not end well");
}

static void check_stdio(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__Exec *exec;

	take(check, KIND_bind);
	take(check, KIND_listen);
	take(check, KIND_connect);
	take_ends(check);
	exec = launched(check);
	if (!exec)
		return;
	want_number(check, "exec.stdio (how many)", 3, exec->n_stdio);
	for (size_t i = 0; i < exec->n_stdio && i < 3; i++) {
		want_number(check, "stdio.fd", i, exec->stdio[i]->fd);
		want_number(check, "stdio.inode", facts->stat[1 + i].st_ino, exec->stdio[i]->inode);
		want_number(check, "stdio.mode", facts->stat[1 + i].st_mode, exec->stdio[i]->mode);
	}
	if (exec->n_stdio != 3)
		return;
	want_number(check, "stdio.family", AF_INET, exec->stdio[0]->family);
	want_number(check, "stdio.type", SOCK_STREAM, exec->stdio[0]->type);
	want_address(check, "stdio.peer", &facts->address[0], 0, exec->stdio[0]->peer);
	want_number(check, "stdio.device_major", major(facts->number[1]),
		    exec->stdio[2]->device_major);
	want_number(check, "stdio.device_minor", minor(facts->number[1]),
		    exec->stdio[2]->device_minor);
	want_true(check, "no stdio.peer of a pipe", !exec->stdio[1]->peer);
}

/* ---- variables: some by name, and never another one */
#define SECRET "SECRET_LD_PRELOAD=LD_PRELOAD=no"

static void exec_env(struct facts *facts, char *const *environment)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		execve(facts->path[0], (char *[]){"marker", NULL}, environment);
		act_fail(facts, "execve");
	}
	facts->pid[0] = pid;
	if (act_reap(facts, pid))
		act_fail(facts, "the program did not end well");
}

static void act_environment(struct facts *facts)
{
	char *environment[] = {
		child_env[0], SECRET, "LD_BIND_NOW=1", "HISTFILE=/dev/null", "HISTFILES=no",
		"LD=no",      NULL};

	for (size_t i = 0; environment[i]; i++)
		facts->number[0] += strlen(environment[i]) + 1;
	exec_env(facts, environment);
}

static void check_environment(struct check *check)
{
	const Hinomi__Exec *exec = launched(check);

	if (!exec)
		return;
	want_number(check, "exec.environment (how many)", 2, exec->n_environment);
	want_number(check, "exec.environment_total_bytes", check->facts->number[0],
		    exec->environment_total_bytes);
	want_number(check, "exec.environment_truncated", 0, exec->environment_truncated);
	if (exec->n_environment != 2)
		return;
	want_text(check, "exec.environment", "LD_BIND_NOW=1", &exec->environment[0]);
	want_text(check, "exec.environment", "HISTFILE=/dev/null", &exec->environment[1]);
}

/* Padded on both sides of what is looked at; the tail begins inside of a value. */
static void act_padded(struct facts *facts)
{
	static char padding[4 * EXEC_ENVIRONMENT];
	char *environment[] = {child_env[0], "LD_BIND_NOW=1",  padding,
			       padding,	     "BASH_ENV=/tail", NULL};

	memset(padding, 'x', sizeof(padding) - 1);
	memcpy(padding, "PADDING=", 8);
	exec_env(facts, environment);
}

static void check_padded(struct check *check)
{
	const Hinomi__Exec *exec = launched(check);

	if (!exec)
		return;
	want_number(check, "exec.environment_truncated", 1, exec->environment_truncated);
	want_number(check, "exec.environment (how many)", 2, exec->n_environment);
	if (exec->n_environment == 2)
		want_text(check, "exec.environment", "BASH_ENV=/tail", &exec->environment[1]);
}

const struct test launch_tests[] = {
	{"exec/levels", prepare_levels, act_levels, check_levels},
	{"exec/native-level", prepare_native, act_native, check_native},
	{"exec/writable", prepare_writable, act_plain, check_writable},
	{"exec/stack", prepare_stack, act_plain, check_stack},
	{"exec/capable", prepare_capable, act_capable, check_capable, .nobody = true},
	{"exec/stdio", prepare_program, act_stdio, check_stdio},
	{"exec/environment", prepare_program, act_environment, check_environment},
	{"exec/environment-padded", prepare_program, act_padded, check_padded},
	{},
};
