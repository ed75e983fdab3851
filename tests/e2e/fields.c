// SPDX-License-Identifier: Apache-2.0
/* A field of proto/event.proto that no event of the whole suite ever sets is a field that nobody
 * tested. */
#include <errno.h>
#include <hinomi/kinds.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"
#include "event/event.h"
#if defined(__x86_64__)
#include "int80.h"
#endif

#define NR_MOUNT_SETATTR 442 /* the same everywhere */

/* Fields that this suite does not see, and who does. */
static const struct {
	const char *name, *why;
} excused[] = {
	{"Event.result_unknown", "of a reboot, and not on tier 2"},
	{"TcpClose.segments_retransmitted", "the loopback device loses nothing"},
	{"Dns.opcode", "only queries are asked here"},
	{"Dns.rcode", "the server of the test knows the answer"},
	{"Dns.truncated", "the unit test has it"},
	{"Dns.malformed", "the unit test has it"},
	{"Heartbeat.processes_forgotten", "the unit test has more processes than fit"},
	{"Heartbeat.files_forgotten", "the unit test has more files than fit"},
	{"Heartbeat.helpers_cpu_ns", "a tick of 10 ms may not have passed"},
	{"Heartbeat.programs", "needs kernel.bpf_stats_enabled; 40-budget sets it"},
	{"ProgramCost.*", "see Heartbeat.programs"},
	{"Session.preexisting", "the unit test has sessions that are older than the sensor"},
	{"Module.taints", "the kernel's own modules taint nothing"},
	{"Module.srcversion", "Debian's modules have one where they have a version; see module.c"},
	{"Module.build_id", "Debian's kernels keep none; see module.c"},
	{"KernelAttempt.name", "needs a user namespace, which not every kernel gives nobody"},
	{"Bpf.target_id", "needs a function that programs can be attached to"},
	{"Bpf.attach_type", "needs cgroups with BPF"},
	{"Heartbeat.host_changes", "nothing of the host is changed here"},
	{"Gap.*", "nothing is lost here; 20-load provokes it"},
	{"LostClass.*", "belongs to Gap"},
	{"Event.gap", "see Gap"},
	{"Summary.*", "no ring gets full here; 10-e2e's run with losses has them"},
	{"Event.summary", "see Summary"},
	{"CoverageChange.*", "no hook falls silent here; 60-honest silences some"},
	{"CoverageReport.changes", "see CoverageChange"},
	{"SensorTamper.*", "nobody attacks the sensor here; 60-honest does"},
	{"Event.sensor_tamper", "see SensorTamper"},
	{"ConfigChange.*", "one configuration for the whole run; 60-honest has two"},
	{"Event.config_change", "see ConfigChange"},
	{"SensorStart.replaced", "30-restart has a disk that was copied"},
	{"SensorStart.replaced_sensor_id", "see SensorStart.replaced"},
	{"SensorStart.blind_ns", "needs an earlier run on the same spool, as 30-restart has"},
#if __SIZEOF_POINTER__ == 4
	{"ImageLoad.by_executable", "no dynamic loader is for this program"},
#endif
#if defined(__aarch64__)
	{"Event.compat", "a 64-bit program of arm64 cannot make 32-bit calls"},
#endif
};

/* Fields that a class can set on its first tier only. */
static const struct {
	const char *name;
	unsigned kind;
} first_tier[] = {
	{"FileRename.replaced", KIND_file_rename},
	{"FileMode.old_mode", KIND_file_mode},
	{"FileMode.old_known", KIND_file_mode},
	{"FileOwner.old_uid", KIND_file_owner},
	{"ProcessAccess.mode", KIND_process_access},
	{"NamespaceChange.old", KIND_namespace},
	{"FileFlags.old_flags", KIND_file_flags},
	{"FileFlags.old_known", KIND_file_flags},
	{"FileTimes.old_known", KIND_file_times},
	{"FileTimes.old_accessed_ns", KIND_file_times},
	{"FileTimes.old_modified_ns", KIND_file_times},
	{"FileTruncate.old_length", KIND_file_truncate},
	{"FileTruncate.old_known", KIND_file_truncate},
	{"ImageLoad.later", KIND_image_load},
	{"MemoryExec.was_writable", KIND_memory_exec},
	{"CredChange.rest_known", KIND_cred_change},
	{"CredChange.old_groups_count", KIND_cred_change},
	{"CredChange.old_securebits", KIND_cred_change},
	{"CredChange.old_cap_bounding", KIND_cred_change},
	{"CredChange.old_user_namespace", KIND_cred_change},
	{"Exec.file_permitted", KIND_cred_change},
	{"Exec.file_inheritable", KIND_cred_change},
	{"Exec.file_effective", KIND_cred_change},
	{"Exec.levels", KIND_cred_change}, /* fentry, whatever tier exec is on */
	{"Exec.level_sha256", KIND_cred_change},
	{"Exec.level_writable_by_others", KIND_cred_change},
	{"FileOwner.old_gid", KIND_file_owner},
	{"FileOwner.old_known", KIND_file_owner},
};

#define FIELDS_MAX 1024

struct set {
	const ProtobufCFieldDescriptor *field[FIELDS_MAX];
	size_t n;
};

