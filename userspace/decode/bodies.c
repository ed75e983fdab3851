/* SPDX-License-Identifier: Apache-2.0 */
/* The body of each class: begin, fill, end. */
#include "decode/bodies.h"

#include <stdbool.h>
#include <string.h>

#include "decode/source.h"

static Hinomi__ProcessKey *key_or_none(struct source *source, const struct process_key *key)
{
	return key->tgid || key->start_ns ? source_key(source, key) : NULL;
}

void decode_task(struct source *source, Hinomi__Event *event)
{
	BODY(task_record, Hinomi__Exec, hinomi__exec__init, exec, EXEC);
	body->file = source_file(source, &rec->file);
	body->args = source_strings(source, &rec->args, &body->n_args);
	body->args_count = rec->argc;
	body->args_total_bytes = rec->args.total;
}

void decode_fork(struct source *source, Hinomi__Event *event)
{
	BODY(fork_record, Hinomi__Fork, hinomi__fork__init, fork, FORK);
	body->child = source_key(source, &rec->child);
	body->child_parent = key_or_none(source, &rec->child_parent);
	body->child_namespace_pid = rec->child_ns_tgid;
	body->child_cgroup_id = rec->child_cgroup_id;
	body->child_namespaces = source_namespaces(source, &rec->child_ns);
}

void decode_exit(struct source *source, Hinomi__Event *event)
{
	BODY(exit_record, Hinomi__Exit, hinomi__exit__init, exit, EXIT);
	body->code = (int32_t)(rec->exit_code >> 8 & 0xff);
	body->signal = rec->exit_code & 0x7f;
	body->core_dumped = !!(rec->exit_code & 0x80);
	body->run_ns = rec->run_ns;
}

static void groups_fill(struct source *source, const struct cred_change_record *rec,
			Hinomi__CredChange *body)
{
	ProtobufCBinaryData list = source_bytes(source, &rec->groups);
	size_t n = list.len / sizeof(uint32_t);
	Hinomi__Group *groups = n ? source_alloc(source, n * sizeof(*groups)) : NULL;

	body->groups_count = rec->rest.groups;
	body->groups = groups ? source_alloc(source, n * sizeof(*body->groups)) : NULL;
	for (size_t i = 0; body->groups && i < n; i++) {
		hinomi__group__init(&groups[i]);
		memcpy(&groups[i].gid, list.data + i * sizeof(uint32_t), sizeof(uint32_t));
		body->groups[i] = &groups[i];
		body->n_groups = i + 1;
	}
}

void decode_cred_change(struct source *source, Hinomi__Event *event)
{
	BODY(cred_change_record, Hinomi__CredChange, hinomi__cred_change__init, cred_change,
	     CRED_CHANGE);
	body->old_known = !!rec->old_known;
	if (body->old_known)
		body->old = source_cred(source, &rec->old);
	groups_fill(source, rec, body);
	if (rec->record.result < 0) {
		body->refused_call = rec->call;
		body->refused_id_known = rec->asked != (uint32_t)-1;
		body->refused_id = body->refused_id_known ? rec->asked : 0;
	}
	body->securebits = rec->rest.securebits;
	body->cap_bounding = rec->rest.cap_bounding;
	body->rest_known = !!rec->rest_known;
	if (!body->rest_known)
		return;
	body->old_groups_count = rec->old_rest.groups;
	body->old_securebits = rec->old_rest.securebits;
	body->old_cap_bounding = rec->old_rest.cap_bounding;
	body->old_user_namespace = rec->old_rest.user_ns;
}

void decode_file_unlink(struct source *source, Hinomi__Event *event)
{
	BODY(unlink_record, Hinomi__FileUnlink, hinomi__file_unlink__init, file_unlink,
	     FILE_UNLINK);
	body->file = source_file(source, &rec->file);
}

void decode_file_rename(struct source *source, Hinomi__Event *event)
{
	BODY(rename_record, Hinomi__FileRename, hinomi__file_rename__init, file_rename,
	     FILE_RENAME);
	body->file = source_file(source, &rec->file);
	body->old_path = source_bytes(source, &rec->old_path);
	body->old_path_as_asked = !!(rec->old_path_flags & FILE_PATH_AS_ASKED);
	if (rec->replaced.inode)
		body->replaced = source_file(source, &rec->replaced);
	body->flags = rec->flags;
}

void decode_file_link(struct source *source, Hinomi__Event *event)
{
	BODY(link_record, Hinomi__FileLink, hinomi__file_link__init, file_link, FILE_LINK);
	body->file = source_file(source, &rec->file);
	body->target = source_bytes(source, &rec->target);
	body->symbolic = !!rec->symbolic;
}

void decode_file_mode(struct source *source, Hinomi__Event *event)
{
	BODY(attr_record, Hinomi__FileMode, hinomi__file_mode__init, file_mode, FILE_MODE);
	body->file = source_file(source, &rec->file);
	body->mode = rec->mode;
	body->old_known = !!rec->old_known;
	body->old_mode = body->old_known ? rec->old_mode : 0;
}

void decode_file_owner(struct source *source, Hinomi__Event *event)
{
	BODY(attr_record, Hinomi__FileOwner, hinomi__file_owner__init, file_owner, FILE_OWNER);
	body->file = source_file(source, &rec->file);
	body->uid = rec->uid;
	body->gid = rec->gid;
	body->old_known = !!rec->old_known;
	body->old_uid = body->old_known ? rec->old_uid : 0;
	body->old_gid = body->old_known ? rec->old_gid : 0;
}

void decode_connect(struct source *source, Hinomi__Event *event)
{
	BODY(socket_record, Hinomi__Socket, hinomi__socket__init, connect, CONNECT);
	decode_socket(source, rec, body);
}

void decode_accept(struct source *source, Hinomi__Event *event)
{
	BODY(socket_record, Hinomi__Socket, hinomi__socket__init, accept, ACCEPT);
	decode_socket(source, rec, body);
}

void decode_listen(struct source *source, Hinomi__Event *event)
{
	BODY(socket_record, Hinomi__Socket, hinomi__socket__init, listen, LISTEN);
	decode_socket(source, rec, body);
}

void decode_bind(struct source *source, Hinomi__Event *event)
{
	BODY(socket_record, Hinomi__Socket, hinomi__socket__init, bind, BIND);
	decode_socket(source, rec, body);
}
