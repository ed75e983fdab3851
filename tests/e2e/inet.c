// SPDX-License-Identifier: Apache-2.0
/* IPv4 and IPv6, mapped addresses, TCP and UDP, made and refused. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"

enum { LISTENER, CLIENT, ACCEPTED, OTHER };

static int made(struct facts *facts, int n, int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		act_skip(facts, "socket(%d, %d): %s", family, type, strerror(errno));
	must(fstat(fd, &facts->stat[n]));
	return fd;
}

static void note_name(struct facts *facts, int n, int fd)
{
	facts->address_len[n] = sizeof(facts->address[n]);
	must(getsockname(fd, (struct sockaddr *)&facts->address[n], &facts->address_len[n]));
}

static void loopback(struct facts *facts, int n, int family, uint16_t port)
{
	struct sockaddr_in *v4 = (void *)&facts->address[n];
	struct sockaddr_in6 *v6 = (void *)&facts->address[n];

	memset(&facts->address[n], 0, sizeof(facts->address[n]));
	facts->address[n].ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		v4->sin_port = htons(port);
		facts->address_len[n] = sizeof(*v4);
	} else {
		v6->sin6_addr = in6addr_loopback;
		v6->sin6_port = htons(port);
		facts->address_len[n] = sizeof(*v6);
	}
}

static int bound(struct facts *facts, int n, int family, int type)
{
	int fd = made(facts, n, family, type);

	loopback(facts, n, family, 0);
	if (bind(fd, (struct sockaddr *)&facts->address[n], facts->address_len[n]))
		act_skip(facts, "bind to the loopback address: %s", strerror(errno));
	note_name(facts, n, fd);
	return fd;
}

/* Leaves the listener's address in LISTENER, the client's in CLIENT as it sees itself. */
static void tcp_pair(struct facts *facts, int listener, int client)
{
	int fd;

	must(listen(listener, 17));
	must(connect(client, (struct sockaddr *)&facts->address[LISTENER],
		     facts->address_len[LISTENER]));
	note_name(facts, CLIENT, client);
	fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	must(fstat(fd, &facts->stat[ACCEPTED]));
	close(fd);
	close(client);
	close(listener);
}

static void tcp(struct facts *facts, int family)
{
	int listener = bound(facts, LISTENER, family, SOCK_STREAM);

	tcp_pair(facts, listener, made(facts, CLIENT, family, SOCK_STREAM));
}

static void act_tcp4(struct facts *facts)
{
	tcp(facts, AF_INET);
}

static void act_tcp6(struct facts *facts)
{
	tcp(facts, AF_INET6);
}

static void want_one(struct check *check, const struct seen *seen, const Hinomi__Socket *body,
		     int type, int protocol, int n)
{
	want_socket(check, check->facts->address[n].ss_family, type, protocol,
		    check->facts->stat[n].st_ino, body);
	want_result(check, 0, seen);
}

static void check_tcp(struct check *check)
{
	struct facts *facts = check->facts;
	const struct seen *bind = take(check, KIND_bind), *listen = take(check, KIND_listen);
	const struct seen *connect = take(check, KIND_connect), *accept = take(check, KIND_accept);

	take_ends(check);
	if (!bind || !listen || !connect || !accept)
		return;
	facts->address[ACCEPTED].ss_family = facts->address[LISTENER].ss_family;
	want_one(check, bind, bind->event->bind, SOCK_STREAM, IPPROTO_TCP, LISTENER);
	want_address(check, "bind.local", &facts->address[LISTENER], 0, bind->event->bind->local);
	want_true(check, "no bind.peer", !bind->event->bind->peer);
	want_one(check, listen, listen->event->listen, SOCK_STREAM, IPPROTO_TCP, LISTENER);
	want_address(check, "listen.local", &facts->address[LISTENER], 0,
		     listen->event->listen->local);
	want_number(check, "listen.backlog", 17, listen->event->listen->backlog);
	want_one(check, connect, connect->event->connect, SOCK_STREAM, IPPROTO_TCP, CLIENT);
	want_address(check, "connect.peer", &facts->address[LISTENER], 0,
		     connect->event->connect->peer);
	want_address(check, "connect.local", &facts->address[CLIENT], 0,
		     connect->event->connect->local);
	want_one(check, accept, accept->event->accept, SOCK_STREAM, IPPROTO_TCP, ACCEPTED);
	want_address(check, "accept.peer", &facts->address[CLIENT], 0, accept->event->accept->peer);
	want_address(check, "accept.local", &facts->address[LISTENER], 0,
		     accept->event->accept->local);
}

