// SPDX-License-Identifier: Apache-2.0
/* DNS over UDP and TCP, however calls cut it, on an address of the loopback network where nobody
 * else serves it. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

enum { SERVER, CLIENT };

#define ID	    0x1234
#define LENGTH_SIZE 2 /* of a message on TCP */
#define SETTLE_US   20000

static const char question[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\6marker\7example\0\0\1\0\1";
static const char answer[] = "\x12\x34\x85\x80\0\1\0\2\0\0\0\0\6marker\7example\0\0\1\0\1"
			     "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3cdn\xc0\x13"
			     "\xc0\x2c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
#define QUESTION_SIZE (sizeof(question) - 1)
#define ANSWER_SIZE   (sizeof(answer) - 1)

static int socket_of(struct facts *facts, int n, int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		act_skip(facts, "socket(%d, %d): %s", family, type, strerror(errno));
	must(fstat(fd, &facts->stat[n]));
	return fd;
}

static int server_of(struct facts *facts, int family, int type)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x3535),
				 .sin_port = htons(53)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT,
				  .sin6_port = htons(53)};
	int fd = socket_of(facts, SERVER, family, type), on = 1;

	facts->address_len[SERVER] = family == AF_INET ? sizeof(v4) : sizeof(v6);
	memcpy(&facts->address[SERVER], family == AF_INET ? (void *)&v4 : (void *)&v6,
	       facts->address_len[SERVER]);
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	if (bind(fd, (struct sockaddr *)&facts->address[SERVER], facts->address_len[SERVER]))
		act_skip(facts, "bind to port 53: %s", strerror(errno));
	return fd;
}

static int client_of(struct facts *facts, int family, int type)
{
	int fd = socket_of(facts, CLIENT, family, type);

	must(connect(fd, (struct sockaddr *)&facts->address[SERVER], facts->address_len[SERVER]));
	return fd;
}

/* Is it an answer in full, or a question in full? */
static void want_content(struct check *check, const Hinomi__Dns *got, bool sent)
{
	want_number(check, "dns.size", sent ? QUESTION_SIZE : ANSWER_SIZE, got->size);
	want_true(check, "a whole message", !got->incomplete && !got->malformed);
	want_number(check, "questions", 1, got->n_questions);
	want_number(check, "answers", sent ? 0 : 2, got->n_answers);
	if (got->n_questions == 1)
		want_text(check, "question", "marker.example", &got->questions[0]->name);
	if (sent || got->n_answers != 2)
		return;
	want_text(check, "answer.target", "cdn.example", &got->answers[0]->target);
	want_bytes(check, "answer.address", "\xc0\0\2\1", 4, &got->answers[1]->address);
}

static const Hinomi__Dns *want_dns(struct check *check, bool sent, int type)
{
	const struct facts *facts = check->facts;
	const struct seen *seen = take(check, KIND_dns);
	const Hinomi__Dns *got = seen ? seen->event->dns : NULL;

	if (!got)
		return NULL;
	want_true(check, sent ? "a message sent" : "a message received", got->sent == sent);
	want_socket(check, facts->address[SERVER].ss_family, type,
		    type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, facts->stat[CLIENT].st_ino,
		    got->socket);
	want_address(check, "dns.socket.peer", &facts->address[SERVER], 0, got->socket->peer);
	return got;
}

static void want_whole(struct check *check, bool sent, int type)
{
	const Hinomi__Dns *got = want_dns(check, sent, type);

	if (!got)
		return;
	want_number(check, "dns.id", ID, got->id);
	want_true(check, "a question or an answer", got->answer == !sent);
	want_content(check, got, sent);
}

static void want_part(struct check *check, bool sent, int type, uint64_t size)
{
	const Hinomi__Dns *got = want_dns(check, sent, type);

	if (!got)
		return;
	want_true(check, "an incomplete message", got->incomplete && !got->malformed);
	want_number(check, "dns.size", size, got->size);
	want_number(check, "questions", 0, got->n_questions);
}

