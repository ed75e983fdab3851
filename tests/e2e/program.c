// SPDX-License-Identifier: Apache-2.0
/* Code that is put into the kernel: BPF programs, probes, and rings for system calls. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

#define NAME		  "hinomi_e2e"
#define NR_IO_URING_SETUP 425

static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
	{.code = BPF_JMP | BPF_EXIT},
};
static const struct bpf_insn signals[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1},
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_send_signal},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K},
	{.code = BPF_JMP | BPF_EXIT},
};

static int load(unsigned type, const struct bpf_insn *insns, size_t n)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}; /* counted before 5.11 */
	union bpf_attr attr = {
		.prog_type = type,
		.insns = (uintptr_t)insns,
		.insn_cnt = (uint32_t)n,
		.license = (uintptr_t) "GPL",
	};

	setrlimit(RLIMIT_MEMLOCK, &all);
	memcpy(attr.prog_name, NAME, sizeof(NAME));
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void act_load(struct facts *facts)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {};
	int fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, signals, ARRAY_SIZE(signals));

	if (fd < 0)
		act_skip(facts, "bpf: %s", strerror(errno));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	must((int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)));
	facts->number[0] = info.id;
	memcpy(facts->path[0], info.tag, sizeof(info.tag));
	close(fd);
	act_tried(facts, 0, load(100000, nothing, ARRAY_SIZE(nothing)));
}

static const Hinomi__Bpf *took(struct check *check, unsigned operation, int error)
{
	const struct seen *seen = take(check, KIND_bpf);

	if (!seen)
		return NULL;
	want_number(check, "bpf.operation", operation, seen->event->bpf->operation);
	want_result(check, error, seen);
	return seen->event->bpf;
}

/* Closed by its maker; without functions to attach to, nobody sees that. */
static void want_end(struct check *check, const Hinomi__Bpf *link)
{
	const Hinomi__Bpf *end =
		tier_of(check, KIND_bpf) == 1
			? took(check, HINOMI__BPF__OPERATION__OPERATION_LINK_END, 0)
			: NULL;

	if (!end)
		return;
	want_number(check, "bpf.link_id of the end", link->link_id, end->link_id);
	want_number(check, "bpf.link_type of the end", link->link_type, end->link_type);
	want_number(check, "bpf.ours", 0, end->ours);
}

static const Hinomi__Bpf *loaded(struct check *check, int error)
{
	const Hinomi__Bpf *bpf = took(check, HINOMI__BPF__OPERATION__OPERATION_LOAD, error);

	if (bpf)
		want_text(check, "bpf.name", NAME, &bpf->name);
	return bpf;
}

static void check_load(struct check *check)
{
	const Hinomi__Bpf *bpf = loaded(check, 0);

	if (bpf) {
		want_number(check, "bpf.id", check->facts->number[0], bpf->id);
		want_number(check, "bpf.type", BPF_PROG_TYPE_RAW_TRACEPOINT, bpf->type);
		want_number(check, "bpf.instructions", ARRAY_SIZE(signals), bpf->instructions);
		want_number(check, "bpf.helpers", 4, bpf->helpers);
		want_bytes(check, "bpf.tag", check->facts->path[0], 8, &bpf->tag);
	}
	bpf = loaded(check, check->facts->error[0]);
	if (bpf) {
		want_number(check, "bpf.type", 100000, bpf->type);
		want_number(check, "bpf.helpers", 0, bpf->helpers);
	}
}

static void act_attach(struct facts *facts)
{
	union bpf_attr attr = {};
	int program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, nothing, ARRAY_SIZE(nothing)), link;

	if (program < 0)
		act_skip(facts, "bpf: %s", strerror(errno));
	attr.raw_tracepoint.name = (uintptr_t) "sched_process_hang";
	attr.raw_tracepoint.prog_fd = (uint32_t)program;
	link = (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	if (link < 0)
		act_skip(facts, "no tracepoint sched_process_hang: %s", strerror(errno));
	close(dup(link)); /* not its end */
	close(link);
	close(program);
}