/* Everything on IPv6 sockets, with IPv4 addresses inside. */
static void act_mapped(struct facts *facts)
{
	int listener = made(facts, LISTENER, AF_INET6, SOCK_STREAM);
	struct sockaddr_in6 *to = (void *)&facts->address[LISTENER];

	loopback(facts, LISTENER, AF_INET6, 0);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to->sin6_addr);
	if (bind(listener, (struct sockaddr *)to, sizeof(*to)))
		act_skip(facts, "bind to a mapped address: %s", strerror(errno));
	note_name(facts, LISTENER, listener);
	tcp_pair(facts, listener, made(facts, CLIENT, AF_INET6, SOCK_STREAM));
}

static void act_refused(struct facts *facts)
{
	int fd = bound(facts, LISTENER, AF_INET, SOCK_STREAM), client; /* bound, not listening */

	client = made(facts, CLIENT, AF_INET, SOCK_STREAM);
	if (act_tried(facts, 0,
		      connect(client, (struct sockaddr *)&facts->address[LISTENER],
			      facts->address_len[LISTENER])) != ECONNREFUSED)
		act_fail(facts, "connect");
	close(fd);
	close(client);
}

static void check_refused(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *connect, *end;

	take(check, KIND_bind);
	connect = take(check, KIND_connect);
	end = take(check, KIND_tcp_close);
	if (!connect || !end)
		return;
	want_number(check, "tcp_close.reason", HINOMI__TCP_CLOSE__REASON__REASON_REFUSED,
		    end->event->tcp_close->reason);
	want_result(check, ECONNREFUSED, end);
	want_result(check, ECONNREFUSED, connect);
	want_socket(check, AF_INET, SOCK_STREAM, IPPROTO_TCP, facts->stat[CLIENT].st_ino,
		    connect->event->connect);
	want_address(check, "connect.peer", &facts->address[LISTENER], 0,
		     connect->event->connect->peer);
}

static void act_nonblocking(struct facts *facts)
{
	int listener = bound(facts, LISTENER, AF_INET, SOCK_STREAM);
	int client = made(facts, CLIENT, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	struct pollfd come = {.fd = listener, .events = POLLIN};

	must(listen(listener, 1));
	if (act_tried(facts, 0,
		      connect(client, (struct sockaddr *)&facts->address[LISTENER],
			      facts->address_len[LISTENER])) != EINPROGRESS)
		act_skip(facts, "a connection to the loopback address is never in progress here");
	must(poll(&come, 1, -1));
	must(fcntl(listener, F_SETFL, O_NONBLOCK));
	close(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
	act_tried(facts, 1, accept4(listener, NULL, NULL, SOCK_CLOEXEC)); /* nobody is waiting */
	close(client);
	close(listener);
}

static void check_nonblocking(struct check *check)
{
	const struct seen *connect;

	connect = take_connect(check);
	if (!connect)
		return;
	want_result(check, 0, connect);
	want_address(check, "connect.peer", &check->facts->address[LISTENER], 0,
		     connect->event->connect->peer);
}

/* Refused before the call that does not wait has returned, or after. */
static void act_refused_later(struct facts *facts)
{
	int fd = bound(facts, LISTENER, AF_INET, SOCK_STREAM); /* not listening */
	int client = made(facts, CLIENT, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	struct pollfd end = {.fd = client};

	if (act_tried(facts, 0,
		      connect(client, (struct sockaddr *)&facts->address[LISTENER],
			      facts->address_len[LISTENER])) != EINPROGRESS)
		act_skip(facts, "a connection to the loopback address is never in progress here");
	must(poll(&end, 1, -1));
	close(fd);
	close(client);
}

/* Without waiting at all, or not for long. */
static int begun(struct facts *facts, int n, int flags)
{
	struct timeval soon = {.tv_usec = 20000};
	int fd = made(facts, n, AF_INET, SOCK_STREAM | flags);

	must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)));
	if (act_tried(facts, 0,
		      connect(fd, (struct sockaddr *)&facts->address[LISTENER],
			      facts->address_len[LISTENER])) != EINPROGRESS)
		act_fail(facts, "connect to a listener that has no room");
	return fd;
}