static void take_rest(struct check *check)
{
	static const unsigned kinds[] = {KIND_bind,   KIND_listen,   KIND_connect,
					 KIND_accept, KIND_udp_flow, KIND_tcp_close};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		while (there_is(check, kinds[i]))
			take(check, kinds[i]);
}

/* ---- UDP */

/* The server's part: it hears one and answers it. */
static void serve(struct facts *facts, int server)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char bytes[512];

	must(recvfrom(server, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len));
	must(sendto(server, answer, ANSWER_SIZE, 0, (struct sockaddr *)&from, len));
}

static void ask(struct facts *facts, bool by_header)
{
	int server = server_of(facts, AF_INET, SOCK_DGRAM);
	int client = client_of(facts, AF_INET, SOCK_DGRAM);
	char bytes[1500];
	struct iovec iov = {bytes, QUESTION_SIZE};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};

	memcpy(bytes, question, QUESTION_SIZE);
	if (by_header)
		must(sendmmsg(client, &message, 1, 0));
	else
		must(send(client, question, QUESTION_SIZE, 0));
	serve(facts, server);
	iov.iov_len = sizeof(bytes);
	if (by_header)
		must(recvmsg(client, &message.msg_hdr, 0));
	else
		must(recv(client, bytes, sizeof(bytes), 0));
	close(server);
	close(client);
}

static void act_send(struct facts *facts)
{
	ask(facts, false);
}

static void act_header(struct facts *facts)
{
	ask(facts, true);
}

static void check_one(struct check *check)
{
	take_rest(check);
	want_whole(check, true, SOCK_DGRAM);
	want_whole(check, false, SOCK_DGRAM);
}

/* A vector of one byte each, and of nothing between them. */
static size_t cut(struct iovec pieces[], const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		pieces[2 * i] = (struct iovec){(void *)(bytes + i), 1};
		pieces[2 * i + 1] = (struct iovec){(void *)bytes, 0};
	}
	return 2 * size;
}

/* Sent in pieces of one byte, the second of two messages; received in pieces. */
static void ask_in_pieces(struct facts *facts, int family)
{
	int server = server_of(facts, family, SOCK_DGRAM);
	int client = client_of(facts, family, SOCK_DGRAM);
	struct iovec pieces[2 * ANSWER_SIZE], whole = {(void *)question, QUESTION_SIZE};
	struct mmsghdr messages[] = {
		{.msg_hdr = {.msg_iov = &whole, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = pieces,
			     .msg_iovlen = cut(pieces, question, QUESTION_SIZE)}}};
	char bytes[3][ANSWER_SIZE];
	struct iovec parts[] = {{bytes[0], 1}, {bytes[1], 20}, {bytes[2], ANSWER_SIZE}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = 3};

	must(sendmmsg(client, messages, 2, 0));
	serve(facts, server);
	serve(facts, server);
	must(recvmsg(client, &header, 0));
	messages[0].msg_hdr = header;
	must(recvmmsg(client, messages, 1, 0, NULL));
	close(server);
	close(client);
}

static void act_pieces(struct facts *facts)
{
	ask_in_pieces(facts, AF_INET);
}

static void act_pieces6(struct facts *facts)
{
	ask_in_pieces(facts, AF_INET6);
}

static void check_pieces(struct check *check)
{
	take_rest(check);
	want_whole(check, true, SOCK_DGRAM);
	want_whole(check, true, SOCK_DGRAM);
	want_whole(check, false, SOCK_DGRAM);
	want_whole(check, false, SOCK_DGRAM);
}

/* One message by three calls, then one by itself. */
static void ask_by_parts(struct facts *facts, int family)
{
	int server = server_of(facts, family, SOCK_DGRAM);
	int client = client_of(facts, family, SOCK_DGRAM);

	must(send(client, question, 5, MSG_MORE));
	must(send(client, question + 5, 10, MSG_MORE));
	must(send(client, question + 15, QUESTION_SIZE - 15, 0));
	serve(facts, server);
	must(send(client, question, QUESTION_SIZE, 0));
	close(server);
	close(client);
}

