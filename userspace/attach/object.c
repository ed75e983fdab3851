// SPDX-License-Identifier: Apache-2.0
/* Opening and loading the BPF object: which programs, which tier for each class. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/internal.h"

#define SLOTS_PER_CPU 4	 /* as in bpf/record.h */
#define LOAD_TRIES    24 /* programs that the verifier may refuse before we give up */
#define KERNEL_TYPES  "/sys/kernel/btf/vmlinux"

/* libbpf tells which program failed only in its messages: "prog 'NAME': ... failed ..." */
static char failed_program[32];
static char failed_message[256];

static int on_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];
	const char *name, *end;

	if (level != LIBBPF_WARN)
		return 0;
	if (getenv("HINOMI_DEBUG_BPF")) {
		va_list again;

		va_copy(again, args);
		vfprintf(stderr, format, again);
		va_end(again);
	}
	vsnprintf(line, sizeof(line), format, args);
	name = strstr(line, "prog '");
	end = name ? strchr(name + 6, '\'') : NULL;
	if (end && !failed_program[0])
		snprintf(failed_program, sizeof(failed_program), "%.*s", (int)(end - name - 6),
			 name + 6);
	if (end && !failed_message[0])
		snprintf(failed_message, sizeof(failed_message), "%s", end + 2);
	return 0;
}

const char *tier_program(const struct attach *attach, const char *entry, char *why, size_t why_size)
{
	char name[64];

	for (; *entry; entry += strcspn(entry, "|"), entry += *entry == '|') {
		struct bpf_program *program;
		const char *refusal;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(entry, "|"), entry);
		program = bpf_object__find_program_by_name(attach->object, name);
		refusal = program ? probe_refuses(&attach->probe, program) : "not in this build";
		if (!refusal)
			return bpf_program__name(program);
		snprintf(why, why_size, "%s: %s",
			 program ? bpf_program__section_name(program) : name, refusal);
	}
	return NULL;
}

bool tier_possible(const struct attach *attach, const struct tier *tier, char *why, size_t size)
{
	for (int i = 0; i < PROGRAMS_MAX && tier->programs[i]; i++)
		if (!tier_program(attach, tier->programs[i], why, size))
			return false;
	return tier->programs[0] != NULL;
}

static void class_choose(struct attach *attach, unsigned c, int first)
{
	struct class_state *state = &attach->states[c];

	state->off = kind_is_off(&attach->options, classes[c].kind);
	state->tier = -1;
	if (first)
		snprintf(state->reason, sizeof(state->reason),
			 "better hooks are left out, as asked");
	for (int t = first; t < TIERS_MAX && !state->off; t++)
		if (tier_possible(attach, &classes[c].tiers[t], state->reason,
				  sizeof(state->reason))) {
			state->tier = t;
			return;
		}
}

bool rests_on_tap(void *ctx, unsigned kind)
{
	struct attach *attach = ctx;

	for (unsigned c = 0; c < nclasses; c++) {
		const char *first;

		if (classes[c].kind != kind || attach->states[c].tier < 0)
			continue;
		first = classes[c].tiers[attach->states[c].tier].programs[0];
		return !strcmp(first, "tap");
	}
	return false;
}

static void settings_fill(struct attach *attach, struct settings *settings)
{
	static const char *const functions[NARGS_MAX] = {
		[NARGS_UNLINK] = "vfs_unlink",
		[NARGS_RMDIR] = "vfs_rmdir",
		[NARGS_RENAME] = "vfs_rename",
		[NARGS_LINK] = "vfs_link",
		[NARGS_SYMLINK] = "vfs_symlink",
		[NARGS_OPEN_ROOT] = "do_file_open_root",
		[NARGS_BPRM] = "bprm_execve",
		[NARGS_UDP_RECEIVE] = "udp_recvmsg",
		[NARGS_TCP_RECEIVE] = "tcp_recvmsg",
		[NARGS_SETXATTR] = "vfs_setxattr",
		[NARGS_REMOVEXATTR] = "vfs_removexattr",
		[NARGS_TRUNCATE] = "do_truncate",
		[NARGS_MKDIR] = "vfs_mkdir",
		[NARGS_MKNOD] = "vfs_mknod",
		[NARGS_CREATE] = "vfs_create",
		[NARGS_FILE_CAPS] = "get_vfs_caps_from_disk",
	};

	struct stat st;

	settings->cpus = attach->cpus;
	settings->slots = SLOTS_PER_CPU;
	settings->fetching_atomics = attach->probe.fetching_atomics;
	settings->typed_calls = probe_typed_calls(&attach->probe, attach->object);
	settings->x32 = attach->probe.x32;
	settings->has_scope = attach->options.cgroup != NULL;
	if (settings->has_scope && !stat(attach->options.cgroup, &st))
		settings->scope_id = st.st_ino;
	for (int i = 0; i < NARGS_MAX; i++) {
		int n = probe_nargs(&attach->probe, functions[i]);

		settings->nargs[i] = n < 0 ? 0 : n;
	}
	for (int lane = 0; lane < LANES; lane++)
		settings->wake_bytes[lane] = attach->options.ring_bytes[lane] / 4;
	settings->keep_reserve = attach->options.ring_bytes[LANE_KEEP] / 2;
	settings->keep_budget = attach->options.ring_bytes[LANE_KEEP] / 16;
}

#define ACTIVITIES_MAX 16384 /* open files that file_close follows at once */

