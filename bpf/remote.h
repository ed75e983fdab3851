/* SPDX-License-Identifier: GPL-2.0 */
/* Another process's memory, used rather than asked for: writes to /proc/PID/mem, and
 * process_madvise. */
#pragma once

/* Once for each pair; who writes to itself gets around the protection of its pages. */
static __always_inline int on_memory_write(struct file *file, __s64 result, __u32 hook)
{
	struct mm_struct *mm = READ(file, private_data);
	struct task_struct *task = bpf_core_field_exists(mm->owner) ? READ(mm, owner) : NULL;
	struct memory_key key = {};
	struct access_record *rec;
	struct slot *slot;
	REGS *regs;

	if (!in_scope())
		return 0;
	key_of_process(&key);
	key.inode = (__u64)mm;
	key.changed_ns = result < 0;
	if (!is_news(&key, KIND_process_access))
		return 0;
	slot = record_begin(KIND_process_access, hook, 1, sizeof(*rec));
	if (!slot) {
		bpf_map_delete_elem(&memory_told, &key);
		return 0;
	}
	rec = (void *)slot->data;
	if (task)
		target_fill(&rec->target, task);
	regs = current_regs();
	rec->call = -1;
	if (regs)
		access_call(rec, regs);
	rec->operation = ACCESS_FILE_WRITE;
	return news_end(slot, &key, result < 0 ? result : 0, LANE_OF_process_access);
}

SEC("?fexit/mem_write")
int PROGRAM(mem_write_exit, struct file *file, void *bytes, unsigned long size, void *at,
	    long result)
{
	return on_memory_write(file, result, HOOK_mem_write_exit);
}

/* Of itself it is madvise. */
static __always_inline int on_madvise(struct call *call)
{
	__u32 tgid = tgid_of_pidfd(call->arg[0]);
	struct access_record *rec;
	struct slot *slot;

	if (tgid == bpf_get_current_pid_tgid() >> 32)
		return 0;
	slot = call_begin(call, KIND_process_access, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->target.key.tgid = tgid;
	rec->operation = ACCESS_ADVISE;
	rec->request = call->arg[3];
	rec->call = NR_PROCESS_MADVISE;
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_process_access);
}

CALL_EXIT_AS(madvise, process_madvise, on_madvise)
