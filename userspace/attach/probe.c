// SPDX-License-Identifier: Apache-2.0
/* What this kernel can do, found by trying it: never by its version. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/internal.h"
#include "base/cleanup.h"

#define CAP_PERFMON_NUMBER 38
#define CAP_BPF_NUMBER	   39
#define INSN(...)	   ((struct bpf_insn){__VA_ARGS__})
#define CALL_KERNEL(function) \
	INSN(.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = (function))

static int function_of(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
}

static bool try_fetching_atomics(void)
{
	const struct bpf_insn insns[] = {
		INSN(.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1),
		INSN(.code = BPF_STX | BPF_DW | BPF_ATOMIC, .dst_reg = 10, .src_reg = 0, .off = -8,
		     .imm = BPF_ADD | BPF_FETCH),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "probe", "GPL", insns,
			       sizeof(insns) / sizeof(*insns), NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Loading says little: some kernels take the program and refuse to attach it. */
static int try_trampoline(const struct btf *btf)
{
	const struct bpf_insn insns[] = {
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int fd, link, err;

	opts.attach_btf_id = function_of(btf, "commit_creds");
	if ((int)opts.attach_btf_id < 0)
		return ENOENT;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", insns, 2, &opts);
	if (fd < 0)
		return errno;
	link = bpf_raw_tracepoint_open(NULL, fd);
	err = link < 0 ? errno : 0;
	close(fd);
	if (link >= 0)
		close(link);
	return err;
}

/* May a program be an iterator over a map? */
static bool try_map_elements(const struct btf *btf)
{
	const struct bpf_insn insns[] = {
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	int fd, type = function_of(btf, "bpf_iter_" MAP_ELEMENTS);

	if (type < 0)
		return false;
	opts.attach_btf_id = (uint32_t)type;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Where a system call filter forbids to find out, its programs are looked for. */
static bool try_x32(void)
{
#if defined(__x86_64__)
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(syscall(0x40000000 | SYS_getpid) != getpid());
	return pid < 0 || waitpid(pid, &status, 0) != pid || !status || WIFSIGNALED(status);
#else
	return false;
#endif
}

/* The number of bpf_rdonly_cast() where a program may call it, else 0. */
static int try_cast(const struct btf *btf)
{
	int cast = function_of(btf, "bpf_rdonly_cast");
	int task = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
	const struct bpf_insn insns[] = {
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 0),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = task),
		CALL_KERNEL(cast),
		INSN(.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 0),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};
	int fd;

	if (cast < 0 || task < 0)
		return 0;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "probe", "GPL", insns,
			   sizeof(insns) / sizeof(*insns), NULL);
	if (fd < 0)
		return 0;
	close(fd);
	return cast;
}

/* What the kernel wants to know of a program with a global function: that it is one. */
static int types_load(void)
{
	struct btf *types = btf__new_empty();
	const void *raw;
	uint32_t size;
	int number, fd = -1;

	if (!types)
		return -1;
	number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
	btf__add_func_proto(types, number);
	btf__add_func(types, "whole", BTF_FUNC_GLOBAL, 2);
	btf__add_func(types, "called", BTF_FUNC_GLOBAL, 2);
	raw = btf__raw_data(types, &size);
	if (raw)
		fd = bpf_btf_load(raw, size, NULL);
	btf__free(types);
	return fd;
}

/* Is the kernel built to take the cpu from a program?  It says so of itself. */
static bool is_preempted(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT");
}

/* Must a program do what bpf/whole.h has it do, and may it call global functions meanwhile?  The
 * tracepoints of kernels that have no other hooks hold preemption off themselves, before 7.0. */
