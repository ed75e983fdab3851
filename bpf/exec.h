/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process replaced its image.  What is over by then waits in two tables: the
 * files that named an interpreter, and the credentials before.
 */
#pragma once

#define VM_EXEC		  4
#define S_IFBLK		  0060000
#define S_IFCHR		  0020000
#define VFS_CAP_EFFECTIVE 1 /* in magic_etc */

static __always_inline void read_user(struct slot *slot, struct bytes_ref *ref, __u64 from,
				      __u32 len)
{
	void *to = append_at(slot, ref, EXEC_ENVIRONMENT);

	barrier_var(len);
	if (!to || !len || len > EXEC_ENVIRONMENT)
		return;
	if (!bpf_probe_read_user(to, len, (void *)from))
		append_done(slot, ref, len);
}

#define ARGS_HEAD (RECORD_ARGS_MAX - RECORD_ARGS_TAIL)

/*
 * The argument area as exec has just laid it out: whole when it fits, else head
 * and tail.  First variable value of the record, so its place is a constant.
 */
static __always_inline void append_args(struct slot *slot, struct exec_record *rec,
					struct mm_struct *mm)
{
	__u64 start = READ(mm, arg_start), end = READ(mm, arg_end);
	__u64 total = end > start ? end - start : 0;
	__u32 len = total > ARGS_HEAD ? ARGS_HEAD : total;

	rec->args.off = sizeof(*rec);
	rec->args.total = total;
	barrier_var(len);
	if (len > ARGS_HEAD)
		return;
	if (bpf_probe_read_user(slot->data + sizeof(*rec), len, (void *)start))
		return;
	append_done(slot, &rec->args, len);
	if (total <= ARGS_HEAD)
		return;
	len = total - ARGS_HEAD > RECORD_ARGS_TAIL ? RECORD_ARGS_TAIL : total - ARGS_HEAD;
	barrier_var(len);
	if (len > RECORD_ARGS_TAIL)
		return;
	rec->args_tail.off = sizeof(*rec) + ARGS_HEAD;
	if (bpf_probe_read_user(slot->data + sizeof(*rec) + ARGS_HEAD, len, (void *)(end - len)))
		return;
	append_done(slot, &rec->args_tail, len);
}

/* Head and tail of the environment; which variables are told is decided by the reader. */
static __always_inline void append_environment(struct slot *slot, struct exec_record *rec,
					       struct mm_struct *mm)
{
	__u64 start = READ(mm, env_start), end = READ(mm, env_end);
	__u64 total = end > start ? end - start : 0;
	__u32 len = total > EXEC_ENVIRONMENT ? EXEC_ENVIRONMENT : total;

	rec->environment.total = total;
	read_user(slot, &rec->environment, start, len);
	if (total <= EXEC_ENVIRONMENT)
		return;
	len = total - EXEC_ENVIRONMENT > EXEC_ENVIRONMENT ? EXEC_ENVIRONMENT
							  : total - EXEC_ENVIRONMENT;
	read_user(slot, &rec->environment_tail, end - len, len);
}

struct exec_before {
	__u64 exec_id; /* of the image that it belongs to */
	__u64 file_permitted, file_inheritable;
	__u32 file_effective;
	__u32 known; /* of cred */
	struct cred_ids cred;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u32); /* process: its thread may change on the way */
	__type(value, struct exec_before);
} execs_before SEC(".maps");

struct level_key {
	__u32 tid;
	__u32 level;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, struct level_key);
	__type(value, struct exec_level);
} exec_levels SEC(".maps");

/* The file of the level before, where it was a program that may run itself: nearly always it does.
 * The kernel lets go of it as it goes on to an interpreter, and frees it when the thread returns.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); /* thread */
	__type(value, struct file *);
} execs_native SEC(".maps");

/* Who asks by a 32-bit or x32 call: the kernel forgets it as it sets up the new image. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);   /* thread */
	__type(value, __u64); /* exec_id of the image that it would make */
} execs_foreign SEC(".maps");

static __always_inline void foreign_remember(struct task_struct *task)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 exec_id = exec_id_of(task, ADDRESS) + 1; /* the kernel counts later */

	if (call_is_foreign())
		bpf_map_update_elem(&execs_foreign, &tid, &exec_id, BPF_ANY);
	else
		bpf_map_delete_elem(&execs_foreign, &tid); /* of an exec that failed */
}

static __always_inline __u32 foreign_flag(struct task_struct *task, __u32 tid)
{
	__u64 *exec_id = bpf_map_lookup_elem(&execs_foreign, &tid);

	return exec_id && *exec_id == exec_id_of(task, ADDRESS) ? RECORD_COMPAT : 0;
}