static void check_attach(struct check *check)
{
	const Hinomi__Bpf *program = loaded(check, 0);
	const Hinomi__Bpf *bpf = took(check, HINOMI__BPF__OPERATION__OPERATION_ATTACH, 0);

	if (!bpf || !program)
		return;
	want_number(check, "bpf.id", program->id, bpf->id);
	want_text(check, "bpf.name", NAME, &bpf->name);
	want_text(check, "bpf.target", "sched_process_hang", &bpf->target);
	want_true(check, "bpf.link_id", bpf->link_id);
	want_number(check, "bpf.link_type", BPF_LINK_TYPE_RAW_TRACEPOINT, bpf->link_type);
	want_end(check, bpf);
}

/* On the suite's own cgroup: programs that let everything pass. */
static void act_cgroup(struct facts *facts)
{
	int cgroup = must(open(facts->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), link;
	int first = load(BPF_PROG_TYPE_CGROUP_SKB, nothing, ARRAY_SIZE(nothing));
	int second = load(BPF_PROG_TYPE_CGROUP_SKB, nothing, ARRAY_SIZE(nothing));
	union bpf_attr attr = {};

	attr.link_create.prog_fd = (uint32_t)first;
	attr.link_create.target_fd = (uint32_t)cgroup;
	attr.link_create.attach_type = BPF_CGROUP_INET_EGRESS;
	link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (link < 0)
		act_skip(facts, "bpf on a cgroup: %s", strerror(errno));
	attr = (union bpf_attr){};
	attr.link_update.link_fd = (uint32_t)link;
	attr.link_update.new_prog_fd = (uint32_t)second;
	must((int)syscall(SYS_bpf, BPF_LINK_UPDATE, &attr, sizeof(attr)));
	attr = (union bpf_attr){};
	attr.link_detach.link_fd = (uint32_t)link;
	must((int)syscall(SYS_bpf, BPF_LINK_DETACH, &attr, sizeof(attr)));
	attr = (union bpf_attr){};
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)first;
	attr.attach_type = BPF_CGROUP_INET_EGRESS;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	must((int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)));
	attr.attach_flags = 0;
	must((int)syscall(SYS_bpf, BPF_PROG_DETACH, &attr, sizeof(attr)));
	close(link);
	close(first);
	close(second);
	close(cgroup);
}

static void check_cgroup(struct check *check)
{
	const Hinomi__Bpf *first = loaded(check, 0), *second = loaded(check, 0);
	const Hinomi__Bpf *link = took(check, HINOMI__BPF__OPERATION__OPERATION_ATTACH, 0);
	const Hinomi__Bpf *update = took(check, HINOMI__BPF__OPERATION__OPERATION_LINK_UPDATE, 0);
	const Hinomi__Bpf *broken = took(check, HINOMI__BPF__OPERATION__OPERATION_LINK_DETACH, 0);
	const Hinomi__Bpf *attach = took(check, HINOMI__BPF__OPERATION__OPERATION_ATTACH, 0);
	const Hinomi__Bpf *detach = took(check, HINOMI__BPF__OPERATION__OPERATION_DETACH, 0);

	if (!first || !second || !link || !update || !broken || !attach || !detach)
		return;
	want_number(check, "id of the link's program", first->id, link->id);
	want_number(check, "bpf.link_type", BPF_LINK_TYPE_CGROUP, link->link_type);
	want_number(check, "bpf.attach_type", BPF_CGROUP_INET_EGRESS, link->attach_type);
	want_number(check, "id of the program after it", second->id, update->id);
	want_number(check, "bpf.link_id", link->link_id, update->link_id);
	want_number(check, "bpf.link_id", link->link_id, broken->link_id);
	want_number(check, "bpf.id", first->id, attach->id);
	want_number(check, "bpf.link_id", 0, attach->link_id);
	want_number(check, "bpf.attach_type", BPF_CGROUP_INET_EGRESS, detach->attach_type);
	want_number(check, "bpf.id", first->id, detach->id);
	want_end(check, link);
}

/* Everybody's maps are opened; only those of the sensor are told. */
static void act_sensors(struct facts *facts)
{
	union bpf_attr attr = {};
	struct bpf_map_info info;
	size_t n = 0;
	int fd;

	while (!syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr))) {
		union bpf_attr ask = {};
		uint32_t id = attr.next_id;

		ask.map_id = id;
		fd = (int)syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &ask, sizeof(ask));
		attr = (union bpf_attr){.start_id = id};
		if (fd < 0)
			continue;
		info = (struct bpf_map_info){};
		ask = (union bpf_attr){};
		ask.info.bpf_fd = (uint32_t)fd;
		ask.info.info = (uintptr_t)&info;
		ask.info.info_len = sizeof(info);
		must((int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask)));
		if (!strcmp(info.name, "ring_keep"))
			facts->number[n++ % ARRAY_SIZE(facts->number)] = id; /* or another's */
		close(fd);
	}
	if (!facts->number[0])
		act_skip(facts, "maps cannot be listed: %s", strerror(errno));
}

