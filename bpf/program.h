/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BPF programs of others, and what others do to our own programs, maps and links.
 * What was made is described from its kernel object; what was refused from what
 * was asked for.
 */
#pragma once

/* commands of bpf(2) */
#define BPF_PROG_LOAD		5
#define BPF_PROG_ATTACH		8
#define BPF_PROG_DETACH		9
#define BPF_PROG_GET_FD_BY_ID	13
#define BPF_MAP_GET_FD_BY_ID	14
#define BPF_RAW_TRACEPOINT_OPEN 17
#define BPF_LINK_CREATE		28
#define BPF_LINK_UPDATE		29
#define BPF_LINK_GET_FD_BY_ID	30
#define BPF_LINK_DETACH		34

/* Programs, maps and links of the sensor: HELD_* << 32 | id.  Filled by userspace/attach/held.c. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HELD_MAX);
	__type(key, __u64);
	__type(value, __u32);
} held SEC(".maps");

static __always_inline bool is_held(__u64 what, __u32 id)
{
	__u64 key = what << 32 | id;

	return bpf_map_lookup_elem(&held, &key);
}

#define INSN_HELPER    0x0085 /* code and source register of a call */
#define INSN_FUNCTION  0x2085
#define INSN_CALL_MASK 0xf0ff
#define HELPERS	       256
#define SCAN_CHUNK     512
#define SCAN_CHUNKS    8

/* Helpers by which a program does more than look. */
static const __u8 helper_flags[HELPERS] = {
	[10] = HELPER_CHANGE_PACKET,   /* l3_csum_replace */
	[11] = HELPER_CHANGE_PACKET,   /* l4_csum_replace */
	[18] = HELPER_CHANGE_PACKET,   /* skb_vlan_push */
	[19] = HELPER_CHANGE_PACKET,   /* skb_vlan_pop */
	[31] = HELPER_CHANGE_PACKET,   /* skb_change_proto */
	[38] = HELPER_CHANGE_PACKET,   /* skb_change_tail */
	[43] = HELPER_CHANGE_PACKET,   /* skb_change_head */
	[44] = HELPER_CHANGE_PACKET,   /* xdp_adjust_head */
	[50] = HELPER_CHANGE_PACKET,   /* skb_adjust_room */
	[54] = HELPER_CHANGE_PACKET,   /* xdp_adjust_meta */
	[65] = HELPER_CHANGE_PACKET,   /* xdp_adjust_tail */
	[113] = HELPER_READ_MEMORY,    /* probe_read_kernel */
	[115] = HELPER_READ_MEMORY,    /* probe_read_kernel_str */
	[152] = HELPER_CHANGE_PACKET,  /* redirect_neigh */
	[155] = HELPER_CHANGE_PACKET,  /* redirect_peer */
	[191] = HELPER_READ_MEMORY,    /* copy_from_user_task */
	[36] = HELPER_WRITE_USER,      /* probe_write_user */
	[58] = HELPER_OVERRIDE_RETURN, /* override_return */
	[109] = HELPER_SEND_SIGNAL,    /* send_signal */
	[117] = HELPER_SEND_SIGNAL,    /* send_signal_thread */
	[4] = HELPER_READ_MEMORY,      /* probe_read */
	[45] = HELPER_READ_MEMORY,     /* probe_read_str */
	[112] = HELPER_READ_MEMORY,    /* probe_read_user */
	[114] = HELPER_READ_MEMORY,    /* probe_read_user_str */
	[148] = HELPER_READ_MEMORY,    /* copy_from_user */
	[9] = HELPER_CHANGE_PACKET,    /* skb_store_bytes */
	[13] = HELPER_CHANGE_PACKET,   /* clone_redirect */
	[23] = HELPER_CHANGE_PACKET,   /* redirect */
	[51] = HELPER_CHANGE_PACKET,   /* redirect_map */
	[166] = HELPER_SYS_BPF,	       /* sys_bpf */
};

/* All ones where x is 0; without a branch, of which the verifier would follow both ways each time.
 */
static __always_inline __u64 if_zero(__u64 x)
{
	__s64 mask = (__s64)(x - 1) >> 63;

	barrier_var(mask);
	return mask;
}

static __always_inline __u32 insn_flags(__u64 insn)
{
	__u32 id = insn >> 32;
	__u64 helper = if_zero((insn & INSN_CALL_MASK) ^ INSN_HELPER) & if_zero(id / HELPERS);

	return (helper_flags[id & (HELPERS - 1)] & helper) |
	       (HELPER_KERNEL_FUNCTION & if_zero((insn & INSN_CALL_MASK) ^ INSN_FUNCTION));
}

