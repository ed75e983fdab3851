/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of connect, accept, listen and bind. */
#include "render/body.h"

#include <sys/socket.h>

#include "render/words.h"

static void put_peer(const struct body *body, const Hinomi__Socket *socket)
{
	words_address(body->what, socket->peer);
	if (socket->peer && socket->peer->mapped)
		body_note(body, STYLE_DIM, "IPv4-mapped");
	if (socket->peer_pid)
		fprintf(body->note, "  peer pid %u", socket->peer_pid);
}

static void put_protocol(const struct body *body, const Hinomi__Socket *socket)
{
	const char *name = words_protocol(socket);

	fprintf(body->what, "%s ", name ? name : "socket");
}

void say_connect(const struct body *body, const Hinomi__Event *event)
{
	put_protocol(body, event->connect);
	put_peer(body, event->connect);
}

void say_accept(const struct body *body, const Hinomi__Event *event)
{
	put_protocol(body, event->accept);
	put_peer(body, event->accept);
	if (event->accept->local) {
		fputs(" " BODY_ARROW " ", body->what);
		words_address(body->what, event->accept->local);
	}
}

void say_listen(const struct body *body, const Hinomi__Event *event)
{
	put_protocol(body, event->listen);
	words_address(body->what, event->listen->local);
	fprintf(body->note, "  backlog %u", event->listen->backlog);
}

void say_bind(const struct body *body, const Hinomi__Event *event)
{
	put_protocol(body, event->bind);
	words_address(body->what, event->bind->local);
}
