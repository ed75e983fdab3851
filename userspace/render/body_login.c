/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of login, and where a session comes from. */
#include "render/body.h"

#include <string.h>

#include "base/cleanup.h"
#include "render/words.h"

#define ID_UNSET UINT32_MAX

static void put_program(FILE *out, const ProtobufCBinaryData *program)
{
	const uint8_t *slash = program->len ? memrchr(program->data, '/', program->len) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - program->data) : 0;
	ProtobufCBinaryData name = {.data = program->data + skip, .len = program->len - skip};

	if (name.len)
		body_bytes(out, &name);
	else
		fputs("an unknown program", out);
}

void body_session(FILE *out, const Hinomi__Session *session)
{
	static const char *const kinds[] = {
		[HINOMI__SESSION__KIND__KIND_UNKNOWN] = "not known how",
		[HINOMI__SESSION__KIND__KIND_SSH] = "ssh",
		[HINOMI__SESSION__KIND__KIND_CONSOLE] = "console",
		[HINOMI__SESSION__KIND__KIND_CRON] = "cron",
		[HINOMI__SESSION__KIND__KIND_MANAGER] = "systemd",
		[HINOMI__SESSION__KIND__KIND_DISPLAY] = "display",
	};
	unsigned kind = session->kind;

	if (kind < ARRAY_SIZE(kinds))
		fputs(kinds[kind], out);
	else
		put_program(out, &session->program);
	if (!session->peer)
		return;
	fputs(" from ", out);
	words_endpoint(out, session->peer);
}

static void put_old(const struct body *body, const Hinomi__Login *login)
{
	if (!login->old_known || login->old_uid == ID_UNSET || login->uid == login->old_uid)
		return;
	if (body->colour)
		fputs(STYLE_ALARM, body->note);
	fprintf(body->note, "  was uid %u, session %u", login->old_uid, login->old_session_id);
	if (body->colour)
		fputs("\033[0m", body->note);
}

void say_login(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Login *login = event->login;
	const Hinomi__Process *process = body->process;
	const Hinomi__Session *session = process ? process->session : NULL;

	if (login->uid == ID_UNSET)
		fputs("nobody", body->what);
	else if (!event->result && process && process->login_user.len)
		body_bytes(body->what, &process->login_user);
	else
		fprintf(body->what, "uid %u", login->uid);
	if (!event->result && session && login->uid != ID_UNSET) {
		fputs(" by ", body->what);
		body_session(body->what, session);
		fprintf(body->note, "  session %u", session->id);
		if (session->set_by)
			body_note(body, STYLE_ALARM, "set by another user than root");
	}
	put_old(body, login);
}
