/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that becomes executable: files (programs and libraries, whoever maps
 * them), and what is no file or was written to.  Seen where the kernel asks
 * whether it may, so before the outcome.
 *
 * A file of root that nobody else may write is told once for each executable
 * that maps it, any other one once for each process; memory once for each
 * process and way.  The rest is counted as aggregated: a compiler at run time
 * makes thousands of them a second.
 */
#pragma once

#define PROT_READ			    1
#define PROT_WRITE			    2
#define PROT_EXEC			    4
#define VM_WRITE			    2
#define VM_GROWSDOWN			    0x100
#define MAP_ANONYMOUS			    0x20
#define READ_IMPLIES_EXEC		    0x400000
#define SB_I_NOEXEC			    2
#define MNT_NOEXEC			    4
#define MAY_BE_WRITTEN_BY_OTHERS(mode, gid) (((mode)&02) || (((mode)&020) && (gid)))

struct memory_key {
	__u64 inode; /* or the way */
	__u64 changed_ns;
	__u64 who; /* inode of the executable, or start of the process */
	__u32 device;
	__u32 who_device; /* of the executable, or process id */
	__u64 image;	  /* of the process; 0: told by executable */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct memory_key);
	__type(value, __u32);
} memory_told SEC(".maps");

static __always_inline void key_of_process(struct memory_key *key)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	key->who = READ(task, group_leader, start_boottime);
	key->who_device = READ(task, tgid);
	key->image = exec_id_of(task, ADDRESS) + 1;
}

/* True for the first of its kind; else counted. */
static __always_inline bool is_news(struct memory_key *key, __u32 kind)
{
	__u32 *told = bpf_map_lookup_elem(&memory_told, key), one = 1;
	struct ledger_cell *cell;

	if (!told) {
		bpf_map_update_elem(&memory_told, key, &one, BPF_ANY);
		return true;
	}
	cell = ledger_cell(kind);
	if (cell) {
		count(&cell->seen);
		count(&cell->aggregated);
	}
	return false;
}

/* Ends the record of what was news; when it is lost, the next of its kind is news again. */
static __always_inline int news_end(struct slot *slot, const struct memory_key *key, __s32 result,
				    __u32 wanted)
{
	((struct record *)slot->data)->result = result;
	if (!record_close(slot->index, wanted))
		bpf_map_delete_elem(&memory_told, key);
	return 0;
}

#define NAME_END 16

/* By the end of its name a library: libx.so.1.2. */
static __always_inline bool is_library(struct file *file)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	const unsigned char *name = READ(dentry, d_name.name);
	__u32 len = READ(dentry, d_name.len);
	char end[NAME_END] = {};
	__u32 found = 0;

	if (len > NAME_END)
		name += len - NAME_END;
	bpf_probe_read_kernel_str(end, sizeof(end), name);
	for (int i = 0; i + 2 < NAME_END; i++) {
		__u32 differs = (end[i] ^ '.') | (end[i + 1] ^ 's') | (end[i + 2] ^ 'o');

		/* 1 where they are the same, without a branch, of which the verifier would follow
		 * both ways */
		barrier_var(differs);
		found |= (differs - 1) >> 31;
	}
	return found;
}

/* What may be executed and is no library is mostly what a dynamic loader was told to run: each time
 * is news, for the executable is the loader. */
static __always_inline bool is_usual(struct inode *inode, struct file *file)
{
	__u32 mode = READ(inode, i_mode);

	if (mode & 0111 && !is_library(file))
		return false;

	return !READ(inode, i_uid.val) && READ(inode, i_nlink) &&
	       !MAY_BE_WRITTEN_BY_OTHERS(mode, READ(inode, i_gid.val)) &&
	       !(READ(file, f_path.mnt, mnt_flags) & MNT_INTERNAL);
}