static void add(struct set *set, const ProtobufCFieldDescriptor *field)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->field[i] == field)
			return;
	if (set->n < FIELDS_MAX)
		set->field[set->n++] = field;
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_INT64:
		return 8;
	default:
		return 4; /* bool and enum are as wide in protobuf-c */
	}
}

static bool is_set(const ProtobufCFieldDescriptor *field, const void *at)
{
	static const char zero[8];

	switch (field->type) {
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)at)->len > 0;
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)at && **(char *const *)at;
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(void *const *)at;
	default:
		return memcmp(at, zero, value_size(field)) != 0;
	}
}

static void walk(struct set *set, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const char *at = (const char *)message + field->offset;
		const char *quantifier = (const char *)message + field->quantifier_offset;
		bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t n = *(const size_t *)quantifier;

			if (n)
				add(set, field);
			for (size_t k = 0; is_message && k < n; k++)
				walk(set, (*(ProtobufCMessage *const *const *)at)[k]);
			continue;
		}
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    *(const uint32_t *)quantifier != field->id)
			continue;
		if (!is_set(field, at))
			continue;
		add(set, field);
		if (is_message)
			walk(set, *(ProtobufCMessage *const *)at);
	}
}

static bool all_first(const struct check *check)
{
	bool all = true;

	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		all &= !kind_is_kernel(kind) || tier_of(check, kind) == 1;
	return all;
}

static const char *excuse(const struct check *check, const char *type, const char *field)
{
	char name[128], any[128];
	struct stat st;

	snprintf(name, sizeof(name), "%s.%s", type, field);
	snprintf(any, sizeof(any), "%s.*", type);
	for (size_t i = 0; i < ARRAY_SIZE(excused); i++)
		if (!strcmp(excused[i].name, name) || !strcmp(excused[i].name, any))
			return excused[i].why;
	for (size_t i = 0; i < ARRAY_SIZE(first_tier); i++)
		if (!strcmp(first_tier[i].name, name) && tier_of(check, first_tier[i].kind) > 1)
			return "not on this tier";
	if ((!strcmp(type, "FileFlags") || !strcmp(name, "Event.file_flags")) &&
	    !story_first(check->story, KIND_file_flags))
		return "no file system with flags";
	/* a file system without a disk has no major number, and a small guest has no other */
	if (!strcmp(name, "File.device_major") && !stat("/", &st) && !major(st.st_dev))
		return "no disk";
	if (!strcmp(name, "FileRename.old_path_as_asked") && tier_of(check, KIND_file_rename) == 1)
		return "not on this tier";
	if ((!strcmp(name, "System.sha256") || !strcmp(name, "System.hash_state")) &&
	    access("/sys/kernel/kexec_loaded", F_OK))
		return "a kernel without kexec";
	if ((!strcmp(type, "Module") || !strncmp(name, "Event.module_", 13)) &&
	    !tier_of(check, KIND_module_load))
		return "a kernel without modules";
	if ((!strcmp(type, "FileClose") || !strcmp(name, "Event.file_close")) &&
	    !tier_of(check, KIND_file_close))
		return "a class with one tier";
	if ((!strcmp(name, "Mount.cleared") || !strcmp(name, "Mount.propagation")) &&
	    syscall(NR_MOUNT_SETATTR, -1, NULL, 0, NULL, 0) && errno == ENOSYS)
		return "a kernel without mount_setattr";
#if defined(__x86_64__)
	if (!strcmp(name, "Event.compat") && int80_try(fork()))
		return "this kernel has no 32-bit system calls";
#endif
	if (!strcmp(name, "Coverage.reason") && all_first(check))
		return "every class is on its best hook";
	return NULL;
}

/* Every message that an event can hold. */
static void reach(const ProtobufCMessageDescriptor *type, const ProtobufCMessageDescriptor **all,
		  size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		if (all[i] == type)
			return;
	if (*n >= FIELDS_MAX)
		return;
	all[(*n)++] = type;
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			reach(type->fields[i].descriptor, all, n);
}

void check_fields(struct check *check)
{
	const ProtobufCMessageDescriptor *all[FIELDS_MAX];
	static struct set set;
	size_t n = 0;

	for (size_t i = 0; i < check->story->nevents; i++) {
		walk(&set, &check->story->events[i].event->base);
		if (check->story->events[i].process)
			walk(&set, &check->story->events[i].process->base);
	}
	reach(&hinomi__event__descriptor, all, &n);
	reach(&hinomi__process__descriptor, all, &n);
	for (size_t i = 0; i < n; i++)
		for (unsigned f = 0; f < all[i]->n_fields; f++) {
			const ProtobufCFieldDescriptor *field = &all[i]->fields[f];
			bool seen = false;

			for (size_t k = 0; k < set.n; k++)
				seen |= set.field[k] == field;
			if (!seen && !excuse(check, all[i]->short_name, field->name))
				check_fail(check, "no event ever set %s.%s", all[i]->short_name,
					   field->name);
		}
	if (check->failures && check->story->unjudged)
		snprintf(check->skipped, sizeof(check->skipped), "a gap declares what sets: %.40s",
			 check->first);
}