/* By its first bytes a program of this machine: what runs itself. */
static __always_inline bool is_native(struct linux_binprm *bprm)
{
	struct {
		__u32 magic;
		__u8 rest[12];
		__u16 type, machine;
	} head = {};

	bpf_core_read(&head, sizeof(head), &bprm->buf);
	if (head.magic != 0x464c457f)
		return false;
#if defined(__TARGET_ARCH_x86)
	return head.machine == 62 || head.machine == 3;
#else
	return head.machine == 183 || head.machine == 40;
#endif
}

/* inode, and the end of the path, in a slot that is given back. */
static __noinline void level_store(struct level_key *key, struct file *file)
{
	struct slot *slot = slot_claim();
	struct exec_level *level;
	__u32 len;

	if (!slot)
		return;
	__builtin_memset(slot->data, 0, sizeof(*level));
	level = (void *)slot->data;
	inode_fill(&level->file, READ(file, f_inode), ADDRESS);
	slot->walk.mnt = READ(file, f_path.mnt);
	slot->walk.dentry = READ(file, f_path.dentry);
	if (is_memory(&level->file, slot->walk.mnt))
		level->file.flags |= FILE_MEMORY;
	len = path_build(slot->index);
	level->file.directory = path_directory(slot, READ(file, f_path.dentry));
	if (len & PATH_LEADING_MISSING || (len & 0xffff) > EXEC_LEVEL_PATH)
		level->file.flags |= FILE_PATH_TRUNCATED;
	len &= 0xffff;
	level->file.path.total = len;
	if (len > EXEC_LEVEL_PATH)
		len = EXEC_LEVEL_PATH;
	barrier_var(len);
	if (len <= EXEC_LEVEL_PATH &&
	    !bpf_probe_read_kernel(level->path, len,
				   slot->path + (RECORD_PATH_MAX - EXEC_LEVEL_PATH) +
					   (EXEC_LEVEL_PATH - len)))
		level->file.path.len = len;
	bpf_map_update_elem(&exec_levels, key, level, BPF_ANY);
	slot_release(slot);
}

/* How many are stored; first: forget those of an exec that failed. */
static __always_inline void level_find(struct level_key *key, bool first)
{
	for (int i = 0; i < EXEC_LEVELS_MAX; i++) {
		key->level = i;
		if (first ? bpf_map_delete_elem(&exec_levels, key)
			  : !bpf_map_lookup_elem(&exec_levels, key))
			break;
	}
	if (first)
		key->level = 0;
}

/* Once for each file of the chain, from the one that was asked for to the one that runs. */
SEC("?fentry/security_bprm_check")
int PROGRAM(level_enter, struct linux_binprm *bprm)
{
	struct level_key key = {.tid = bpf_get_current_pid_tgid()};
	bool first = READ(bprm, interp) == READ(bprm, filename);
	struct file *file = READ(bprm, file), **before;
	__u32 tid = key.tid;

	level_find(&key, first);
	if (first) {
		foreign_remember((void *)bpf_get_current_task());
	} else {
		before = bpf_map_lookup_elem(&execs_native, &tid);
		if (before && *before) { /* it does not run itself: binfmt_misc */
			level_store(&key, *before);
			key.level++;
		}
	}
	if (is_native(bprm)) {
		bpf_map_update_elem(&execs_native, &tid, &file, BPF_ANY);
		return 0;
	}
	bpf_map_delete_elem(&execs_native, &tid);
	level_store(&key, file);
	return 0;
}

/* Capabilities of the file that runs; asked for shortly before its credentials come into force. */
SEC("?fexit/get_vfs_caps_from_disk")
int PROGRAM_CTX(file_caps_exit)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cpu_vfs_cap_data *caps;
	struct exec_before before = {};
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	int result;

	if (settings.nargs[NARGS_FILE_CAPS] == 2) { /* until 5.11: 71bc356f93a1 */
		caps = (void *)ARGUMENT(ctx, 1);
		result = ARGUMENT(ctx, 2);
	} else {
		caps = (void *)ARGUMENT(ctx, 2);
		result = ARGUMENT(ctx, 3);
	}
	if (result) {
		bpf_map_delete_elem(&execs_before, &tgid); /* what an exec that failed left */
		return 0;
	}
	before.exec_id = exec_id_of(task, ADDRESS) + 1; /* the kernel counts later */
	bpf_core_read(&before.file_permitted, 8, &caps->permitted);
	bpf_core_read(&before.file_inheritable, 8, &caps->inheritable);
	before.file_effective = READ(caps, magic_etc) & VFS_CAP_EFFECTIVE;
	bpf_map_update_elem(&execs_before, &tgid, &before, BPF_ANY);
	return 0;
}

/* Credentials change, and current still has the old ones: what an exec must know of it. */
static __always_inline void before_remember(struct task_struct *task, const struct cred *old)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct exec_before *there = bpf_map_lookup_elem(&execs_before, &tgid);
	struct exec_before before = {.exec_id = exec_id_of(task, ADDRESS), .known = 1};

	if (there && there->exec_id == before.exec_id) {
		before.file_permitted = there->file_permitted;
		before.file_inheritable = there->file_inheritable;
		before.file_effective = there->file_effective;
	}
	cred_fill(&before.cred, old, ADDRESS);
	bpf_map_update_elem(&execs_before, &tgid, &before, BPF_ANY);
}

