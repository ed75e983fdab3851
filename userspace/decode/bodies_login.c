/* SPDX-License-Identifier: Apache-2.0 */
/* Logins, and what the task iterator tells of those that are older than the sensor. */
#include "decode/bodies.h"

#include "decode/source.h"

static Hinomi__Endpoint *source_endpoint(struct source *source, const struct address *from)
{
	const Hinomi__Address *address = source_address(source, from);
	Hinomi__Endpoint *to;

	if (!address || !address->ip.len)
		return NULL;
	to = source_alloc(source, sizeof(*to));
	if (!to)
		return NULL;
	hinomi__endpoint__init(to);
	to->ip = address->ip;
	to->port = address->port;
	return to;
}

/* In the caller's user namespace; enrich has the one that was set. */
static uint32_t uid_asked(const char *text, size_t size)
{
	uint64_t uid = 0;
	size_t i = size && text[0] == '+';

	for (; i < size && text[i] >= '0' && text[i] <= '9' && uid <= UINT32_MAX; i++)
		uid = uid * 10 + (uint64_t)(text[i] - '0');
	return uid > UINT32_MAX ? UINT32_MAX : (uint32_t)uid;
}

void decode_login(struct source *source, Hinomi__Event *event)
{
	BODY(login_record, Hinomi__Login, hinomi__login__init, login, LOGIN);
	body->uid = uid_asked(rec->asked, sizeof(rec->asked));
	body->peer = source_endpoint(source, &rec->peer);
}

void decode_task_session(struct source *source, Hinomi__Process *process)
{
	const struct task_record *rec = source_fixed(source, sizeof(*rec));
	Hinomi__Session *session;

	if (!rec || !rec->peer.family)
		return;
	session = source_alloc(source, sizeof(*session));
	if (!session)
		return;
	hinomi__session__init(session);
	session->id = process->session_id;
	session->peer = source_endpoint(source, &rec->peer);
	process->session = session;
}