static __always_inline int on_image(struct file *file, __u32 protection, __u32 flags, bool later,
				    __u32 hook, __u32 tier)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inode *inode = READ(file, f_inode), *exe = READ(task, mm, exe_file, f_inode);
	struct memory_key key = {};
	struct image_record *rec;
	struct slot *slot;

	if (inode == exe || !in_scope()) /* the exec has told */
		return 0;
	key.inode = READ(inode, i_ino);
	key.device = READ(inode, i_sb, s_dev);
	key.changed_ns = inode_ctime_ns(inode, ADDRESS);
	if (is_usual(inode, file)) {
		key.who = READ(exe, i_ino);
		key.who_device = READ(exe, i_sb, s_dev);
	} else {
		key_of_process(&key);
	}
	if (!is_news(&key, KIND_image_load))
		return 0;
	slot = record_begin(KIND_image_load, hook, tier, sizeof(*rec));
	if (!slot) {
		bpf_map_delete_elem(&memory_told, &key);
		return 0;
	}
	rec = (void *)slot->data;
	if (tier == 1)
		rec->record.flags |= RECORD_RESULT_UNKNOWN;
	rec->protection = protection;
	rec->flags = flags;
	rec->later = later;
	rec->by_executable = !key.image;
	file_fill(slot, &rec->file, file, ADDRESS);
	return news_end(slot, &key, 0, LANE_OF_image_load);
}

struct region {
	struct file *file;
	__u64 address, size;
	__u32 action, memory;
	bool writable, was_writable;
};

static __always_inline int on_memory(struct region *region, __u32 hook, __u32 tier)
{
	struct memory_key key = {};
	struct memory_record *rec;
	struct slot *slot;

	if (!in_scope())
		return 0;
	key_of_process(&key);
	key.inode = region->memory << 8 | region->action << 2 | region->writable << 1 |
		    region->was_writable;
	if (!is_news(&key, KIND_memory_exec))
		return 0;
	slot = record_begin(KIND_memory_exec, hook, tier, sizeof(*rec));
	if (!slot) {
		bpf_map_delete_elem(&memory_told, &key);
		return 0;
	}
	rec = (void *)slot->data;
	if (tier == 1)
		rec->record.flags |= RECORD_RESULT_UNKNOWN;
	rec->action = region->action;
	rec->memory = region->memory;
	rec->writable = region->writable;
	rec->was_writable = region->was_writable;
	rec->address = region->address;
	rec->size = region->size;
	if (region->file)
		file_fill(slot, &rec->file, region->file, ADDRESS);
	return news_end(slot, &key, 0, LANE_OF_memory_exec);
}

/* What the kernel makes of what was asked for: by a flag of its personality (and of old programs),
 * all that a process may read it may execute. */
static __always_inline __u32 protection_of(struct file *file, __u32 asked)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (asked & PROT_EXEC || !(asked & PROT_READ) ||
	    !(READ(task, personality) & READ_IMPLIES_EXEC))
		return asked;
	if (file && (READ(file, f_path.mnt, mnt_flags) & MNT_NOEXEC ||
		     READ(file, f_inode, i_sb, s_iflags) & SB_I_NOEXEC))
		return asked;
	return asked | PROT_EXEC;
}

/* No file, or one that stays writable. */
static __always_inline int on_memory_map(struct file *file, __u32 protection, __u32 hook,
					 __u32 tier)
{
	struct region region = {.file = file,
				.action = MEMORY_MAP,
				.memory = file ? MEMORY_FILE : MEMORY_ANONYMOUS,
				.writable = !!(protection & PROT_WRITE)};

	if (file && !region.writable)
		return 0;
	return on_memory(&region, hook, tier);
}

SEC("?fentry/security_mmap_file")
int PROGRAM(exec_map, struct file *file, unsigned long asked, unsigned long flags)
{
	__u32 protection = protection_of(file, asked);
	struct control *c;

	if (!(protection & PROT_EXEC))
		return 0;
	c = control_get();
	if (c && file && is_on(c, KIND_image_load, 1))
		on_image(file, protection, flags, false, HOOK_exec_map, 1);
	return c && is_on(c, KIND_memory_exec, 1)
		       ? on_memory_map(file, protection, HOOK_exec_map, 1)
		       : 0;
}

