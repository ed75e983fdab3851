/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code that goes into the kernel and out of it.  A module is seen when its code
 * is in place and before it runs; what the kernel refused, at the exit of the
 * call.
 */
#pragma once

#if defined(__TARGET_ARCH_x86)
#define NR_FINIT_MODULE 313
#define NR_FINIT_COMPAT 350
#elif defined(__TARGET_ARCH_arm64)
#define NR_FINIT_MODULE 273
#define NR_FINIT_COMPAT 379
#endif

static __always_inline void module_file_fill(struct slot *slot, struct module_record *rec, int fd)
{
	struct file *file = file_of_fd(fd);

	if (file)
		file_fill(slot, &rec->file, file, ADDRESS);
}

/* What the system call was given: the kernel has cut its own copy of the arguments up by now. */
static __always_inline void module_call_fill(struct slot *slot, struct module_record *rec)
{
	REGS *regs = current_regs();
	struct call call = {};
	bool is_32bit;
	__u32 nr;

	if (!regs)
		return;
	is_32bit = current_is_compat();
	call_arguments(&call, regs, ADDRESS, is_32bit);
	nr = call_number(regs);
	if (nr == (is_32bit ? NR_FINIT_COMPAT : NR_FINIT_MODULE)) {
		append_string(slot, &rec->arguments, (void *)call.arg[1], true);
		module_file_fill(slot, rec, call.arg[0]);
	} else {
		append_string(slot, &rec->arguments, (void *)call.arg[2], true);
	}
}

/* What the kernel keeps of the image itself, whatever file it came from. */
static __always_inline void module_versions(struct module_record *rec, struct module *module)
{
	const char *srcversion = READ(module, srcversion);

	if (srcversion)
		bpf_probe_read_kernel_str(rec->srcversion, sizeof(rec->srcversion), srcversion);
	if (bpf_core_field_exists(module->build_id))
		bpf_core_read(rec->build_id, sizeof(rec->build_id), &module->build_id);
}

static __always_inline int on_module(struct module *module, __u32 kind, __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(kind, hook, tier, sizeof(struct module_record));
	struct module_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->taints = READ(module, taints);
	bpf_core_read_str(rec->name, sizeof(rec->name), &module->name);
	module_versions(rec, module);
	if (kind == KIND_module_load)
		module_call_fill(slot, rec);
	return record_end(slot, 0, LANE_OF_module_load);
}

SEC("?tp_btf/module_load")
int PROGRAM(module_load_tp, struct module *module)
{
	return on_module(module, KIND_module_load, HOOK_module_load_tp, 1);
}

SEC("?raw_tp/module_load")
int PROGRAM(module_load_raw, struct module *module)
{
	return on_module(module, KIND_module_load, HOOK_module_load_raw, 2);
}

SEC("?tp_btf/module_free")
int PROGRAM(module_free_tp, struct module *module)
{
	return on_module(module, KIND_module_unload, HOOK_module_free_tp, 1);
}

SEC("?raw_tp/module_free")
int PROGRAM(module_free_raw, struct module *module)
{
	return on_module(module, KIND_module_unload, HOOK_module_free_raw, 2);
}

static __always_inline int on_module_refused(struct call *call)
{
	bool unload = call->what == TAP_DELETE_MODULE;
	__u32 kind = unload ? KIND_module_unload : KIND_module_load;
	struct module_record *rec;
	struct slot *slot;

	if (call->result >= 0)
		return 0;
	slot = kernel_begin(call, kind, sizeof(*rec), 0);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (unload)
		bpf_probe_read_user_str(rec->name, sizeof(rec->name), (void *)call->arg[0]);
	else
		append_string(
			slot, &rec->arguments,
			(void *)(call->what == TAP_FINIT_MODULE ? call->arg[1] : call->arg[2]),
			true);
	if (call->what == TAP_FINIT_MODULE)
		module_file_fill(slot, rec, call->arg[0]);
	return record_end(slot, call->result, LANE_OF_module_load);
}

CALL_EXIT_TAP(init_module, TAP_INIT_MODULE, on_module_refused)
CALL_EXIT_TAP(finit_module, TAP_FINIT_MODULE, on_module_refused)
CALL_EXIT_TAP(delete_module, TAP_DELETE_MODULE, on_module_refused)