static void check_sensors(struct check *check)
{
	bool found = false;

	while (there_is(check, KIND_bpf)) {
		const Hinomi__Bpf *bpf = took(check, HINOMI__BPF__OPERATION__OPERATION_OPEN_MAP, 0);

		if (!bpf)
			return;
		want_number(check, "bpf.ours", 1, bpf->ours);
		for (size_t i = 0; i < ARRAY_SIZE(check->facts->number); i++)
			found |= bpf->id == check->facts->number[i];
	}
	want_true(check, "the sensor's ring among them", found);
}

static void act_attempt(struct facts *facts)
{
	if (!act_tried(facts, 0, load(BPF_PROG_TYPE_KPROBE, nothing, ARRAY_SIZE(nothing))))
		act_skip(facts, "anybody may load programs here");
}

static void check_attempt(struct check *check)
{
	const struct seen *seen = take(check, KIND_kernel_attempt);

	if (!seen)
		return;
	want_result(check, check->facts->error[0], seen);
	want_true(check, "kernel_attempt.class",
		  !strcmp(seen->event->kernel_attempt->class_, "bpf"));
	want_number(check, "kernel_attempt.operation", HINOMI__BPF__OPERATION__OPERATION_LOAD,
		    seen->event->kernel_attempt->operation);
}

static void prepare_program(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

static int perf_open(const struct perf_event_attr *attr, pid_t pid, int cpu)
{
	return (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static void act_uprobe(struct facts *facts)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	struct perf_event_attr attr = {.size = sizeof(attr), .config2 = 0x40};
	struct perf_event_attr counter = {.size = sizeof(attr),
					  .type = PERF_TYPE_SOFTWARE,
					  .config = PERF_COUNT_SW_TASK_CLOCK};
	unsigned type = 0;
	int fd;

	if (!file)
		act_skip(facts, "no uprobes");
	if (fscanf(file, "%u", &type) != 1)
		act_fail(facts, "type of uprobe");
	fclose(file);
	fd = perf_open(&counter, 0, -1); /* a counter is no event */
	if (fd >= 0)
		close(fd);
	attr.type = type;
	attr.config1 = (uintptr_t)facts->path[0];
	facts->number[0] = type;
	fd = perf_open(&attr, getpid(), -1);
	if (fd < 0)
		act_skip(facts, "uprobe: %s", strerror(errno));
	close(fd);
	attr.type = PERF_TYPE_TRACEPOINT;
	attr.config = 12345678;
	act_tried(facts, 0, perf_open(&attr, -1, 0));
}

static void check_uprobe(struct check *check)
{
	const struct seen *seen = take(check, KIND_probe);
	const Hinomi__Probe *perf;

	if (!seen)
		return;
	perf = seen->event->probe;
	want_result(check, 0, seen);
	want_number(check, "probe.how", HINOMI__PROBE__HOW__HOW_PERF, perf->how);
	want_number(check, "probe.type", check->facts->number[0], perf->type);
	want_text(check, "probe.pmu", "uprobe", &perf->pmu);
	want_text(check, "probe.place", check->facts->path[0], &perf->place);
	want_number(check, "probe.offset", 0x40, perf->offset);
	want_number(check, "probe.pid", (uint64_t)check->facts->actor, (uint64_t)perf->pid);
	want_number(check, "probe.cpu", (uint64_t)(int64_t)-1, (uint64_t)(int64_t)perf->cpu);
	seen = take(check, KIND_probe);
	if (!seen)
		return;
	want_result(check, check->facts->error[0], seen);
	want_number(check, "probe.config", 12345678, seen->event->probe->config);
	want_number(check, "probe.pid", (uint64_t)(int64_t)-1,
		    (uint64_t)(int64_t)seen->event->probe->pid);
}

/* A program for an event of perf; then another one where none can be. */
static void act_perf(struct facts *facts)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .config2 = 0x40};
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	unsigned type = 0;
	int event, program;

	if (!file || fscanf(file, "%u", &type) != 1)
		act_skip(facts, "no uprobes");
	fclose(file);
	attr.type = type;
	attr.config1 = (uintptr_t)facts->path[0];
	event = perf_open(&attr, getpid(), -1);
	if (event < 0)
		act_skip(facts, "uprobe: %s", strerror(errno));
	program = load(BPF_PROG_TYPE_KPROBE, nothing, ARRAY_SIZE(nothing));
	if (program < 0)
		act_skip(facts, "bpf: %s", strerror(errno));
	act_tried(facts, 0, ioctl(event, PERF_EVENT_IOC_SET_BPF, program));
	act_tried(facts, 1, ioctl(event, PERF_EVENT_IOC_SET_BPF, -1));
	close(event);
	close(program);
}