static void act_parts(struct facts *facts)
{
	ask_by_parts(facts, AF_INET);
}

static void act_parts6(struct facts *facts)
{
	ask_by_parts(facts, AF_INET6);
}

static void check_parts(struct check *check)
{
	take_rest(check);
	want_part(check, true, SOCK_DGRAM, 5);
	want_whole(check, true, SOCK_DGRAM);
	want_whole(check, true, SOCK_DGRAM);
}

/* With no room for most of it, and the length asked for: what was not put anywhere is not read. */
static void act_cut(struct facts *facts)
{
	int server = server_of(facts, AF_INET, SOCK_DGRAM);
	int client = client_of(facts, AF_INET, SOCK_DGRAM);
	char bytes[5];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

	for (int i = 0; i < 2; i++) {
		must(send(client, question, QUESTION_SIZE, 0));
		serve(facts, server);
		if (i)
			must(recvmsg(client, &header, MSG_TRUNC));
		else
			must(recv(client, bytes, sizeof(bytes), MSG_TRUNC));
	}
	close(server);
	close(client);
}

static void check_cut(struct check *check)
{
	take_rest(check);
	for (int i = 0; i < 2; i++) {
		want_whole(check, true, SOCK_DGRAM);
		want_part(check, false, SOCK_DGRAM, ANSWER_SIZE);
	}
}

/* ---- TCP */

struct pair {
	int client, server;
};

static struct pair connection(struct facts *facts)
{
	int listener = server_of(facts, AF_INET, SOCK_STREAM);
	struct pair pair;

	must(listen(listener, 1));
	pair.client = client_of(facts, AF_INET, SOCK_STREAM);
	pair.server = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	return pair;
}

static void end(struct pair pair)
{
	close(pair.client);
	close(pair.server);
	usleep(SETTLE_US);
}

/* The message with its length before it, `times` over. */
static size_t framed(char *to, const char *message, size_t size, int times)
{
	for (int i = 0; i < times; i++, to += LENGTH_SIZE + size) {
		to[0] = (char)(size >> 8);
		to[1] = (char)size;
		memcpy(to + LENGTH_SIZE, message, size);
	}
	return (size_t)times * (LENGTH_SIZE + size);
}

/* As resolvers do: the length in a piece of its own, and read before the rest. */
static void act_tcp(struct facts *facts)
{
	struct pair pair = connection(facts);
	char bytes[512];
	struct iovec pieces[] = {{(void *)"\0\x20", LENGTH_SIZE},
				 {(void *)question, QUESTION_SIZE}};
	struct msghdr header = {.msg_iov = pieces, .msg_iovlen = 2};
	size_t size = framed(bytes, answer, ANSWER_SIZE, 1);

	must(sendmsg(pair.client, &header, 0));
	must(recv(pair.server, bytes + size, LENGTH_SIZE + QUESTION_SIZE, MSG_WAITALL));
	must(send(pair.server, bytes, size, 0));
	must(recv(pair.client, bytes, LENGTH_SIZE, MSG_PEEK));
	must(recv(pair.client, bytes, LENGTH_SIZE, 0));
	must(recv(pair.client, bytes, ANSWER_SIZE, MSG_WAITALL));
	end(pair);
}

static void check_tcp(struct check *check)
{
	take_rest(check);
	want_whole(check, true, SOCK_STREAM);
	want_whole(check, false, SOCK_STREAM);
}

static void act_tcp_write(struct facts *facts)
{
	struct pair pair = connection(facts);
	char bytes[512];
	struct iovec pieces[] = {{(void *)"\0\x20", LENGTH_SIZE},
				 {(void *)question, QUESTION_SIZE}};
	struct iovec parts[] = {{bytes, 30}, {bytes + 30, ANSWER_SIZE - 30}};
	size_t size = framed(bytes, answer, ANSWER_SIZE, 1);

	must(writev(pair.client, pieces, 2));
	must(send(pair.server, bytes, size, 0));
	must(read(pair.client, bytes, LENGTH_SIZE));
	must(readv(pair.client, parts, 2));
	end(pair);
}

