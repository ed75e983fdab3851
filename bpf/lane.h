/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which lane a complete record goes to.  A class says what it should be (kinds.h);
 * the must-keep ring must not be filled by who has no privileges, and what privileges
 * did must not lie where a flood of files pushes it out:
 *
 * - who has all privileges of the machine gets what the class says;
 * - everybody else has a budget in the must-keep ring, for each user and class and
 *   second, and none where that ring's second half begins.  Beyond, the record goes
 *   to the bulk lane, with its number there.
 */
#pragma once

#define FIRST_USER_NS	 0xeffffffd /* PROC_USER_INIT_INO */
#define CAP_SYS_ADMIN	 21
#define NAMESPACES_DEPTH 3 /* of user namespaces in each other that are looked through */
#define WHO_DEEPER	 ~0ULL

struct budget_key {
	__u64 who; /* user; or a user namespace of root, above 32 bits */
	__u64 kind;
};

struct budget {
	__u64 second; /* that bytes are of */
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct budget_key);
	__type(value, struct budget);
} keep_budgets SEC(".maps");

/* Some privilege in the first user namespace. */
static __always_inline bool has_rights(const struct actor *actor)
{
	return actor->cred.cap_effective && actor->ns.user == FIRST_USER_NS;
}

/* Root with the one privilege that is as good as all; a program that a user runs with root's
 * rights has the user's real id. */
static __always_inline bool has_all_rights(const struct actor *actor)
{
	return has_rights(actor) && !actor->cred.uid &&
	       actor->cred.cap_effective >> CAP_SYS_ADMIN & 1;
}

/*
 * Whose budget it is: the user's; in a user namespace, where one may be thousands of
 * users, that of who made the outermost one.  Container managers make theirs as root:
 * each of those is somebody of its own.
 */
static __always_inline __u64 budget_owner(const struct actor *actor)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = READ(task, cred);
	struct user_namespace *ns = READ(cred, user_ns), *up;
	__u32 owner;

	if (actor->ns.user == FIRST_USER_NS)
		return actor->cred.uid;
	for (int i = 0; i < NAMESPACES_DEPTH; i++) {
		up = READ(ns, parent);
		if (!up || READ(up, ns.inum) == FIRST_USER_NS) {
			owner = READ(ns, owner.val);
			return owner ? owner : (__u64)READ(ns, ns.inum) << 32;
		}
		ns = up;
	}
	return WHO_DEEPER; /* one budget for all of those */
}

/* Two CPUs at once may take a little more than there is. */
static __always_inline bool budget_take(const struct record *rec, __u32 size)
{
	struct budget_key key = {.who = budget_owner(&rec->actor), .kind = rec->kind};
	__u64 second = bpf_ktime_get_boot_ns() >> 30;
	struct budget *budget = bpf_map_lookup_elem(&keep_budgets, &key);
	struct budget fresh = {.second = second, .bytes = size};

	if (!budget) {
		bpf_map_update_elem(&keep_budgets, &key, &fresh, BPF_ANY);
		return true;
	}
	if (budget->second != second) {
		budget->second = second;
		budget->bytes = 0;
	}
	__sync_fetch_and_add(&budget->bytes, size);
	return budget->bytes <= settings.keep_budget;
}

static __always_inline __u32 lane_of(const struct record *rec, __u32 size, __u32 wanted)
{
	if (wanted == LANE_BULK || rec->flags & RECORD_NO_ACTOR)
		return wanted == LANE_KEEP ? LANE_KEEP : LANE_BULK;
	if (has_all_rights(&rec->actor))
		return LANE_KEEP;
	if (wanted == LANE_BY_RIGHTS && !has_rights(&rec->actor))
		return LANE_BULK;
	if (bpf_ringbuf_query(&ring_keep, BPF_RB_AVAIL_DATA) >= settings.keep_reserve)
		return LANE_BULK;
	return budget_take(rec, size) ? LANE_KEEP : LANE_BULK;
}
