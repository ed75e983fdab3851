// SPDX-License-Identifier: Apache-2.0
/* Connections of families and protocols that are none of TCP, UDP and unix: MPTCP, vsock. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e.h"

enum { LISTENER, CLIENT, ACCEPTED, PEER };

#define SETTLE_US 20000

static int made(struct facts *facts, int n, int protocol)
{
	int fd = socket(facts->address[LISTENER].ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		act_skip(facts, "socket(%d, SOCK_STREAM, %d): %s",
			 facts->address[LISTENER].ss_family, protocol, strerror(errno));
	must(fstat(fd, &facts->stat[n]));
	return fd;
}

static void note_name(struct facts *facts, int n, int fd)
{
	facts->address_len[n] = sizeof(facts->address[n]);
	must(getsockname(fd, (struct sockaddr *)&facts->address[n], &facts->address_len[n]));
}

/* Between two sockets of the family and at the address that LISTENER has. */
static void pair(struct facts *facts, int protocol)
{
	struct sockaddr *to = (void *)&facts->address[LISTENER];
	int listener = made(facts, LISTENER, protocol), client = made(facts, CLIENT, protocol), fd;

	if (bind(listener, to, facts->address_len[LISTENER]))
		act_skip(facts, "bind to this machine's own address: %s", strerror(errno));
	note_name(facts, LISTENER, listener);
	must(listen(listener, 17));
	if (connect(client, to, facts->address_len[LISTENER]))
		act_skip(facts, "connect: %s", strerror(errno));
	fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	must(fstat(fd, &facts->stat[ACCEPTED]));
	note_name(facts, ACCEPTED, fd);
	facts->address_len[PEER] = sizeof(facts->address[PEER]);
	must(getpeername(fd, (struct sockaddr *)&facts->address[PEER], &facts->address_len[PEER]));
	close(fd);
	close(client);
	close(listener);
	usleep(SETTLE_US);
}

static void act_mptcp(struct facts *facts)
{
	struct sockaddr_in *to = (void *)&facts->address[LISTENER];

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	facts->address_len[LISTENER] = sizeof(*to);
	pair(facts, IPPROTO_MPTCP);
}

/* Told when it is decided, whatever the call said. */
static void act_mptcp_waits(struct facts *facts)
{
	struct sockaddr_in *to = (void *)&facts->address[LISTENER];
	int listener, client;

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	facts->address_len[LISTENER] = sizeof(*to);
	listener = made(facts, LISTENER, IPPROTO_MPTCP);
	client = made(facts, CLIENT, IPPROTO_MPTCP);
	must(bind(listener, (struct sockaddr *)to, sizeof(*to)));
	note_name(facts, LISTENER, listener);
	must(listen(listener, 1));
	must(fcntl(client, F_SETFL, O_NONBLOCK));
	if (act_tried(facts, 0, connect(client, (struct sockaddr *)to, sizeof(*to))) != EINPROGRESS)
		act_skip(facts, "a connection to the loopback address is never in progress here");
	close(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
	close(client);
	close(listener);
	usleep(SETTLE_US);
}

static void act_vsock(struct facts *facts)
{
	struct sockaddr_vm *to = (void *)&facts->address[LISTENER];

	to->svm_family = AF_VSOCK;
	to->svm_cid = VMADDR_CID_LOCAL;
	to->svm_port = VMADDR_PORT_ANY;
	facts->address_len[LISTENER] = sizeof(*to);
	pair(facts, 0);
}

static void want_end(struct check *check, const char *what, const Hinomi__Socket *body, int n,
		     int protocol, int address, const Hinomi__Address *got)
{
	struct facts *facts = check->facts;

	want_socket(check, facts->address[LISTENER].ss_family, SOCK_STREAM, protocol,
		    facts->stat[n].st_ino, body);
	want_address(check, what, &facts->address[address], facts->address_len[address], got);
}

static void check_mptcp_waits(struct check *check)
{
	const struct seen *connect;

	take(check, KIND_socket_special);
	take(check, KIND_socket_special);
	connect = take_connect(check);
	if (!connect)
		return;
	want_result(check, 0, connect);
	want_end(check, "connect.peer", connect->event->connect, CLIENT, IPPROTO_MPTCP, LISTENER,
		 connect->event->connect->peer);
}

static void check_pair(struct check *check, int protocol)
{
	const struct seen *bind, *listen, *connect, *accept;

	take(check, KIND_socket_special);
	take(check, KIND_socket_special);
	bind = take(check, KIND_bind);
	listen = take(check, KIND_listen);
	connect = take(check, KIND_connect);
	accept = take(check, KIND_accept);
	take_ends(check);
	if (!bind || !listen || !connect || !accept)
		return;
	want_number(check, "bind.cookie", check->facts->stat[LISTENER].st_ino,
		    bind->event->bind->cookie);
	want_number(check, "bind.protocol", (uint64_t)protocol, bind->event->bind->protocol);
	want_end(check, "listen.local", listen->event->listen, LISTENER, protocol, LISTENER,
		 listen->event->listen->local);
	want_number(check, "listen.backlog", 17, listen->event->listen->backlog);
	want_end(check, "connect.peer", connect->event->connect, CLIENT, protocol, LISTENER,
		 connect->event->connect->peer);
	want_end(check, "accept.local", accept->event->accept, ACCEPTED, protocol, ACCEPTED,
		 accept->event->accept->local);
	want_end(check, "accept.peer", accept->event->accept, ACCEPTED, protocol, PEER,
		 accept->event->accept->peer);
	want_result(check, 0, accept);
}

static void check_mptcp(struct check *check)
{
	check_pair(check, IPPROTO_MPTCP);
}

static void check_vsock(struct check *check)
{
	check_pair(check, 0);
}

const struct test family_tests[] = {
	{"accept/mptcp", NULL, act_mptcp, check_mptcp},
	{"connect/mptcp-nonblocking", NULL, act_mptcp_waits, check_mptcp_waits},
	{"accept/vsock", NULL, act_vsock, check_vsock},
	{},
};
