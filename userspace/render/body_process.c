/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of exec, fork, exit and cred_change. */
#include "render/body.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "render/words.h"

static bool bytes_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static ProtobufCBinaryData base_name(ProtobufCBinaryData path)
{
	const uint8_t *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - path.data) : 0;

	return (ProtobufCBinaryData){.data = path.data + skip, .len = path.len - skip};
}

static bool in_usual_directory(const ProtobufCBinaryData *path)
{
	static const char *const usual[] = {"/usr/bin/", "/bin/",	    "/usr/sbin/",
					    "/sbin/",	 "/usr/local/bin/", "/usr/local/sbin/"};
	size_t length = path->len - base_name(*path).len;

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (length == strlen(usual[i]) && !memcmp(path->data, usual[i], length))
			return true;
	return false;
}

/* The command line names what runs, or may be a lie or a link: then the file is named as well. */
static bool args_name_file(const Hinomi__Exec *exec)
{
	const Hinomi__File *file = exec->file;
	ProtobufCBinaryData arg, name;

	if (!file || !file->path.len)
		return true;
	if (!exec->n_args)
		return false;
	arg = exec->args[0];
	if (bytes_equal(&arg, &file->path))
		return true;
	if (arg.len && arg.data[0] == '-') /* a login shell */
		arg = (ProtobufCBinaryData){.data = arg.data + 1, .len = arg.len - 1};
	arg = base_name(arg);
	name = base_name(file->path);
	return bytes_equal(&arg, &name) && in_usual_directory(&file->path);
}

/* "made by curl[712] with 203.0.113.7:443, uid 1000 by ssh from 198.51.100.2:50022" */
static void put_origin(const struct body *body, const Hinomi__Origin *origin)
{
	ProtobufCBinaryData name = base_name(origin->executable);
	FILE *out = body->note;

	fputs(body->colour ? "  " STYLE_YELLOW : "  ", out);
	fputs(origin->created ? "made by " : "written by ", out);
	if (name.len)
		body_bytes(out, &name);
	fprintf(out, "[%u]", origin->writer ? origin->writer->pid : 0);
	if (origin->peer) {
		fputs(" with ", out);
		words_endpoint(out, origin->peer);
	}
	if (origin->session) {
		fprintf(out, ", uid %u by ", origin->login_uid);
		body_session(out, origin->session);
	}
	if (body->colour)
		fputs("\033[0m", out);
}

static void put_exec_rights(const struct body *body, const Hinomi__Exec *exec)
{
	if (exec->setid)
		body_note(body, STYLE_MAGENTA, "set-id");
	if (exec->capabilities_gained) {
		fputs("  ", body->note);
		words_capabilities(body->note, '+', exec->capabilities_gained);
	}
	if (exec->level_writable_by_others)
		body_note(body, STYLE_ALARM, "script writable by others");
	if (exec->writable_by_others)
		body_note(body, STYLE_ALARM, "file writable by others");
	if (exec->executable_stack)
		body_note(body, STYLE_DIM, "executable stack");
}

/* A shell whose input is a socket: once, for whichever descriptor it is. */
static void put_stdio(const struct body *body, const Hinomi__Exec *exec)
{
	for (size_t i = 0; i < exec->n_stdio; i++) {
		const Hinomi__Stdio *stdio = exec->stdio[i];

		if (!stdio->peer || !S_ISSOCK(stdio->mode) || stdio->family == AF_UNIX)
			continue;
		fprintf(body->note, "  fd %u is a socket to ", stdio->fd);
		words_address(body->note, stdio->peer);
		return;
	}
}

/* Those that make a program load something are shown; the session is told elsewhere. */
static void put_variable(const struct body *body, const ProtobufCBinaryData *variable)
{
	static const char *const shown[] = {
		"LD_PRELOAD=", "LD_AUDIT=", "LD_LIBRARY_PATH=", "GLIBC_TUNABLES=", "BASH_ENV="};

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (variable->len < strlen(shown[i]) ||
		    memcmp(variable->data, shown[i], strlen(shown[i])))
			continue;
		fputs("  ", body->note);
		body_bytes(body->note, variable);
	}
}

void say_exec(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Exec *exec = event->exec;

	for (size_t i = 0; i < exec->n_args; i++) {
		if (i)
			putc(' ', body->what);
		body_quote(body->what, &exec->args[i]);
	}
	if (!exec->n_args)
		body_bytes(body->what, &exec->filename);
	if (exec->n_args_tail)
		fputs(" …", body->what);
	for (size_t i = 0; i < exec->n_args_tail; i++) {
		putc(' ', body->what);
		body_quote(body->what, &exec->args_tail[i]);
	}
	if (exec->args_count > exec->n_args)
		fprintf(body->note, "  %u arguments, %" PRIu64 " bytes", exec->args_count,
			exec->args_total_bytes);
	if (!args_name_file(exec)) {
		fputs("  = ", body->note);
		body_bytes(body->note, &exec->file->path);
	}
	if (exec->file && exec->file->origin)
		put_origin(body, exec->file->origin);
	put_exec_rights(body, exec);
	put_stdio(body, exec);
	for (size_t i = 0; i < exec->n_environment; i++)
		put_variable(body, &exec->environment[i]);
	if (exec->file && exec->file->memory)
		body_note(body, STYLE_ALARM, "in memory only");
	else if (exec->file && exec->file->deleted)
		body_note(body, STYLE_ALARM, "deleted file");
}