/* The listener has room for one: of two more, one gives up, and one comes to be when it asks again.
 */
static void act_slow(struct facts *facts)
{
	int listener = bound(facts, LISTENER, AF_INET, SOCK_STREAM);
	int first = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), second;
	struct pollfd done = {.events = POLLOUT}, full = {.fd = listener, .events = POLLIN};

	must(listen(listener, 0));
	must(connect(first, (struct sockaddr *)&facts->address[LISTENER],
		     facts->address_len[LISTENER]));
	must(poll(&full, 1, -1)); /* the last of the handshake may still be on its way */
	close(begun(facts, OTHER, 0));
	second = begun(facts, CLIENT, SOCK_NONBLOCK);
	close(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
	must(fcntl(second, F_SETFL, 0)); /* what it was when it was asked for is what counts */
	done.fd = second;
	must(poll(&done, 1, -1));
	note_name(facts, CLIENT, second);
	close(first);
	close(second);
	close(listener);
}

static void check_slow(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *given_up, *slow;

	take(check, KIND_bind);
	take(check, KIND_listen);
	take(check, KIND_connect);
	given_up = take(check, KIND_connect);
	take(check, KIND_accept);
	slow = take(check, KIND_connect);
	take_ends(check);
	if (!given_up || !slow)
		return;
	want_result(check, ECONNABORTED, given_up);
	want_socket(check, AF_INET, SOCK_STREAM, IPPROTO_TCP, facts->stat[OTHER].st_ino,
		    given_up->event->connect);
	want_address(check, "connect.peer", &facts->address[LISTENER], 0,
		     given_up->event->connect->peer);
	want_one(check, slow, slow->event->connect, SOCK_STREAM, IPPROTO_TCP, CLIENT);
	want_address(check, "connect.local", &facts->address[CLIENT], 0,
		     slow->event->connect->local);
	want_address(check, "connect.peer", &facts->address[LISTENER], 0,
		     slow->event->connect->peer);
	want_true(check, "connect.handshake_ns",
		  slow->event->connect->handshake_ns > 100000000 &&
			  slow->event->connect->handshake_ns < facts->end_ns - facts->begin_ns);
}

static void udp(struct facts *facts, int family)
{
	int fd = bound(facts, LISTENER, family, SOCK_DGRAM);
	int client = made(facts, CLIENT, family, SOCK_DGRAM);

	must(connect(client, (struct sockaddr *)&facts->address[LISTENER],
		     facts->address_len[LISTENER]));
	note_name(facts, CLIENT, client);
	close(fd);
	close(client);
}

static void act_udp4(struct facts *facts)
{
	udp(facts, AF_INET);
}

static void act_udp6(struct facts *facts)
{
	udp(facts, AF_INET6);
}

static void check_udp(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *bind = take(check, KIND_bind), *connect = take(check, KIND_connect);

	if (!bind || !connect)
		return;
	want_one(check, bind, bind->event->bind, SOCK_DGRAM, IPPROTO_UDP, LISTENER);
	want_address(check, "bind.local", &facts->address[LISTENER], 0, bind->event->bind->local);
	want_one(check, connect, connect->event->connect, SOCK_DGRAM, IPPROTO_UDP, CLIENT);
	want_address(check, "connect.peer", &facts->address[LISTENER], 0,
		     connect->event->connect->peer);
	want_address(check, "connect.local", &facts->address[CLIENT], 0,
		     connect->event->connect->local);
}

