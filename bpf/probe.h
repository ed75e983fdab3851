/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Places of the kernel that somebody wants to know passed: events of perf other
 * than counters, and kprobes, whoever sets them (perf, tracefs, a module).
 */
#pragma once

#define PERF_TYPE_TRACEPOINT   2
#define PERF_TYPE_BREAKPOINT   5
#define PERF_KINDS	       6	/* types from here on are numbered as they come */
#define PERF_NOT_IN_THE_KERNEL (1 << 5) /* exclude_kernel */

/* The front of struct perf_event_attr, which the kernel copies whole. */
struct perf_asked {
	__u32 type, size;
	__u64 config, period, sample_type, read_format, flags;
	__u32 wakeup, breakpoint;
	__u64 config1, config2; /* kprobe: function and offset; uprobe: path and offset */
};

enum pmu_kind { PMU_OTHER, PMU_PLAIN, PMU_PROBE };

/* By its name: types are numbered as they come, and software counters get another one than asked
 * for. */
static __always_inline enum pmu_kind pmu_kind(struct pmu *pmu, __u64 flags)
{
	char n[8] = {};

	bpf_probe_read_kernel_str(n, sizeof(n), READ(pmu, name));
	if ((n[0] == 'k' || n[0] == 'u') && n[1] == 'p' && n[2] == 'r' && n[3] == 'o')
		return PMU_PROBE; /* kprobe, uprobe */
	if (n[0] == 't' && n[1] == 'r' && n[2] == 'a' && n[3] == 'c')
		return PMU_PLAIN;				      /* tracepoint */
	if (n[0] == 'b' && n[1] == 'r' && n[2] == 'e' && n[3] == 'a') /* breakpoint */
		return flags & PERF_NOT_IN_THE_KERNEL ? PMU_OTHER : PMU_PLAIN;
	return PMU_OTHER;
}

static __always_inline enum pmu_kind asked_kind(const struct perf_asked *asked)
{
	if (asked->type == PERF_TYPE_BREAKPOINT)
		return asked->flags & PERF_NOT_IN_THE_KERNEL ? PMU_OTHER : PMU_PLAIN;
	return asked->type == PERF_TYPE_TRACEPOINT || asked->type >= PERF_KINDS ? PMU_PLAIN
										: PMU_OTHER;
}

static __always_inline int on_perf_event(struct call *call)
{
	struct perf_asked asked = {};
	struct perf_event *event = NULL;
	enum pmu_kind kind = PMU_OTHER;
	struct pmu *pmu = NULL;
	struct probe_record *rec;
	struct file *file;
	struct slot *slot;

	file = call->result >= 0 ? file_of_fd(call->result) : NULL;
	if (file)
		event = READ(file, private_data);
	if (event) {
		bpf_core_read(&asked, sizeof(asked), &event->attr);
		pmu = READ(event, pmu);
		kind = pmu_kind(pmu, asked.flags);
	} else {
		bpf_probe_read_user(&asked, sizeof(asked), (void *)call->arg[0]);
		kind = asked_kind(&asked);
	}
	if (kind == PMU_OTHER)
		return 0;
	slot = kernel_begin(call, KIND_probe, sizeof(*rec), PROBE_PERF);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->how = PROBE_PERF;
	rec->type = asked.type;
	rec->config = asked.config;
	rec->pid = call->arg[1];
	rec->cpu = call->arg[2];
	if (pmu)
		append_string(slot, &rec->pmu, READ(pmu, name), false);
	if (kind == PMU_PROBE) {
		append_string(slot, &rec->place, (void *)asked.config1, true);
		rec->offset = asked.config2;
	}
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_probe);
}

CALL_EXIT(perf_event_open, on_perf_event)

/* Beside both tiers of the class, wherever functions can be attached to. */
SEC("?fexit/register_kprobe")
int PROGRAM(kprobe_exit, struct kprobe *probe, int result)
{
	__u32 tier = tier_of(KIND_probe);
	struct slot *slot =
		tier ? record_begin(KIND_probe, HOOK_kprobe_exit, tier, sizeof(struct probe_record))
		     : NULL;
	struct probe_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->how = PROBE_KPROBE;
	append_string(slot, &rec->place, READ(probe, symbol_name), false);
	rec->offset = READ(probe, offset);
	return record_end(slot, result, LANE_OF_probe);
}