/*
 * Goes through the next instructions at slot->walk.dentry, `left` of them or as many
 * as fit.  As path_build(): a global function, and what goes on lies in the slot.
 */
__noinline int helpers_chunk(__u32 slot_index, __u32 left, __u32 user)
{
	struct slot *slot = bpf_map_lookup_elem(&slots, &slot_index);
	__u64 *insns;

	if (!slot)
		return 0;
	insns = (void *)slot->path;
	if (left > SCAN_CHUNK)
		left = SCAN_CHUNK;
	barrier_var(left);
	if (left > SCAN_CHUNK)
		return 0;
	for (__u32 i = 0; i < SCAN_CHUNK; i++) {
		insns[i] = 0;
		barrier(); /* no call to memset */
	}
	if (user ? bpf_probe_read_user(insns, left * sizeof(*insns), slot->walk.dentry)
		 : bpf_probe_read_kernel(insns, left * sizeof(*insns), slot->walk.dentry))
		slot->walk.missing |= HELPER_NOT_ALL_SEEN;
	for (__u32 i = 0; i < SCAN_CHUNK; i++) /* all of it: no way out to be followed */
		slot->walk.missing |= insn_flags(insns[i]);
	slot->walk.dentry = (void *)slot->walk.dentry + SCAN_CHUNK * sizeof(*insns);
	return 0;
}

static __always_inline __u32 helpers_of(struct slot *slot, const void *insns, __u32 count,
					bool user)
{
	slot->walk.dentry = (void *)insns;
	slot->walk.missing = count > SCAN_CHUNK * SCAN_CHUNKS ? HELPER_NOT_ALL_SEEN : 0;
	for (__u32 i = 0; i < SCAN_CHUNKS; i++)
		if (count > i * SCAN_CHUNK)
			helpers_chunk(slot->index, count - i * SCAN_CHUNK, user);
	return slot->walk.missing;
}

/* By thread, from the check of a program to the end of its load. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u32);
} helpers_before SEC(".maps");

/* The kernel has its own copy here, and has not rewritten it yet.  A pointer to a pointer is no
 * argument that a program may load. */
SEC("?fentry/bpf_check")
int PROGRAM_CTX(bpf_check_enter)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct bpf_prog *prog = NULL;
	struct slot *slot;
	__u32 flags;

	bpf_probe_read_kernel(&prog, sizeof(prog), (void *)argument_untyped(ctx, 0));
	if (!in_scope())
		return 0;
	slot = slot_claim();
	if (!slot)
		return 0;
	flags = helpers_of(slot, (void *)prog + bpf_core_field_offset(prog->insnsi),
			   READ(prog, len), false);
	slot_release(slot);
	bpf_map_update_elem(&helpers_before, &who, &flags, BPF_ANY);
	return 0;
}

/* The front of union bpf_attr, as far as a load tells anything. */
struct load_asked {
	__u32 type, instructions;
	__u64 insns, license;
	__u32 log_level, log_size;
	__u64 log;
	__u32 version, flags;
	char name[16];
	__u32 ifindex, attach_type;
};

static __always_inline __u32 helpers_known(struct slot *slot, const struct load_asked *asked)
{
	__u64 who = bpf_get_current_pid_tgid();
	__u32 *before = bpf_map_lookup_elem(&helpers_before, &who), flags;

	if (!before)
		return helpers_of(slot, (void *)asked->insns, asked->instructions, true);
	flags = *before;
	bpf_map_delete_elem(&helpers_before, &who);
	return flags;
}

static __always_inline void program_fill(struct slot *slot, struct bpf_record *rec,
					 struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = READ(prog, aux);

	if (!prog)
		return;
	rec->id = READ(aux, id);
	rec->type = READ(prog, type);
	if (!rec->attach_type)
		rec->attach_type = READ(prog, expected_attach_type);
	rec->instructions = READ(prog, len);
	rec->target_id = READ(aux, attach_btf_id);
	bpf_core_read(rec->tag, sizeof(rec->tag), &prog->tag);
	bpf_core_read_str(rec->name, sizeof(rec->name), &aux->name);
	if (!rec->target.len)
		append_string(slot, &rec->target, READ(aux, attach_func_name), false);
}

static __always_inline void link_fill(struct slot *slot, struct bpf_record *rec,
				      struct bpf_link *link)
{
	if (!link)
		return;
	rec->link_id = READ(link, id);
	rec->link_type = READ(link, type);
	rec->ours = is_held(HELD_LINK, rec->link_id);
	program_fill(slot, rec, READ(link, prog));
}