void say_fork(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Fork *fork = event->fork;

	fprintf(body->what, BODY_ARROW " %u", fork->child ? fork->child->pid : 0);
	if (fork->child_namespace_pid && fork->child &&
	    fork->child_namespace_pid != fork->child->pid)
		fprintf(body->what, " (%u in its namespace)", fork->child_namespace_pid);
}

void say_exit(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Exit *ended = event->exit;

	if (ended->signal) {
		if (body->colour)
			fputs(STYLE_RED, body->what);
		fputs("killed by ", body->what);
		words_signal(body->what, ended->signal);
		if (body->colour)
			fputs("\033[0m", body->what);
		if (ended->core_dumped)
			fputs(", core dumped", body->what);
	} else {
		fprintf(body->what, "code %d", ended->code);
	}
	fputs(" after ", body->what);
	words_duration(body->what, ended->run_ns);
}

/* A list of changes, with blanks between. */
struct changes {
	FILE *out;
	const char *blank;
};

static FILE *change_next(struct changes *changes)
{
	fputs(changes->blank, changes->out);
	changes->blank = " ";
	return changes->out;
}

static void put_id(struct changes *changes, const char *name, uint32_t before, uint32_t after)
{
	if (before != after)
		fprintf(change_next(changes), "%s %u" BODY_ARROW "%u", name, before, after);
}

static void put_caps(struct changes *changes, const char *name, uint64_t before, uint64_t after)
{
	if (before == after)
		return;
	fprintf(change_next(changes), "%s ", name);
	words_capabilities(changes->out, '+', after & ~before);
	words_capabilities(changes->out, '-', before & ~after);
}

/* one word for ids that move together, as with setuid(2) and su */
static void put_ids(struct changes *changes, const char *name, const uint32_t before[4],
		    const uint32_t after[4])
{
	static const char *const kinds[] = {"", "e", "s", "fs"};
	bool together = true;
	char full[16];

	for (int i = 1; i < 4; i++)
		together &= before[i] == before[0] && after[i] == after[0];
	for (int i = 0; i < (together ? 1 : 4); i++) {
		snprintf(full, sizeof(full), "%s%s", kinds[i], name);
		put_id(changes, full, before[i], after[i]);
	}
}

static void put_credentials(FILE *out, const Hinomi__Credentials *old,
			    const Hinomi__Credentials *now)
{
	const uint32_t uids[2][4] = {{old->uid, old->euid, old->suid, old->fsuid},
				     {now->uid, now->euid, now->suid, now->fsuid}};
	const uint32_t gids[2][4] = {{old->gid, old->egid, old->sgid, old->fsgid},
				     {now->gid, now->egid, now->sgid, now->fsgid}};
	struct changes changes = {.out = out, .blank = ""};

	put_ids(&changes, "uid", uids[0], uids[1]);
	put_ids(&changes, "gid", gids[0], gids[1]);
	if (old->cap_effective == old->cap_permitted && now->cap_effective == now->cap_permitted) {
		put_caps(&changes, "capabilities", old->cap_effective, now->cap_effective);
	} else {
		put_caps(&changes, "effective", old->cap_effective, now->cap_effective);
		put_caps(&changes, "permitted", old->cap_permitted, now->cap_permitted);
	}
	put_caps(&changes, "inheritable", old->cap_inheritable, now->cap_inheritable);
	put_caps(&changes, "ambient", old->cap_ambient, now->cap_ambient);
}

static void put_refused(FILE *out, const Hinomi__CredChange *change)
{
	fputs("other credentials", out);
	if (change->refused_id_known)
		fprintf(out, ": id %u", change->refused_id);
}

void say_cred_change(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__CredChange *change = event->cred_change;
	const Hinomi__Credentials *now = body->process ? body->process->credentials : NULL;

	if (event->result < 0)
		put_refused(body->what, change);
	else if (!now)
		fputs("credentials changed", body->what);
	else if (change->old && change->old_known)
		put_credentials(body->what, change->old, now);
	else
		fprintf(body->what, "to uid %u euid %u gid %u egid %u", now->uid, now->euid,
			now->gid, now->egid);
	if (now && !change->old_known)
		body_note(body, STYLE_DIM, "before: not known");
}