static __always_inline void before_fill(struct exec_record *rec, struct task_struct *task)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct exec_before *before = bpf_map_lookup_elem(&execs_before, &tgid);

	if (!before)
		return;
	if (before->exec_id ==
	    exec_id_of(task, ADDRESS)) { /* else of an exec that failed, or of a setuid */
		rec->file_permitted = before->file_permitted;
		rec->file_inheritable = before->file_inheritable;
		rec->file_effective = before->file_effective;
		rec->before_known = before->known;
		rec->before = before->cred;
	}
	bpf_map_delete_elem(&execs_before, &tgid);
}

static __always_inline void append_levels(struct slot *slot, struct exec_record *rec, __u32 tid)
{
	__u32 len = 0, max = EXEC_LEVELS_MAX * sizeof(struct exec_level);
	__u8 *to = append_at(slot, &rec->levels, EXEC_LEVELS_MAX * sizeof(struct exec_level));
	struct level_key key = {.tid = tid};

	for (int i = 0; i < EXEC_LEVELS_MAX && to; i++) {
		struct exec_level *level;

		key.level = i;
		level = bpf_map_lookup_elem(&exec_levels, &key);
		if (!level)
			break;
		if (bpf_probe_read_kernel(to + i * sizeof(*level), sizeof(*level), level))
			break;
		len += sizeof(*level);
		bpf_map_delete_elem(&exec_levels, &key);
	}
	if (len && len <= max)
		append_done(slot, &rec->levels, len);
}

/* What the descriptor is; a socket's peer is told once, since all three are mostly the same. */
static __always_inline void stdio_fill(struct exec_record *rec, int fd)
{
	struct stdio_ref *to = &rec->stdio[fd & 3];
	struct file *file = file_of_fd(fd);
	struct inode *inode = READ(file, f_inode);
	struct socket *sock;
	struct sock *sk;
	__u32 type;

	if (!file)
		return;
	to->mode = READ(inode, i_mode);
	to->inode = READ(inode, i_ino);
	type = to->mode & S_IFMT;
	to->device =
		type == S_IFCHR || type == S_IFBLK ? READ(inode, i_rdev) : READ(inode, i_sb, s_dev);
	if (type != S_IFSOCK)
		return;
	sock = READ(file, private_data);
	sk = READ(sock, sk);
	to->family = READ(sk, __sk_common.skc_family);
	to->type = READ(sock, type);
	if (rec->peer.family)
		return;
	rec->peer_of = fd;
	peer_fill(&rec->peer, sk, to->family);
}

static __always_inline void image_fill(struct exec_record *rec, struct linux_binprm *bprm,
				       struct file *exe)
{
	struct inode *directory = READ(exe, f_path.dentry, d_parent, d_inode);

	rec->modified_ns = inode_mtime_ns(READ(exe, f_inode));
	rec->directory_mode = READ(directory, i_mode);
	rec->directory_gid = READ(directory, i_gid.val);
	rec->executable_stack = !!(READ(bprm, vma, vm_flags) & VM_EXEC);
	rec->argc = READ(bprm, argc);
	rec->secure = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);
}

static __always_inline int on_exec(struct task_struct *task, pid_t old_pid,
				   struct linux_binprm *bprm, __u32 hook, __u32 tier)
{
	struct slot *slot = record_begin(KIND_exec, hook, tier, sizeof(struct exec_record));
	struct mm_struct *mm = READ(task, mm);
	const char *filename = READ(bprm, filename), *interp = READ(bprm, interp);
	struct exec_record *rec;

	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->record.flags |= foreign_flag(task, old_pid);
	append_args(slot, rec, mm);
	file_fill(slot, &rec->file, READ(mm, exe_file), ADDRESS);
	append_string(slot, &rec->filename, filename, false);
	append_path(slot, &rec->cwd, READ(task, fs, pwd.mnt), READ(task, fs, pwd.dentry));
	if (interp != filename) {
		append_string(slot, &rec->interpreter, interp, false);
		append_levels(slot, rec, old_pid);
	}
	append_environment(slot, rec, mm);
	image_fill(rec, bprm, READ(mm, exe_file));
	before_fill(rec, task);
	stdio_fill(rec, 0);
	stdio_fill(rec, 1);
	stdio_fill(rec, 2);
	rec->old_tid = old_pid != READ(task, pid) ? old_pid : 0;
	return record_end(slot, 0, LANE_OF_exec);
}

SEC("?tp_btf/sched_process_exec")
int PROGRAM(exec_tp, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	return on_exec(task, old_pid, bprm, HOOK_exec_tp, 1);
}

SEC("?raw_tp/sched_process_exec")
int PROGRAM(exec_raw, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	return on_exec(task, old_pid, bprm, HOOK_exec_raw, 2);
}