static int map_resize(struct attach *attach, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(attach->object, name);

	return map ? bpf_map__set_max_entries(map, entries) : -ENOENT;
}

static void autoload(struct attach *attach, const char *entry)
{
	char why[192];
	const char *name = tier_program(attach, entry, why, sizeof(why));
	struct bpf_program *program =
		name ? bpf_object__find_program_by_name(attach->object, name) : NULL;

	if (program)
		bpf_program__set_autoload(program, true);
}

static int object_prepare(struct attach *attach)
{
	struct bpf_map *rodata = bpf_object__find_map_by_name(attach->object, ".rodata");
	static const char *const always[] = {"tasks", "sockets", "tap", FLOWS_PROGRAMS};
	struct bpf_program *program;
	size_t size = 0;
	void *settings = rodata ? (void *)bpf_map__initial_value(rodata, &size) : NULL;
	int err;

	if (!settings || size < sizeof(struct settings))
		return -ENOENT;
	for (unsigned c = 0; c < nclasses; c++)
		class_choose(attach, c, attach->options.tier_min > 1);
	settings_fill(attach, settings);
	err = map_resize(attach, "slots", attach->cpus * SLOTS_PER_CPU);
	err = err ?: map_resize(attach, "ledger", attach->cpus * KINDS_MAX);
	err = err ?: map_resize(attach, "sequences", attach->cpus);
	err = err ?: map_resize(attach, "streams", attach->cpus * STREAMS_PER_CPU);
	if (attach->options.summaries)
		err = err ?: map_resize(attach, "summaries", attach->options.summaries);
	err = err ?: map_resize(attach, "ring_keep", attach->options.ring_bytes[LANE_KEEP]);
	err = err ?: map_resize(attach, "ring_bulk", attach->options.ring_bytes[LANE_BULK]);
	if (!kind_is_off(&attach->options, KIND_file_close))
		err = err ?: map_resize(attach, "activities", ACTIVITIES_MAX);
	if (err)
		return err;
	bpf_object__for_each_program(program, attach->object)
		bpf_program__set_autoload(program, false);
	for (unsigned c = 0; c < nclasses; c++) {
		const struct class_state *state = &attach->states[c];
		const struct tier *tier = &classes[c].tiers[state->tier < 0 ? 0 : state->tier];

		for (int i = 0; state->tier >= 0 && i < PROGRAMS_MAX && tier->programs[i]; i++)
			autoload(attach, tier->programs[i]);
		for (int i = 0; state->tier >= 0 && i < EXTRAS_MAX && tier->extras[i]; i++)
			autoload(attach, tier->extras[i]);
	}
	/* the tap is at hand for classes whose better hook turns out to be silent */
	for (unsigned i = 0; i < ARRAY_SIZE(always); i++)
		autoload(attach, always[i]);
	return 0;
}

static int object_open(struct attach *attach)
{
	size_t size;
	CLEANUP(free) void *bytes = object_rewritten(&attach->probe, &size);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "hinomi");

	/*
	 * Named, the kernel's types are all that is searched.  Else libbpf (until 1.3) looks for a
	 * type that this kernel lacks in every module, and without CAP_SYS_ADMIN gives up with
	 * EPERM.
	 */
	if (!access(KERNEL_TYPES, R_OK))
		opts.btf_custom_path = KERNEL_TYPES;
	if (!bytes)
		return -ENOMEM;
	attach->object = bpf_object__open_mem(bytes, size, &opts);
	return attach->object ? object_prepare(attach) : -errno;
}

void object_listen(void)
{
	libbpf_set_print(on_message);
}

/* What was refused while it had casts (bpf/read.h), to be tried without. */
struct tried {
	char program[sizeof(failed_program)];
	int cast;
};

/*
 * A kernel that describes a type otherwise than we think, or twice, refuses a program
 * for its casts: then none is given any.  If they are not to blame, the program goes
 * and they come back.
 */
static void on_refused(struct probe *probe, struct tried *tried)
{
	if (probe->cast && strcmp(tried->program, failed_program)) {
		tried->cast = probe->cast;
		memcpy(tried->program, failed_program, sizeof(tried->program));
		probe->cast = 0;
		return;
	}
	if (!strcmp(tried->program, failed_program))
		probe->cast = tried->cast;
	failed_message[strcspn(failed_message, "\n")] = 0;
	probe_refuse(probe, failed_program, failed_message);
}

/* Programs that the kernel refuses are left out one by one, and their classes fall to the next
 * tier. */
int object_load(struct attach *attach, struct attach_error *error)
{
	struct tried tried = {0};
	int err = 0;

	for (int i = 0; i < LOAD_TRIES; i++) {
		failed_program[0] = failed_message[0] = 0;
		err = object_open(attach);
		if (!err && attach->options.measure)
			err = measure_prepare(attach);
		if (err)
			return attach_fail(error, 1, err,
					   "the embedded BPF object cannot be opened");
		err = bpf_object__load(attach->object);
		if (!err)
			return 0;
		bpf_object__close(attach->object);
		attach->object = NULL;
		free(attach->logs);
		attach->logs = NULL;
		if (!failed_program[0] || (err == -EPERM && !probe_has_rights()))
			break;
		on_refused(&attach->probe, &tried);
	}
	if (err == -EPERM && !probe_has_rights())
		return attach_fail(error, 77, err,
				   "the kernel refuses to load BPF programs: CAP_BPF and "
				   "CAP_PERFMON are needed");
	return attach_fail(error, 69, err, "this kernel does not take the BPF programs");
}
