// SPDX-License-Identifier: Apache-2.0
/*
 * What root may try against the sensor, for 60-honest, by the sensor's own ids:
 *   attack detach        every link of ours: detach it, replace its program; says how many it could
 *   attack replace       the program of the iterator over tasks; 77 where that cannot be done
 *   attack tap           no system call is looked at any more
 *   attack hide PID      PID is taken for the sensor itself
 *   attack slots on|off  no program finds a place to put a record together
 *   attack trace PID     ptrace
 *   attack without-bpf COMMAND...  runs it where bpf(2) is refused
 */
#include <errno.h>
#include <hinomi/maps.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int by_id(int next, int get, uint32_t *id)
{
	union bpf_attr attr = {.start_id = *id};

	if (bpf(next, &attr))
		return -1;
	*id = attr.next_id;
	attr = (union bpf_attr){.map_id = *id};
	return bpf(get, &attr);
}

static int map_open(const char *name, struct bpf_map_info *info)
{
	uint32_t id = 0;
	int fd;

	while ((fd = by_id(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, &id)) >= 0) {
		union bpf_attr attr = {.info = {.bpf_fd = (uint32_t)fd,
						.info_len = sizeof(*info),
						.info = (uintptr_t)info}};

		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) && !strcmp(info->name, name))
			return fd;
		close(fd);
	}
	return -1;
}

static int element(int command, int map, uint32_t key, void *value)
{
	union bpf_attr attr = {
		.map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)value};

	return bpf(command, &attr);
}

static int detach(void)
{
	unsigned links = 0, detached = 0, replaced = 0;
	uint32_t id = 0;
	int fd;

	while ((fd = by_id(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID, &id)) >= 0) {
		union bpf_attr attr = {.link_detach.link_fd = (uint32_t)fd};

		links++;
		detached += !bpf(BPF_LINK_DETACH, &attr);
		attr = (union bpf_attr){};
		attr.link_update.link_fd = attr.link_update.new_prog_fd = (uint32_t)fd;
		replaced += !bpf(BPF_LINK_UPDATE, &attr);
		close(fd);
	}
	printf("%u links, %u detached, %u replaced\n", links, detached, replaced);
	return links && !detached && !replaced ? 0 : 1;
}

static int info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = {
		.info = {.bpf_fd = (uint32_t)fd, .info_len = size, .info = (uintptr_t)info}};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* A program that iterates over the same as the link's own, and says nothing. */
static int silent_iterator(uint32_t own)
{
	static const struct bpf_insn code[] = {
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	union bpf_attr attr = {.prog_id = own};
	struct bpf_prog_info program = {0};
	int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);

	if (fd < 0 || info(fd, &program, sizeof(program)) || !program.attach_btf_id)
		return -1;
	attr = (union bpf_attr){.prog_type = BPF_PROG_TYPE_TRACING,
				.expected_attach_type = BPF_TRACE_ITER,
				.attach_btf_id = program.attach_btf_id,
				.insns = (uintptr_t)code,
				.insn_cnt = 2,
				.license = (uintptr_t) "GPL"};
	return bpf(BPF_PROG_LOAD, &attr);
}

static int replace(void)
{
	uint32_t id = 0;
	int fd;

	while ((fd = by_id(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID, &id)) >= 0) {
		char target[16] = "";
		struct bpf_link_info link = {.iter = {.target_name = (uintptr_t)target,
						      .target_name_len = sizeof(target)}};
		union bpf_attr attr = {.link_update.link_fd = (uint32_t)fd};
		int program;

		if (info(fd, &link, sizeof(link)) || link.type != BPF_LINK_TYPE_ITER ||
		    strcmp(target, "task"))
			continue;
		program = silent_iterator(link.prog_id);
		if (program < 0)
			return 77;
		attr.link_update.new_prog_fd = (uint32_t)program;
		return bpf(BPF_LINK_UPDATE, &attr) ? 1 : 0;
	}
	return 1;
}

static int control_set(const char *what, uint32_t pid)
{
	struct bpf_map_info info = {};
	struct control control;
	int map = map_open("control", &info);

	if (map < 0 || info.value_size < sizeof(control) ||
	    element(BPF_MAP_LOOKUP_ELEM, map, 0, &control))
		return 1;
	if (!strcmp(what, "tap")) {
		bool unused = true; /* no class rests on it: then something is there that was not */

		for (size_t i = 0; i < sizeof(control.tap_native); i++)
			unused &= !control.tap_native[i];
		memset(control.tap_native, 0, sizeof(control.tap_native));
		memset(control.tap_compat, 0, sizeof(control.tap_compat));
		control.tap_native[0] = unused;
	} else if (!strcmp(what, "pose")) {
		control.canary_tgid = pid;
	} else {
		control.own_tgid = pid;
	}
	return element(BPF_MAP_UPDATE_ELEM, map, 0, &control) ? 1 : 0;
}

/* The first word of a slot says that it is taken. */
static int slots_set(uint64_t busy)
{
	struct bpf_map_info info = {};
	int map = map_open("slots", &info);
	uint64_t *slot = map < 0 ? NULL : calloc(1, info.value_size + 8);

	for (uint32_t i = 0; slot && i < info.max_entries; i++) {
		if (element(BPF_MAP_LOOKUP_ELEM, map, i, slot))
			return 1;
		slot[0] = busy;
		if (element(BPF_MAP_UPDATE_ELEM, map, i, slot))
			return 1;
	}
	free(slot);
	return slot ? 0 : 1;
}

static int without_bpf(char **command)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return 1;
	execv(command[0], command);
	return 127;
}

static int trace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return 1;
	return 0; /* let go with our end */
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *more = argc > 2 ? argv[2] : "0";

	if (!strcmp(what, "detach"))
		return detach();
	if (!strcmp(what, "replace"))
		return replace();
	if (!strcmp(what, "tap") || !strcmp(what, "hide") || !strcmp(what, "pose"))
		return control_set(what, (uint32_t)atoi(more));
	if (!strcmp(what, "slots"))
		return slots_set(!strcmp(more, "on"));
	if (!strcmp(what, "trace"))
		return trace(atoi(more));
	if (!strcmp(what, "without-bpf") && argc > 2)
		return without_bpf(argv + 2);
	fputs("usage: attack detach|replace|tap|hide PID|slots on|off|trace PID|without-bpf "
	      "COMMAND...\n",
	      stderr);
	return 2;
}
