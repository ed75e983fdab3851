// SPDX-License-Identifier: Apache-2.0
/* The end of TCP connections, and UDP by process and peer. */
#include <errno.h>
#include <hinomi/kinds.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

enum { LISTENER, CLIENT, ACCEPTED };

#define TO_SERVER 1000
#define TO_CLIENT 70000
#define MESSAGES  40
#define SETTLE_US 20000 /* what a close leaves to a soft interrupt is over by then */

static int socket_of(struct facts *facts, int n, int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		act_skip(facts, "socket(%d, %d): %s", family, type, strerror(errno));
	must(fstat(fd, &facts->stat[n]));
	return fd;
}

static int bound(struct facts *facts, int n, int family, int type)
{
	struct sockaddr_in *v4 = (void *)&facts->address[n];
	struct sockaddr_in6 *v6 = (void *)&facts->address[n];
	int fd = socket_of(facts, n, family, type);

	facts->address[n].ss_family = (sa_family_t)family;
	facts->address_len[n] = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	if (bind(fd, (struct sockaddr *)v4, facts->address_len[n]))
		act_skip(facts, "bind to the loopback address: %s", strerror(errno));
	must(getsockname(fd, (struct sockaddr *)v4, &facts->address_len[n]));
	return fd;
}

static void transfer(struct facts *facts, int from, int to, size_t left)
{
	static char bytes[4096];

	while (left) {
		size_t n = left < sizeof(bytes) ? left : sizeof(bytes);

		must(send(from, bytes, n, 0));
		must(recv(to, bytes, n, MSG_WAITALL));
		left -= n;
	}
}

static void connection(struct facts *facts, int *client, int *accepted)
{
	int listener = bound(facts, LISTENER, AF_INET, SOCK_STREAM);

	must(listen(listener, 1));
	*client = socket_of(facts, CLIENT, AF_INET, SOCK_STREAM);
	must(connect(*client, (struct sockaddr *)&facts->address[LISTENER],
		     facts->address_len[LISTENER]));
	facts->address_len[CLIENT] = sizeof(facts->address[CLIENT]);
	must(getsockname(*client, (struct sockaddr *)&facts->address[CLIENT],
			 &facts->address_len[CLIENT]));
	*accepted = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	must(fstat(*accepted, &facts->stat[ACCEPTED]));
	close(listener);
}

static void act_normal(struct facts *facts)
{
	int client, accepted;

	connection(facts, &client, &accepted);
	transfer(facts, client, accepted, TO_SERVER);
	transfer(facts, accepted, client, TO_CLIENT);
	close(client);
	close(accepted);
	usleep(SETTLE_US);
}

/* The end of the socket that is inode stat[n]; others are put back for later. */
static const Hinomi__TcpClose *end_of(struct check *check, const struct seen *ends[2], int n)
{
	for (int i = 0; i < 2; i++)
		if (ends[i] && ends[i]->event->tcp_close->socket &&
		    ends[i]->event->tcp_close->socket->cookie == check->facts->stat[n].st_ino)
			return ends[i]->event->tcp_close;
	check_fail(check, "expected a tcp_close of inode %llu",
		   (unsigned long long)check->facts->stat[n].st_ino);
	return NULL;
}

static void take_connection(struct check *check, const struct seen *ends[2])
{
	take(check, KIND_bind);
	take(check, KIND_listen);
	take(check, KIND_connect);
	take(check, KIND_accept);
	for (int i = 0; i < 2; i++)
		ends[i] = take(check, KIND_tcp_close);
}

static void want_end(struct check *check, const Hinomi__TcpClose *end, int reason, int role,
		     int local, int peer)
{
	struct facts *facts = check->facts;

	want_number(check, "tcp_close.reason", (uint64_t)reason, end->reason);
	want_number(check, "tcp_close.role", (uint64_t)role, end->role);
	want_address(check, "tcp_close.local", &facts->address[local], 0, end->socket->local);
	want_address(check, "tcp_close.peer", &facts->address[peer], 0, end->socket->peer);
	want_true(check, "tcp_close.duration_ns within the test",
		  end->duration_ns > 0 && end->duration_ns < facts->end_ns - facts->begin_ns);
	want_true(check, "tcp_close.state", end->state > 0);
}

