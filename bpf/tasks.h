/* SPDX-License-Identifier: GPL-2.0 */
/* The iterator over what already runs. */
#pragma once

SEC("?iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct task_record *rec;
	struct file *exe;
	struct slot *slot;
	__u32 size;

	if (!task || READ(task, pid) != READ(task, tgid))
		return 0;
	slot = slot_claim();
	if (!slot)
		return 0;
	__builtin_memset(slot->data, 0, sizeof(*rec));
	rec = (void *)slot->data;
	slot->used = sizeof(*rec);
	rec->record.kind = KIND_task;
	rec->record.hook = HOOK_tasks;
	actor_fill(&rec->record.actor, task, ADDRESS);
	if (rec->record.actor.session_id != UNSET_ID)
		connection_fill(&rec->peer, task);
	exe = READ(task, mm, exe_file);
	if (exe)
		file_fill(slot, &rec->file, exe, ADDRESS);
	size = slot->used;
	if (size > 2 * RECORD_PATH_MAX)
		size = 2 * RECORD_PATH_MAX;
	rec->record.size = size;
	bpf_seq_write(seq, slot->data, size);
	slot_release(slot);
	return 0;
}
