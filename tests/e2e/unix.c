// SPDX-License-Identifier: Apache-2.0
/* Unix sockets: names that are files, abstract names, none. */
#include <errno.h>
#include <hinomi/kinds.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "e2e.h"

enum { LISTENER, CLIENT, ACCEPTED };

static int made(struct facts *facts, int n, int type)
{
	int fd = must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));

	must(fstat(fd, &facts->stat[n]));
	return fd;
}

static void name(struct facts *facts, const char *bytes, size_t len)
{
	struct sockaddr_un *to = (void *)&facts->address[LISTENER];

	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, bytes, len);
	facts->address_len[LISTENER] = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int bound(struct facts *facts, int type)
{
	int fd = made(facts, LISTENER, type);

	must(bind(fd, (struct sockaddr *)&facts->address[LISTENER], facts->address_len[LISTENER]));
	return fd;
}

static int child_connects(struct facts *facts)
{
	int fd = made(facts, CLIENT, SOCK_STREAM);
	char byte;

	must(connect(fd, (struct sockaddr *)&facts->address[LISTENER],
		     facts->address_len[LISTENER]));
	return read(fd, &byte, 1) == 0 ? 0 : 1;
}

static void stream(struct facts *facts)
{
	int listener = bound(facts, SOCK_STREAM), fd;

	must(listen(listener, 5));
	facts->pid[0] = act_fork(facts, child_connects);
	fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	must(fstat(fd, &facts->stat[ACCEPTED]));
	close(fd);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the child could not connect");
	close(listener);
}

static void act_path_name(struct facts *facts)
{
	name(facts, "marker.socket", strlen("marker.socket") + 1);
	stream(facts);
}

static void act_abstract(struct facts *facts)
{
	char bytes[32] = "\0hinomi\0\x1b\xff ";

	snprintf(bytes + 11, sizeof(bytes) - 11, "%d", getpid());
	name(facts, bytes, 11 + strlen(bytes + 11));
	stream(facts);
}

static void want_one(struct check *check, const struct seen *seen, const Hinomi__Socket *body,
		     int type, int n)
{
	want_socket(check, AF_UNIX, type, 0, check->facts->stat[n].st_ino, body);
	want_result(check, 0, seen);
}

static void check_stream(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct sockaddr_storage *address = &facts->address[LISTENER];
	socklen_t len = facts->address_len[LISTENER];
	const struct seen *bind = take(check, KIND_bind), *listen = take(check, KIND_listen);
	const struct seen *connect = take(check, KIND_connect), *accept = take(check, KIND_accept);

	want_child(check, facts->pid[0], 0);
	if (!bind || !listen || !connect || !accept)
		return;
	want_one(check, bind, bind->event->bind, SOCK_STREAM, LISTENER);
	want_address(check, "bind.local", address, len, bind->event->bind->local);
	want_one(check, listen, listen->event->listen, SOCK_STREAM, LISTENER);
	want_address(check, "listen.local", address, len, listen->event->listen->local);
	want_number(check, "listen.backlog", 5, listen->event->listen->backlog);
	want_one(check, connect, connect->event->connect, SOCK_STREAM, CLIENT);
	want_address(check, "connect.peer", address, len, connect->event->connect->peer);
	want_number(check, "connect.peer_pid", (uint64_t)facts->actor,
		    connect->event->connect->peer_pid);
	want_number(check, "connect's process", (uint64_t)facts->pid[0],
		    connect->process->key->pid);
	want_one(check, accept, accept->event->accept, SOCK_STREAM, ACCEPTED);
	want_address(check, "accept.local", address, len, accept->event->accept->local);
	want_number(check, "accept.peer_pid", (uint64_t)facts->pid[0],
		    accept->event->accept->peer_pid);
}

static void act_datagram(struct facts *facts)
{
	int fd, client;

	name(facts, "marker.socket", strlen("marker.socket") + 1);
	fd = bound(facts, SOCK_DGRAM);
	client = made(facts, CLIENT, SOCK_DGRAM);
	must(connect(client, (struct sockaddr *)&facts->address[LISTENER],
		     facts->address_len[LISTENER]));
	close(client);
	close(fd);
}