static void check_normal(struct check *check)
{
	const struct seen *ends[2];
	const Hinomi__TcpClose *client, *server;

	take_connection(check, ends);
	client = end_of(check, ends, CLIENT);
	server = end_of(check, ends, ACCEPTED);
	if (!client || !server)
		return;
	want_end(check, client, HINOMI__TCP_CLOSE__REASON__REASON_NORMAL,
		 HINOMI__TCP_CLOSE__ROLE__ROLE_CLIENT, CLIENT, LISTENER);
	want_end(check, server, HINOMI__TCP_CLOSE__REASON__REASON_NORMAL,
		 HINOMI__TCP_CLOSE__ROLE__ROLE_SERVER, LISTENER, CLIENT);
	want_true(check, "client's segments", client->segments_sent && client->segments_received);
	want_number(check, "client.bytes_sent", TO_SERVER, client->bytes_sent);
	want_number(check, "client.bytes_received, with FIN", TO_CLIENT + 1,
		    client->bytes_received);
	want_number(check, "server.bytes_sent", TO_CLIENT, server->bytes_sent);
	want_number(check, "server.bytes_received, with FIN", TO_SERVER + 1,
		    server->bytes_received);
	want_true(check, "client.bytes_acked", client->bytes_acked >= TO_SERVER);
}

/* Without linger a close is a reset. */
static void act_reset(struct facts *facts)
{
	struct linger none = {.l_onoff = 1};
	int client, accepted;

	connection(facts, &client, &accepted);
	must(setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
	close(client);
	usleep(SETTLE_US);
	close(accepted);
}

static void check_reset(struct check *check)
{
	const struct seen *ends[2];
	const Hinomi__TcpClose *client, *server;

	take_connection(check, ends);
	client = end_of(check, ends, CLIENT);
	server = end_of(check, ends, ACCEPTED);
	if (!client || !server)
		return;
	want_end(check, client, HINOMI__TCP_CLOSE__REASON__REASON_ABORTED,
		 HINOMI__TCP_CLOSE__ROLE__ROLE_CLIENT, CLIENT, LISTENER);
	want_end(check, server, HINOMI__TCP_CLOSE__REASON__REASON_RESET,
		 HINOMI__TCP_CLOSE__ROLE__ROLE_SERVER, LISTENER, CLIENT);
}

/* ---- UDP */

static void act_udp(struct facts *facts, int family)
{
	int server = bound(facts, LISTENER, family, SOCK_DGRAM);
	int client = bound(facts, CLIENT, family, SOCK_DGRAM);
	char byte[16] = "marker";

	for (int i = 0; i < MESSAGES; i++) {
		must(sendto(client, byte, 10, 0, (struct sockaddr *)&facts->address[LISTENER],
			    facts->address_len[LISTENER]));
		must(recv(server, byte, sizeof(byte), MSG_PEEK));
		must(recvfrom(server, byte, sizeof(byte), 0,
			      (struct sockaddr *)&facts->address[ACCEPTED],
			      &(socklen_t){sizeof(facts->address[ACCEPTED])}));
	}
	close(server);
	close(client);
}

static void act_udp4(struct facts *facts)
{
	act_udp(facts, AF_INET);
}

static void act_udp6(struct facts *facts)
{
	act_udp(facts, AF_INET6);
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/* All that was told of a flow of the actor, at whatever time. */
static Hinomi__UdpFlow flow_sum(struct check *check, int peer)
{
	uint16_t port = port_of(&check->facts->address[peer]);
	Hinomi__UdpFlow sum = HINOMI__UDP_FLOW__INIT;

	for (size_t i = 0; i < check->story->nevents; i++) {
		const struct seen *seen = &check->story->events[i];
		const Hinomi__UdpFlow *flow =
			seen->kind == KIND_udp_flow ? seen->event->udp_flow : NULL;

		if (!flow || !seen->process || !seen->process->key ||
		    (pid_t)seen->process->key->pid != check->facts->actor || !flow->socket->peer ||
		    flow->socket->peer->port != port)
			continue;
		sum.sent += flow->sent;
		sum.received += flow->received;
		sum.failed += flow->failed;
		sum.bytes_sent += flow->bytes_sent;
		sum.bytes_received += flow->bytes_received;
		want_true(check, "span_ns where it is not the first",
			  !flow->first == (flow->span_ns > 0));
	}
	return sum;
}

static void check_udp(struct check *check)
{
	struct facts *facts = check->facts;
	const struct seen *out, *in;
	Hinomi__UdpFlow sum;

	take(check, KIND_bind);
	take(check, KIND_bind);
	out = take(check, KIND_udp_flow);
	in = take(check, KIND_udp_flow);
	if (!out || !in)
		return;
	want_true(check, "udp_flow.first",
		  out->event->udp_flow->first && in->event->udp_flow->first);
	want_number(check, "first.sent", 1, out->event->udp_flow->sent);
	want_number(check, "first.received", 1, in->event->udp_flow->received);
	want_address(check, "sent.peer", &facts->address[LISTENER], 0,
		     out->event->udp_flow->socket->peer);
	want_address(check, "sent.local", &facts->address[CLIENT], 0,
		     out->event->udp_flow->socket->local);
	want_address(check, "received.peer", &facts->address[CLIENT], 0,
		     in->event->udp_flow->socket->peer);
	want_socket(check, facts->address[CLIENT].ss_family, SOCK_DGRAM, IPPROTO_UDP,
		    facts->stat[CLIENT].st_ino, out->event->udp_flow->socket);
	sum = flow_sum(check, LISTENER);
	want_number(check, "messages sent", MESSAGES, sum.sent);
	want_number(check, "bytes sent", MESSAGES * 10, sum.bytes_sent);
	sum = flow_sum(check, CLIENT);
	want_number(check, "messages received", MESSAGES, sum.received);
	want_number(check, "bytes received", MESSAGES * 10, sum.bytes_received);
}

/* One call, a destination for each message. */
static void act_many(struct facts *facts)
{
	int fd = bound(facts, CLIENT, AF_INET, SOCK_DGRAM);
	struct sockaddr_in to[MESSAGES];
	struct mmsghdr messages[MESSAGES];
	struct iovec bytes = {"marker", 6};

	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < MESSAGES; i++) {
		to[i] = (struct sockaddr_in){.sin_family = AF_INET,
					     .sin_addr.s_addr =
						     htonl(INADDR_LOOPBACK + 1 + (unsigned)i),
					     .sin_port = htons(9)};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
						      .msg_namelen = sizeof(to[i]),
						      .msg_iov = &bytes,
						      .msg_iovlen = 1};
	}
	if (must(sendmmsg(fd, messages, MESSAGES, 0)) != MESSAGES)
		act_fail(facts, "sendmmsg");
	close(fd);
}