/* A program, a link, a perf event: whatever the descriptor stands for. */
static __always_inline void *object_of_fd(int fd)
{
	struct file *file = file_of_fd(fd);

	return file ? READ(file, private_data) : NULL;
}

static __always_inline void fd_fill(struct slot *slot, struct bpf_record *rec, int fd)
{
	struct bpf_prog *prog = object_of_fd(fd);

	if (prog)
		program_fill(slot, rec, prog);
}

static __always_inline void load_fill(struct slot *slot, struct bpf_record *rec, struct call *call)
{
	struct load_asked asked = {};

	bpf_probe_read_user(&asked, sizeof(asked), (void *)call->arg[1]);
	rec->helpers = helpers_known(slot, &asked);
	if (call->result >= 0) {
		fd_fill(slot, rec, call->result);
		return;
	}
	rec->type = asked.type;
	rec->instructions = asked.instructions;
	rec->attach_type = asked.attach_type;
	__builtin_memcpy(rec->name, asked.name, sizeof(rec->name));
}

/* Objects by their number: of ours only, or every bpftool would be an event per object. */
static __always_inline __u32 held_kind(__u32 command)
{
	switch (command) {
	case BPF_PROG_GET_FD_BY_ID:
		return HELD_PROGRAM;
	case BPF_MAP_GET_FD_BY_ID:
		return HELD_MAP;
	case BPF_LINK_GET_FD_BY_ID:
		return HELD_LINK;
	}
	return 0;
}

static __always_inline void open_fill(struct bpf_record *rec, __u32 command, __u32 id)
{
	rec->ours = true;
	if (command == BPF_LINK_GET_FD_BY_ID)
		rec->link_id = id;
	else
		rec->id = id;
}

static __always_inline __u32 bpf_operation(__u32 command)
{
	switch (command) {
	case BPF_PROG_LOAD:
		return BPF_LOAD;
	case BPF_PROG_ATTACH:
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_LINK_CREATE:
		return BPF_ATTACH;
	case BPF_PROG_DETACH:
		return BPF_DETACH;
	case BPF_LINK_UPDATE:
		return BPF_LINK_CHANGE;
	case BPF_LINK_DETACH:
		return BPF_LINK_BREAK;
	case BPF_PROG_GET_FD_BY_ID:
		return BPF_OPEN_PROGRAM;
	case BPF_MAP_GET_FD_BY_ID:
		return BPF_OPEN_MAP;
	case BPF_LINK_GET_FD_BY_ID:
		return BPF_OPEN_LINK;
	}
	return 0;
}

static __always_inline int on_bpf(struct call *call)
{
	__u32 asked[4] = {}, command = call->arg[0], operation = bpf_operation(command);
	struct bpf_record *rec;
	struct slot *slot;

	if (!operation)
		return 0;
	bpf_probe_read_user(asked, sizeof(asked), (void *)call->arg[1]);
	if (held_kind(command) && !is_held(held_kind(command), asked[0]))
		return 0;
	slot = kernel_begin(call, KIND_bpf, sizeof(*rec), operation);
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->operation = operation;
	if (command == BPF_PROG_LOAD) {
		load_fill(slot, rec, call);
	} else if (command == BPF_PROG_ATTACH || command == BPF_PROG_DETACH) {
		rec->attach_type = asked[2];
		fd_fill(slot, rec, asked[1]);
	} else if (command == BPF_RAW_TRACEPOINT_OPEN || command == BPF_LINK_CREATE) {
		if (command == BPF_LINK_CREATE)
			rec->attach_type = asked[2];
		else
			append_string(slot, &rec->target, *(void **)asked, true);
		link_fill(slot, rec, object_of_fd(call->result));
	} else if (command == BPF_LINK_UPDATE || command == BPF_LINK_DETACH) {
		link_fill(slot, rec, object_of_fd(asked[0]));
	} else {
		open_fill(rec, command, asked[0]);
	}
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_bpf);
}

CALL_EXIT(bpf, on_bpf)

/* The last descriptor of a link is closed; who else keeps it, a file, goes on doing so. */
SEC("?fentry/bpf_link_release")
int PROGRAM(bpf_link_end, struct inode *inode, struct file *file)
{
	struct call call = {.hook = HOOK_bpf_link_end, .tier = 1};
	struct bpf_link *link = READ(file, private_data);
	struct bpf_record *rec;
	struct slot *slot;

	if (READ(link, refcnt.counter) != 1 || tier_of(KIND_bpf) != call.tier)
		return 0;
	slot = call_begin(&call, KIND_bpf, sizeof(*rec)); /* whatever rights are left to it */
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	rec->operation = BPF_LINK_END;
	link_fill(slot, rec, link);
	return record_end(slot, 0, LANE_OF_bpf);
}