static void check_tcp_write(struct check *check)
{
	take_rest(check);
	if (sees_writes(check, KIND_dns))
		check_tcp(check);
}

/* A byte at a time, there and back. */
static void act_tcp_bytes(struct facts *facts)
{
	struct pair pair = connection(facts);
	char bytes[512], byte;
	size_t size = framed(bytes, question, QUESTION_SIZE, 1);

	for (size_t i = 0; i < size; i++)
		must(send(pair.client, bytes + i, 1, 0));
	size = framed(bytes, answer, ANSWER_SIZE, 1);
	must(send(pair.server, bytes, size, 0));
	for (size_t i = 0; i < size; i++)
		must(recv(pair.client, &byte, 1, 0));
	end(pair);
}

static void check_tcp_bytes(struct check *check)
{
	take_rest(check);
	want_part(check, true, SOCK_STREAM, QUESTION_SIZE);
	want_whole(check, true, SOCK_STREAM);
	want_part(check, false, SOCK_STREAM, ANSWER_SIZE);
	want_whole(check, false, SOCK_STREAM);
}

/* Three in one call, then the beginning of a fourth that stays one. */
static void act_tcp_many(struct facts *facts)
{
	struct pair pair = connection(facts);
	char bytes[512];
	size_t size = framed(bytes, question, QUESTION_SIZE, 4);

	must(send(pair.client, bytes, size - 10, 0));
	size = framed(bytes, answer, ANSWER_SIZE, 2);
	must(send(pair.server, bytes, size, 0));
	must(recv(pair.client, bytes, size, MSG_WAITALL));
	end(pair);
}

static void check_tcp_many(struct check *check)
{
	const Hinomi__Dns *got;

	take_rest(check);
	for (int i = 0; i < 3; i++)
		want_whole(check, true, SOCK_STREAM);
	got = want_dns(check, true, SOCK_STREAM);
	if (got)
		want_true(check, "a beginning",
			  got->incomplete && got->size == QUESTION_SIZE && got->id == ID &&
				  !got->malformed);
	want_whole(check, false, SOCK_STREAM);
	want_whole(check, false, SOCK_STREAM);
}

/* Out of a pipe, where nobody can read it; then an ordinary one. */
static void act_tcp_hidden(struct facts *facts)
{
	struct pair pair = connection(facts);
	char bytes[512];
	size_t size = framed(bytes, question, QUESTION_SIZE, 1);
	int pipes[2];

	must(pipe2(pipes, O_CLOEXEC));
	must(write(pipes[1], bytes, size));
	must(splice(pipes[0], NULL, pair.client, NULL, size, 0));
	close(pipes[0]);
	close(pipes[1]);
	must(send(pair.client, bytes, size, 0));
	end(pair);
}

static void check_tcp_hidden(struct check *check)
{
	take_rest(check);
	if (sees_writes(check, KIND_dns))
		want_part(check, true, SOCK_STREAM, LENGTH_SIZE + QUESTION_SIZE);
	want_whole(check, true, SOCK_STREAM);
}

const struct test dns_tests[] = {
	{"dns/send", NULL, act_send, check_one},
	{"dns/header", NULL, act_header, check_one},
	{"dns/pieces", NULL, act_pieces, check_pieces},
	{"dns/pieces6", NULL, act_pieces6, check_pieces},
	{"dns/parts", NULL, act_parts, check_parts},
	{"dns/parts6", NULL, act_parts6, check_parts},
	{"dns/cut", NULL, act_cut, check_cut},
	{"dns/tcp", NULL, act_tcp, check_tcp},
	{"dns/tcp-write", NULL, act_tcp_write, check_tcp_write},
	{"dns/tcp-bytes", NULL, act_tcp_bytes, check_tcp_bytes},
	{"dns/tcp-many", NULL, act_tcp_many, check_tcp_many},
	{"dns/tcp-hidden", NULL, act_tcp_hidden, check_tcp_hidden},
	{},
};
