/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets that were there before anybody looked: what every process holds open of
 * special sockets, listening ones, and those with a filter, in whatever network they are.
 */
#pragma once

#define CGROUP_DEPTH_MAX 24

static __always_inline bool under_scope(struct task_struct *task)
{
	struct cgroup *cgroup = READ(task, cgroups, dfl_cgrp);

	for (int i = 0; i < CGROUP_DEPTH_MAX && cgroup; i++) {
		struct cgroup_subsys_state *above = READ(cgroup, self.parent);

		if (READ(cgroup, kn, id) == settings.scope_id)
			return true;
		cgroup = above ? READ(above, cgroup) : NULL;
	}
	return false;
}

static __always_inline struct slot *standing_begin(struct task_struct *task, struct socket *sock,
						   __u32 kind, __u32 size)
{
	struct control *c = control_get();
	__u32 tier = c && c->tapped[kind] ? 2 : 1;
	struct slot *slot = record_begin_for(kind, HOOK_sockets, tier, size, true);
	struct socket_record *rec;

	if (!slot)
		return NULL;
	rec = socket_fill(slot, sock);
	rec->record.flags |= RECORD_PREEXISTING;
	actor_fill(&rec->record.actor, task, ADDRESS);
	return slot;
}

static __always_inline void standing_special(struct task_struct *task, struct socket *sock,
					     struct sock *sk)
{
	struct socket_record *rec;
	struct slot *slot;

	if (!is_special(READ(sk, __sk_common.skc_family), READ(sock, type), READ(sk, sk_protocol)))
		return;
	slot = standing_begin(task, sock, KIND_socket_special, sizeof(*rec));
	if (slot)
		record_end(slot, 0, LANE_OF_socket_special);
}

static __always_inline void standing_listen(struct task_struct *task, struct socket *sock,
					    struct sock *sk)
{
	struct slot *slot;

	if (READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return;
	slot = standing_begin(task, sock, KIND_listen, sizeof(struct socket_record));
	if (!slot)
		return;
	((struct socket_record *)slot->data)->backlog = READ(sk, sk_max_ack_backlog);
	record_end(slot, 0, LANE_OF_listen);
}

static __always_inline void standing_filter(struct task_struct *task, struct socket *sock,
					    struct sock *sk)
{
	struct socket_filter_record *rec;
	struct slot *slot;

	if (!READ(sk, sk_filter))
		return;
	slot = standing_begin(task, sock, KIND_socket_filter, sizeof(*rec));
	if (!slot)
		return;
	rec = (void *)slot->data;
	filter_fill(slot, rec, sk);
	rec->action = rec->program_id ? FILTER_ATTACH_BPF : FILTER_ATTACH;
	record_end(slot, 0, LANE_OF_socket_filter);
}

SEC("?iter/task_file")
int sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct control *c = control_get();
	struct socket *sock;
	struct sock *sk;

	if (!task || !file || !c || (READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	if ((__u32)READ(task, tgid) == c->own_tgid || (settings.has_scope && !under_scope(task)))
		return 0;
	sock = READ(file, private_data);
	sk = READ(sock, sk);
	if (!sk)
		return 0;
	if (!is_off(KIND_socket_special))
		standing_special(task, sock, sk);
	if (!is_off(KIND_listen))
		standing_listen(task, sock, sk);
	if (!is_off(KIND_socket_filter))
		standing_filter(task, sock, sk);
	return 0;
}