static void check_many(struct check *check)
{
	take(check, KIND_bind);
	for (unsigned i = 0; i < MESSAGES; i++) {
		const struct seen *seen = take(check, KIND_udp_flow);
		uint32_t ip = htonl(INADDR_LOOPBACK + 1 + i);

		if (!seen)
			return;
		want_bytes(check, "sendmmsg: peer.ip", &ip, 4,
			   &seen->event->udp_flow->socket->peer->ip);
		want_number(check, "sendmmsg: bytes", 6, seen->event->udp_flow->bytes_sent);
	}
}

/* To everybody, without leave to do so. */
static void act_failed(struct facts *facts)
{
	int fd = bound(facts, CLIENT, AF_INET, SOCK_DGRAM);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_BROADCAST),
				 .sin_port = htons(9)};

	if (!act_tried(facts, 0, sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof(to))))
		act_fail(facts, "sendto to everybody");
	close(fd);
}

static void check_failed(struct check *check)
{
	const struct seen *seen;

	take(check, KIND_bind);
	seen = take(check, KIND_udp_flow);
	if (!seen)
		return;
	want_result(check, check->facts->error[0], seen);
	want_number(check, "udp_flow.failed", 1, seen->event->udp_flow->failed);
	want_number(check, "udp_flow.sent", 0, seen->event->udp_flow->sent);
}

const struct test flows_tests[] = {
	{"tcp_close/normal", NULL, act_normal, check_normal},
	{"tcp_close/reset", NULL, act_reset, check_reset},
	{"udp_flow/v4", NULL, act_udp4, check_udp},
	{"udp_flow/v6", NULL, act_udp6, check_udp},
	{"udp_flow/sendmmsg", NULL, act_many, check_many},
	{"udp_flow/failed", NULL, act_failed, check_failed},
	{},
};