static struct whole try_whole(const struct probe *probe)
{
	const struct btf *btf = probe->btf;
	const struct whole whole = {.preempt_off = function_of(btf, "bpf_preempt_disable"),
				    .preempt_on = function_of(btf, "bpf_preempt_enable"),
				    .irq_off = function_of(btf, "bpf_local_irq_save"),
				    .irq_on = function_of(btf, "bpf_local_irq_restore")};
	const struct bpf_insn insns[] = {
		CALL_KERNEL(whole.preempt_off),
		INSN(.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 9),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 10),
		INSN(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 6, .imm = -8),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6),
		CALL_KERNEL(whole.irq_off),
		CALL_KERNEL(whole.preempt_on),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6),
		CALL_KERNEL(whole.irq_on),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};
	const struct bpf_func_info functions[] = {{.type_id = 3}, {.insn_off = 11, .type_id = 4}};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .func_info = functions,
		    .func_info_cnt = ARRAY_SIZE(functions),
		    .func_info_rec_size = sizeof(*functions));
	int fd = -1, types = probe->trampoline_errno || !probe->preempted ? -1 : types_load();

	if (types >= 0) {
		opts.prog_btf_fd = (uint32_t)types;
		fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "probe", "GPL", insns,
				   ARRAY_SIZE(insns), &opts);
		close(types);
	}
	if (fd < 0)
		return (struct whole){};
	close(fd);
	return whole;
}

/* bpf_probe_read_kernel, which lockdown may forbid to every program. */
static bool try_reading(void)
{
	const struct bpf_insn insns[] = {
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10),
		INSN(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0),
		INSN(.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel),
		INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0),
		INSN(.code = BPF_JMP | BPF_EXIT),
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "probe", "GPL", insns,
			       sizeof(insns) / sizeof(*insns), NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void probe_lockdown(char *text, size_t size)
{
	CLEANUP(fclose) FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128], *from, *to;

	text[0] = 0;
	if (!file || !fgets(line, sizeof(line), file))
		return;
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to)
		snprintf(text, size, "%.*s", (int)(to - from - 1), from + 1);
}

bool probe_has_rights(void)
{
	CLEANUP(fclose) FILE *status = fopen("/proc/self/status", "re");
	unsigned long long caps = 0;
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	return caps >> CAP_SYS_ADMIN & 1 ||
	       (caps >> CAP_PERFMON_NUMBER & 1 && caps >> CAP_BPF_NUMBER & 1);
}

static int unsupported(struct attach_error *error, const char *format, ...)
{
	va_list args;

	error->status = 69;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EOPNOTSUPP;
}

static int try_ring(struct attach_error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0, sysconf(_SC_PAGESIZE), NULL);
	int err = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (err != EPERM && err != EACCES)
		return unsupported(error,
				   "this kernel has no BPF ring buffer (%s): Linux 5.10 or newer "
				   "with CONFIG_BPF_SYSCALL is needed",
				   strerror(err));
	if (probe_has_rights())
		return unsupported(error,
				   "bpf(2) is refused although the process has the rights: by a "
				   "system call filter, as containers have one, or a security "
				   "module; run the sensor outside of it");
	error->status = 77;
	snprintf(error->text, sizeof(error->text),
		 "the kernel does not let this process use BPF: run it as root, or with "
		 "CAP_BPF and CAP_PERFMON (before Linux 5.11 also with RLIMIT_MEMLOCK "
		 "unlimited)");
	return -EPERM;
}

int probe_init(struct probe *probe, struct attach_error *error)
{
	char lockdown[32];
	int err = try_ring(error);

	if (err)
		return err;
	probe->ring = true;
	probe->reading = try_reading();
	probe_lockdown(lockdown, sizeof(lockdown));
	if (!probe->reading)
		return unsupported(error, "BPF programs may not read this kernel's memory%s",
				   strcmp(lockdown, "confidentiality")
					   ? ""
					   : ": lockdown is `confidentiality`; boot with "
					     "lockdown=integrity instead");
	probe->btf = btf__load_vmlinux_btf();
	if (!probe->btf)
		return unsupported(error,
				   "this kernel does not describe its types (no "
				   "/sys/kernel/btf/vmlinux): one built with "
				   "CONFIG_DEBUG_INFO_BTF=y is needed, as distributions ship them");
	probe->fetching_atomics = try_fetching_atomics();
	probe->cast = try_cast(probe->btf);
	probe->x32 = try_x32();
	probe->map_elements = try_map_elements(probe->btf);
	probe->trampoline_errno = try_trampoline(probe->btf);
	probe->preempted = is_preempted();
	probe->whole = try_whole(probe);
	return 0;
}

