/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An exec that did not happen.  Tier 1 names the file from the kernel's copy of
 * the name; it does not see what fails before a file is looked for (no memory,
 * an argument that cannot be read, too many processes).
 */
#pragma once

static __always_inline int on_exec_failed(struct file *file, const char *filename, int result,
					  __u32 hook)
{
	struct exec_failed_record *rec;
	struct slot *slot;

	if (result >= 0)
		return 0;
	slot = record_begin(KIND_exec_failed, hook, 1, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (file)
		file_fill(slot, &rec->file, file, ADDRESS);
	append_string(slot, &rec->filename, filename, false);
	return record_end(slot, result, LANE_OF_exec_failed);
}

SEC("?fexit/bprm_execve")
int PROGRAM_CTX(bprm_exit)
{
	struct linux_binprm *bprm = (void *)ARGUMENT(ctx, 0);
	int result = settings.nargs[NARGS_BPRM] == 1 ? ARGUMENT(ctx, 1) : ARGUMENT(ctx, 4);

	return on_exec_failed(READ(bprm, file), READ(bprm, filename), result, HOOK_bprm_exit);
}

/* Opens the file, from 6.8 on (978ffcbf00d8). */
SEC("?fexit/alloc_bprm")
int PROGRAM(alloc_bprm_exit, int fd, struct filename *filename, int flags,
	    struct linux_binprm *bprm)
{
	bool failed = (unsigned long)bprm >= (unsigned long)-MAX_ERRNO;

	return failed ? on_exec_failed(NULL, READ(filename, name), (long)bprm, HOOK_alloc_bprm_exit)
		      : 0;
}