static void act_bind_failed(struct facts *facts)
{
	int first = bound(facts, LISTENER, AF_INET, SOCK_STREAM);
	int second = made(facts, CLIENT, AF_INET, SOCK_STREAM);

	if (act_tried(facts, 0,
		      bind(second, (struct sockaddr *)&facts->address[LISTENER],
			   facts->address_len[LISTENER])) != EADDRINUSE)
		act_fail(facts, "bind");
	inet_pton(AF_INET, "192.0.2.77",
		  &((struct sockaddr_in *)&facts->address[LISTENER])->sin_addr);
	if (act_tried(facts, 1,
		      bind(second, (struct sockaddr *)&facts->address[LISTENER],
			   facts->address_len[LISTENER])) != EADDRNOTAVAIL)
		act_skip(facts, "192.0.2.77 can be bound here");
	close(first);
	close(second);
}

static void check_bind_failed(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *bind;

	take(check, KIND_bind);
	bind = take(check, KIND_bind);
	if (bind)
		want_result(check, EADDRINUSE, bind);
	bind = take(check, KIND_bind);
	if (!bind)
		return;
	want_result(check, EADDRNOTAVAIL, bind);
	want_address(check, "bind.local", &facts->address[LISTENER], 0, bind->event->bind->local);
}

/* An address of a link says which link; it need not answer. */
static void act_link_local(struct facts *facts)
{
	struct sockaddr_in6 *to = (void *)&facts->address[LISTENER];
	int fd = made(facts, CLIENT, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK);

	loopback(facts, LISTENER, AF_INET6, 9);
	inet_pton(AF_INET6, "fe80::77", &to->sin6_addr);
	to->sin6_scope_id = 1;
	if (act_tried(facts, 0, connect(fd, (struct sockaddr *)to, sizeof(*to))) == EAFNOSUPPORT)
		act_skip(facts, "no IPv6 here");
	close(fd);
}

static void check_link_local(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *connect = take(check, KIND_connect);

	take_ends(check);
	if (!connect)
		return;
	want_result(check, facts->error[0], connect);
	want_address(check, "connect.peer", &facts->address[LISTENER], 0,
		     connect->event->connect->peer);
	want_number(check, "connect.peer.scope_id", 1,
		    connect->event->connect->peer ? connect->event->connect->peer->scope_id : 0);
}

/* A family that the sensor does not know: its bytes as they are. */
static void act_raw(struct facts *facts)
{
	int fd = made(facts, CLIENT, AF_INET, SOCK_STREAM);

	facts->address[0].ss_family = AF_APPLETALK;
	memcpy((char *)&facts->address[0] + 2, "\x01\x02\x00\xff marker", 11);
	facts->address_len[0] = 20;
	if (!act_tried(facts, 0, connect(fd, (struct sockaddr *)&facts->address[0], 20)))
		act_fail(facts, "connect to another family");
	close(fd);
}

static void check_raw(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *connect = take(check, KIND_connect);

	if (!connect)
		return;
	want_result(check, facts->error[0], connect);
	want_address(check, "connect.peer", &facts->address[0], facts->address_len[0],
		     connect->event->connect->peer);
}

const struct test inet_tests[] = {
	{"connect/tcp4", NULL, act_tcp4, check_tcp},
	{"connect/tcp6", NULL, act_tcp6, check_tcp},
	{"connect/mapped", NULL, act_mapped, check_tcp},
	{"connect/refused", NULL, act_refused, check_refused},
	{"connect/nonblocking", NULL, act_nonblocking, check_nonblocking},
	{"connect/nonblocking-refused", NULL, act_refused_later, check_refused},
	{"connect/nonblocking-slow", NULL, act_slow, check_slow},
	{"connect/udp4", NULL, act_udp4, check_udp},
	{"connect/udp6", NULL, act_udp6, check_udp},
	{"connect/link-local", NULL, act_link_local, check_link_local},
	{"connect/other-family", NULL, act_raw, check_raw},
	{"bind/failed", NULL, act_bind_failed, check_bind_failed},
	{},
};