static void check_perf(struct check *check)
{
	const Hinomi__Bpf *program, *bpf;

	take(check, KIND_probe);
	program = loaded(check, 0);
	bpf = took(check, HINOMI__BPF__OPERATION__OPERATION_ATTACH, check->facts->error[0]);
	if (bpf && program && !check->facts->error[0]) {
		want_number(check, "bpf.id", program->id, bpf->id);
		want_number(check, "bpf.type", BPF_PROG_TYPE_KPROBE, bpf->type);
		want_number(check, "bpf.attach_type", BPF_PERF_EVENT, bpf->attach_type);
		want_text(check, "bpf.name", NAME, &bpf->name);
		want_text(check, "bpf.target", "uprobe", &bpf->target);
	}
	bpf = took(check, HINOMI__BPF__OPERATION__OPERATION_ATTACH, check->facts->error[1]);
	if (bpf)
		want_number(check, "bpf.id of none", 0, bpf->id);
}

static void act_ring(struct facts *facts)
{
	uint32_t params[30] = {0}; /* struct io_uring_params: sq_entries, cq_entries, flags, ... */
	int fd;

	params[1] = 16;
	params[2] = 1 << 3; /* IORING_SETUP_CQSIZE */
	fd = (int)syscall(NR_IO_URING_SETUP, 4, params);
	if (fd < 0)
		act_skip(facts, "io_uring: %s", strerror(errno));
	close(fd);
}

static void check_ring(struct check *check)
{
	const struct seen *seen = take(check, KIND_io_uring);

	if (!seen)
		return;
	want_number(check, "io_uring.submissions", 4, seen->event->io_uring->submissions);
	want_number(check, "io_uring.completions", 16, seen->event->io_uring->completions);
	want_number(check, "io_uring.flags", 1 << 3, seen->event->io_uring->flags);
}

static void act_kprobe(struct facts *facts)
{
	static const char function[] = "commit_creds";
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	struct perf_event_attr attr = {.size = sizeof(attr), .config1 = (uintptr_t)function};
	int fd;

	if (!file)
		act_skip(facts, "no kprobes");
	if (fscanf(file, "%u", &attr.type) != 1)
		act_fail(facts, "type of kprobe");
	fclose(file);
	fd = perf_open(&attr, getpid(), -1);
	if (fd < 0)
		act_skip(facts, "kprobe: %s", strerror(errno));
	close(fd);
}

static void check_kprobe(struct check *check)
{
	const struct seen *seen = take(check, KIND_probe);

	/* without functions to attach to only the call is seen */
	if (seen && seen->event->probe->how == HINOMI__PROBE__HOW__HOW_KPROBE) {
		want_text(check, "probe.place", "commit_creds", &seen->event->probe->place);
		seen = take(check, KIND_probe);
	} else if (tier_of(check, KIND_probe) == 1) {
		check_fail(check, "expected the kprobe itself");
	}
	if (seen)
		want_text(check, "probe.pmu", "kprobe", &seen->event->probe->pmu);
}

const struct test program_tests[] = {
	{"bpf/load", NULL, act_load, check_load},
	{"bpf/raw-tracepoint", NULL, act_attach, check_attach},
	{"bpf/cgroup", NULL, act_cgroup, check_cgroup},
	{"bpf/perf", prepare_program, act_perf, check_perf},
	{"bpf/sensor", NULL, act_sensors, check_sensors},
	{"kernel_attempt/bpf", NULL, act_attempt, check_attempt, .nobody = true},
	{"probe/uprobe", prepare_program, act_uprobe, check_uprobe},
	{"probe/kprobe", NULL, act_kprobe, check_kprobe},
	{"io_uring/create", NULL, act_ring, check_ring},
	{},
};