void probe_done(struct probe *probe)
{
	btf__free(probe->btf);
	probe->btf = NULL;
}

/* What the function takes, or NULL. */
static const struct btf_type *prototype_of(const struct btf *btf, const char *function)
{
	int id = function_of(btf, function);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	return t ? btf__type_by_id(btf, t->type) : NULL;
}

int probe_nargs(const struct probe *probe, const char *function)
{
	const struct btf_type *t = prototype_of(probe->btf, function);

	return t ? (int)btf_vlen(t) : -1;
}

void probe_refuse(struct probe *probe, const char *program, const char *reason)
{
	if (probe->nrefused == UNAVAILABLE_MAX)
		return;
	snprintf(probe->refused[probe->nrefused].program, sizeof(probe->refused[0].program), "%s",
		 program);
	snprintf(probe->refused[probe->nrefused++].reason, sizeof(probe->refused[0].reason), "%s",
		 reason);
}

/* Programs for one shape of a function that has had others. */
static const struct {
	const char *program, *function;
	int nargs;
} shapes[] = {
	{"alloc_bprm_exit", "alloc_bprm", 3},
	/* since MPTCP calls these, its subflows do not go through inet_bind(), inet_listen() (6.6)
	 * and inet_accept() (6.3, 63740448a32e) */
	{"mptcp_bind_exit", "inet_bind_sk", 3},
	{"mptcp_listen_exit", "__inet_listen_sk", 2},
	{"mptcp_stream_accept_exit", "__inet_accept", 3},
};

static bool probe_has_tracepoint(const struct probe *probe, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(probe->btf, type, BTF_KIND_TYPEDEF) > 0;
}

/* The function of a system call that the program is for; NULL: for something else. */
static const char *call_of(const struct bpf_program *program)
{
	const char *target = strchr(bpf_program__section_name(program), '/');

	return target && target[1] == '_' && strstr(target, "_sys_") ? target + 1 : NULL;
}

/* Some kernels describe what a system call's function takes in a unit that does not know the
 * registers (those of sys_ni.c, on 5.10): programs read them without a type then. */
static bool knows_registers(const struct probe *probe, const char *function)
{
	const struct btf_type *t = prototype_of(probe->btf, function);

	t = t && btf_vlen(t) == 1 ? btf__type_by_id(probe->btf, btf_params(t)->type) : NULL;
	while (t && (btf_is_ptr(t) || btf_is_mod(t)))
		t = btf__type_by_id(probe->btf, t->type);
	return t && btf_is_struct(t);
}

bool probe_typed_calls(const struct probe *probe, const struct bpf_object *object)
{
	struct bpf_program *program;
	const char *function;

	bpf_object__for_each_program(program, object)
	{
		function = call_of(program);
		if (function && probe_nargs(probe, function) == 1 &&
		    !knows_registers(probe, function))
			return false;
	}
	return true;
}

const char *probe_refuses(const struct probe *probe, const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program), *target;

	for (unsigned i = 0; i < probe->nrefused; i++)
		if (!strcmp(probe->refused[i].program, bpf_program__name(program)))
			return probe->refused[i].reason;
	if (*section == '?')
		section++;
	target = strchr(section, '/');
	if (!probe->map_elements && target && !strcmp(target + 1, MAP_ELEMENTS))
		return "this kernel lets no program iterate over a map";
	if (target && (!strncmp(section, "tp_btf/", 7) || !strncmp(section, "raw_tp/", 7)) &&
	    !probe_has_tracepoint(probe, target + 1))
		return "the tracepoint is not in this kernel";
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++)
		if (!strcmp(shapes[i].program, bpf_program__name(program)) &&
		    probe_nargs(probe, shapes[i].function) != shapes[i].nargs)
			return "the function has another shape in this kernel";
	if (!target || (strncmp(section, "fentry/", 7) && strncmp(section, "fexit/", 6)))
		return NULL;
	if (probe->trampoline_errno)
		return "this kernel does not attach programs to functions";
	if (probe_nargs(probe, target + 1) < 0)
		return "the function is not in this kernel";
	if (call_of(program) && probe_nargs(probe, target + 1) != 1)
		return "this kernel does not describe what the function takes";
	return NULL;
}