/* A private mapping that was written to has pages that are no file's any more. */
static __always_inline bool is_image(struct vm_area_struct *vma, __u32 protection)
{
	return READ(vma, vm_file) && !READ(vma, anon_vma) && !(READ(vma, vm_flags) & VM_WRITE) &&
	       !(protection & PROT_WRITE);
}

static __always_inline __u32 memory_of(struct vm_area_struct *vma)
{
	struct mm_struct *mm = READ(vma, vm_mm);
	__u64 start = READ(vma, vm_start), end = READ(vma, vm_end);

	if (READ(vma, vm_file))
		return MEMORY_FILE;
	if (READ(vma, vm_flags) & VM_GROWSDOWN)
		return MEMORY_STACK;
	if (start < READ(mm, brk) && end > READ(mm, start_brk))
		return MEMORY_HEAP;
	return MEMORY_ANONYMOUS;
}

static __always_inline int on_protect(struct vm_area_struct *vma, __u32 protection)
{
	struct region region = {.action = MEMORY_PROTECT};

	region.file = READ(vma, vm_file);
	region.memory = memory_of(vma);
	region.writable = !!(protection & PROT_WRITE);
	region.was_writable = !!(READ(vma, vm_flags) & VM_WRITE);
	if (!region.writable && !region.was_writable && READ(vma, vm_flags) & VM_EXEC)
		return 0; /* it was so before */
	region.address = READ(vma, vm_start);
	region.size = READ(vma, vm_end) - region.address;
	return on_memory(&region, HOOK_exec_protect, 1);
}

SEC("?fentry/security_file_mprotect")
int PROGRAM(exec_protect, struct vm_area_struct *vma, unsigned long asked, unsigned long protection)
{
	struct control *c;

	if (!(protection & PROT_EXEC))
		return 0;
	c = control_get();
	if (!c)
		return 0;
	if (!is_image(vma, protection))
		return is_on(c, KIND_memory_exec, 1) ? on_protect(vma, protection) : 0;
	if (READ(vma, vm_flags) & VM_EXEC || !is_on(c, KIND_image_load, 1))
		return 0;
	return on_image(READ(vma, vm_file), protection, 0, true, HOOK_exec_protect, 1);
}

/* Tier 2: what the caller asked for; what the memory was before is not known.  Two global
 * functions, for the sake of the stack. */
__noinline int tap_map_image(__u32 asked, __u32 flags, __u32 fd)
{
	struct file *file = flags & MAP_ANONYMOUS ? NULL : file_of_fd(fd);
	__u32 protection = protection_of(file, asked);

	return file && protection & PROT_EXEC
		       ? on_image(file, protection, flags, false, HOOK_tap, 2)
		       : 0;
}

__noinline int tap_map_memory(__u32 asked, __u32 flags, __u32 fd)
{
	struct file *file = flags & MAP_ANONYMOUS ? NULL : file_of_fd(fd);
	__u32 protection = protection_of(file, asked);

	if (!(protection & PROT_EXEC) || (!file && !(flags & MAP_ANONYMOUS)))
		return 0;
	return on_memory_map(file, protection, HOOK_tap, 2);
}

__noinline int tap_protect(__u64 address, __u64 size, __u32 protection)
{
	struct region region = {.action = MEMORY_PROTECT,
				.memory = MEMORY_UNKNOWN,
				.address = address,
				.size = size,
				.writable = !!(protection & PROT_WRITE)};

	return on_memory(&region, HOOK_tap, 2);
}

static __always_inline int tap_mprotect(struct call *call)
{
	__u32 protection = protection_of(NULL, call->arg[2]);

	if (!(protection & PROT_EXEC) || call->result)
		return 0;
	return tap_protect(call->arg[0], call->arg[1], protection);
}

/* Page faults that user space answers: they stop the kernel in the middle of reading arguments. */
static __always_inline int on_userfaultfd(struct call *call)
{
	struct slot *slot = call_begin(call, KIND_userfaultfd, sizeof(struct userfaultfd_record));

	if (!slot)
		return 0;
	((struct userfaultfd_record *)slot->data)->flags = call->arg[0];
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_userfaultfd);
}

CALL_EXIT(userfaultfd, on_userfaultfd)
