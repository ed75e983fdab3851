/* SPDX-License-Identifier: Apache-2.0 */
/* The body of each class: begin, fill, end. */
#include "decode/bodies.h"

#include <stdbool.h>

#include "decode/source.h"

static Hinomi__ProcessKey *key_or_none(struct source *source, const struct process_key *key)
{
	return key->tgid || key->start_ns ? source_key(source, key) : NULL;
}

/* Head and tail, or one list where the two pieces hold all there was. */
static void args_fill(struct source *source, const struct exec_record *rec, Hinomi__Exec *body)
{
	struct bytes_ref whole = rec->args;
	bool is_whole = rec->args_tail.len &&
			(uint64_t)rec->args.off + rec->args.len == rec->args_tail.off &&
			(uint64_t)rec->args.len + rec->args_tail.len == rec->args.total;

	if (is_whole)
		whole.len = rec->args.total;
	body->args = source_strings(source, &whole, &body->n_args);
	if (!is_whole)
		body->args_tail = source_strings(source, &rec->args_tail, &body->n_args_tail);
	body->args_count = rec->argc;
	body->args_total_bytes = rec->args.total;
}

void decode_exec(struct source *source, Hinomi__Event *event)
{
	BODY(exec_record, Hinomi__Exec, hinomi__exec__init, exec, EXEC);
	body->file = source_file(source, &rec->file);
	body->filename = source_bytes(source, &rec->filename);
	body->interpreter = source_bytes(source, &rec->interpreter);
	args_fill(source, rec, body);
	body->cwd = source_bytes(source, &rec->cwd);
	body->old_tid = rec->old_tid;
	body->setid = !!rec->secure;
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

void decode_cred_change(struct source *source, Hinomi__Event *event)
{
	BODY(cred_change_record, Hinomi__CredChange, hinomi__cred_change__init, cred_change,
	     CRED_CHANGE);
	body->old_known = !!rec->old_known;
	if (body->old_known)
		body->old = source_cred(source, &rec->old);
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