static void check_datagram(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *bind = take(check, KIND_bind), *connect = take(check, KIND_connect);

	if (!bind || !connect)
		return;
	want_one(check, bind, bind->event->bind, SOCK_DGRAM, LISTENER);
	want_one(check, connect, connect->event->connect, SOCK_DGRAM, CLIENT);
	want_address(check, "connect.peer", &facts->address[LISTENER], facts->address_len[LISTENER],
		     connect->event->connect->peer);
}

/* By name, without connect: each peer once, whatever call sends how often. */
static void act_unconnected(struct facts *facts)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "no-such.socket"};
	struct iovec bytes = {"marker", 6};
	struct msghdr message = {
		.msg_name = &facts->address[LISTENER], .msg_iov = &bytes, .msg_iovlen = 1};
	struct mmsghdr many[2];
	int fd, client;

	name(facts, "marker.socket", strlen("marker.socket") + 1);
	fd = bound(facts, SOCK_DGRAM);
	client = made(facts, CLIENT, SOCK_DGRAM);
	for (int i = 0; i < 3; i++)
		must(sendto(client, "marker", 6, 0, (struct sockaddr *)&facts->address[LISTENER],
			    facts->address_len[LISTENER]));
	message.msg_namelen = facts->address_len[LISTENER];
	must(sendmsg(client, &message, 0));
	act_tried(facts, 0, sendto(client, "", 1, 0, (struct sockaddr *)&nobody, sizeof(nobody)));
	facts->address[CLIENT].ss_family = AF_UNIX;
	facts->address_len[CLIENT] = sizeof(sa_family_t);
	close(fd);
	fd = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	must(bind(fd, (struct sockaddr *)&facts->address[CLIENT], facts->address_len[CLIENT]));
	facts->address_len[CLIENT] = sizeof(facts->address[CLIENT]);
	must(getsockname(fd, (struct sockaddr *)&facts->address[CLIENT],
			 &facts->address_len[CLIENT]));
	message.msg_name = &facts->address[CLIENT]; /* an abstract name */
	message.msg_namelen = facts->address_len[CLIENT];
	many[0].msg_hdr = many[1].msg_hdr = message;
	if (must(sendmmsg(client, many, 2, 0)) != 2)
		act_fail(facts, "sendmmsg");
	close(client);
	close(fd);
}

static void check_unconnected(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *connect, *failed, *abstract;

	take(check, KIND_bind);
	take(check, KIND_bind);
	connect = take(check, KIND_connect);
	failed = take(check, KIND_connect);
	abstract = take(check, KIND_connect);
	if (!connect || !failed || !abstract)
		return;
	want_one(check, connect, connect->event->connect, SOCK_DGRAM, CLIENT);
	want_address(check, "connect.peer", &facts->address[LISTENER], facts->address_len[LISTENER],
		     connect->event->connect->peer);
	want_result(check, ENOENT, failed);
	want_one(check, abstract, abstract->event->connect, SOCK_DGRAM, CLIENT);
	want_address(check, "abstract peer", &facts->address[CLIENT], facts->address_len[CLIENT],
		     abstract->event->connect->peer);
}

static void act_failed(struct facts *facts)
{
	int fd = made(facts, CLIENT, SOCK_STREAM);

	name(facts, "no-such.socket", strlen("no-such.socket") + 1);
	if (act_tried(facts, 0,
		      connect(fd, (struct sockaddr *)&facts->address[LISTENER],
			      facts->address_len[LISTENER])) != ENOENT)
		act_fail(facts, "connect");
	close(fd);
}

static void check_failed(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct seen *connect = take(check, KIND_connect);

	if (!connect)
		return;
	want_result(check, ENOENT, connect);
	want_address(check, "connect.peer", &facts->address[LISTENER], facts->address_len[LISTENER],
		     connect->event->connect->peer);
}

const struct test unix_tests[] = {
	{"connect/unix-path", NULL, act_path_name, check_stream},
	{"connect/unix-abstract", NULL, act_abstract, check_stream},
	{"connect/unix-datagram", NULL, act_datagram, check_datagram},
	{"connect/unix-unconnected", NULL, act_unconnected, check_unconnected},
	{"connect/unix-failed", NULL, act_failed, check_failed},
	{},
};
