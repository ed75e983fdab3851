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

void decode_login(struct source *source, Hinomi__Event *event)
{
	BODY(login_record, Hinomi__Login, hinomi__login__init, login, LOGIN);
	body->uid = rec->uid;
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
