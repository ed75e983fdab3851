// SPDX-License-Identifier: Apache-2.0
/* What a connection begins with: the hello of TLS, and requests to the metadata service. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

#define SETTLE_US 20000

/* to marker.example, offering h2 and http/1.1, up to TLS 1.3 */
static const char hello[] =
	"\026\003\001\000\143\001\000\000\137\003\003\000\001\002\003\004\005\006\007"
	"\010\011\012\013\014\015\016\017\020\021\022\023\024\025\026\027\030\031\032"
	"\033\034\035\036\037\000\000\002\023\001\001\000\000\064\000\000\000\023\000"
	"\021\000\000\016\155\141\162\153\145\162.example\000\020\000\016\000\014\002"
	"h2\010\150\164\164\160/1.1\000\053\000\007\006\172\172\003\004\003\003";
#define HELLO_SIZE (sizeof(hello) - 1)

struct pair {
	int client, accepted;
};

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static struct pair connection_over(struct facts *facts, const char *address, int port, int protocol)
{
	struct sockaddr_in *to = (void *)&facts->address[0];
	int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct pair pair = {.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol)};
	socklen_t len = sizeof(*to);

	if (pair.client < 0)
		act_skip(facts, "socket of protocol %d: %s", protocol, strerror(errno));
	to->sin_family = AF_INET;
	to->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, address, &to->sin_addr);
	must(bind(listener, (struct sockaddr *)to, sizeof(*to)));
	must(getsockname(listener, (struct sockaddr *)to, &len));
	must(listen(listener, 1));
	must(fstat(pair.client, &facts->stat[0]));
	must(connect(pair.client, (struct sockaddr *)to, len));
	pair.accepted = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	return pair;
}

static struct pair connection(struct facts *facts, const char *address, int port)
{
	return connection_over(facts, address, port, 0);
}

static void end(struct pair pair)
{
	close(pair.client);
	close(pair.accepted);
	usleep(SETTLE_US);
}

static void take_rest(struct check *check)
{
	take(check, KIND_bind);
	take(check, KIND_listen);
	take(check, KIND_connect);
	take(check, KIND_accept);
	take_ends(check);
}

static void want_hello_over(struct check *check, int protocol)
{
	const struct seen *seen = take(check, KIND_tls_hello);
	const Hinomi__TlsHello *got = seen ? seen->event->tls_hello : NULL;

	if (!got)
		return;
	want_socket(check, AF_INET, SOCK_STREAM, protocol, check->facts->stat[0].st_ino,
		    got->socket);
	want_address(check, "tls_hello.peer", &check->facts->address[0], 0, got->socket->peer);
	want_text(check, "server_name", "marker.example", &got->server_name);
	want_number(check, "protocols", 2, got->n_protocols);
	if (got->n_protocols == 2)
		want_text(check, "protocols[1]", "http/1.1", &got->protocols[1]);
	want_number(check, "version", 0x0304, got->version);
	want_number(check, "size", HELLO_SIZE - 9, got->size);
	want_true(check, "a hello that is whole", !got->incomplete && !got->malformed);
}

static void want_hello(struct check *check)
{
	want_hello_over(check, IPPROTO_TCP);
}

static void act_send(struct facts *facts)
{
	struct pair pair = connection(facts, "127.0.0.1", 0);

	must(send(pair.client, hello, HELLO_SIZE, 0));
	must(send(pair.client, hello, 1, 0));
	must(send(pair.accepted, "\026\003\003\0\006\002\0\0\0\0\0", 11, 0)); /* the server's */
	end(pair);
}

static void check_one(struct check *check)
{
	take_rest(check);
	want_hello(check);
}

/* A proxy is asked first; then in pieces, the first of which is the record's head. */
static void act_behind(struct facts *facts)
{
	static const char ask[] = "CONNECT marker.example:443 HTTP/1.1\r\n\r\n";
	struct pair pair = connection(facts, "127.0.0.1", 0);
	struct iovec pieces[] = {{(void *)hello, 5},
				 {(void *)(hello + 5), 40},
				 {(void *)(hello + 45), HELLO_SIZE - 45}};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = pieces, .msg_iovlen = 3}};

	must(send(pair.client, ask, sizeof(ask) - 1, 0));
	must(sendmsg(pair.client, &message.msg_hdr, 0));
	must(sendmmsg(pair.client, &message, 1, 0));
	end(pair);
}

static void check_two(struct check *check)
{
	take_rest(check);
	want_hello(check);
	want_hello(check);
}

static void act_write(struct facts *facts)
{
	struct pair pair = connection(facts, "127.0.0.1", 0);
	struct iovec pieces[] = {{(void *)hello, 60}, {(void *)(hello + 60), HELLO_SIZE - 60}};

	must(write(pair.client, hello, HELLO_SIZE));
	must(writev(pair.client, pieces, 2));
	end(pair);
}

static void check_write(struct check *check)
{
	take_rest(check);
	if (!sees_writes(check, KIND_tls_hello))
		return;
	want_hello(check);
	want_hello(check);
}

/* All of it in pieces of one byte, in one call. */
static void act_pieces(struct facts *facts)
{
	struct pair pair = connection(facts, "127.0.0.1", 0);
	struct iovec pieces[HELLO_SIZE];
	struct msghdr header = {.msg_iov = pieces, .msg_iovlen = HELLO_SIZE};

	for (size_t i = 0; i < HELLO_SIZE; i++)
		pieces[i] = (struct iovec){(void *)(hello + i), 1};
	must(sendmsg(pair.client, &header, 0));
	end(pair);
}

/* A call for each byte; then one for the head of the record and one for the rest. */
static void act_bytes(struct facts *facts)
{
	struct pair pair = connection(facts, "127.0.0.1", 0);

	for (size_t i = 0; i < HELLO_SIZE; i++)
		must(send(pair.client, hello + i, 1, 0));
	must(send(pair.client, hello, 5, 0));
	must(send(pair.client, hello + 5, HELLO_SIZE - 5, 0));
	end(pair);
}

static void check_bytes(struct check *check)
{
	const struct seen *seen;

	take_rest(check);
	seen = take(check, KIND_tls_hello);
	if (seen)
		want_true(check, "an incomplete hello", seen->event->tls_hello->incomplete);
	want_hello(check);
	want_hello(check);
}

/* Over MPTCP, which the other side does not speak; the kernel connects with a socket of its own. */
static void act_mptcp(struct facts *facts)
{
	struct pair pair = connection_over(facts, "127.0.0.1", 0, IPPROTO_MPTCP);

	must(send(pair.client, hello, HELLO_SIZE, 0));
	must(send(pair.client, hello, 30, 0));
	must(write(pair.client, hello + 30, HELLO_SIZE - 30));
	end(pair);
}

static void check_mptcp(struct check *check)
{
	const struct seen *seen;

	take_rest(check);
	take(check, KIND_socket_special);
	while (there_is(check, KIND_connect))
		take(check, KIND_connect);
	want_hello_over(check, IPPROTO_MPTCP);
	seen = take(check, KIND_tls_hello);
	if (seen)
		want_true(check, "an incomplete hello", seen->event->tls_hello->incomplete);
	if (sees_writes(check, KIND_tls_hello))
		want_hello_over(check, IPPROTO_MPTCP);
}

/* Out of a pipe, where nobody can read it. */
static void splice_to(struct facts *facts, int fd, const char *bytes, size_t size)
{
	int pipes[2];

	must(pipe2(pipes, O_CLOEXEC));
	must(write(pipes[1], bytes, size));
	must(splice(pipes[0], NULL, fd, NULL, size, 0));
	close(pipes[0]);
	close(pipes[1]);
}

static void act_hidden(struct facts *facts)
{
	struct pair pair = connection(facts, "127.0.53.43", 443);

	splice_to(facts, pair.client, hello, HELLO_SIZE);
	splice_to(facts, pair.client, hello, HELLO_SIZE); /* no longer the beginning */
	end(pair);
}

static void check_hidden(struct check *check)
{
	const struct seen *seen;

	take_rest(check);
	seen = sees_writes(check, KIND_tls_hello) ? take(check, KIND_tls_hello) : NULL;
	if (seen)
		want_true(check, "a hello of which nothing is known",
			  seen->event->tls_hello->incomplete && !seen->event->tls_hello->size);
}

/* Half of it, with what tells that the rest is encrypted inside; then none that makes sense. */
static void act_odd(struct facts *facts)
{
	static const char odd[] = "\026\003\001\0\064\001\0\0\060\003\003"
				  "0123456789abcdef0123456789abcdef\0\0\002\023\001\001\0"
				  "\0\005\376\015\0\011\0";
	struct pair pair = connection(facts, "127.0.0.1", 0);

	must(send(pair.client, hello, 70, 0));
	end(pair);
	pair = connection(facts, "127.0.0.1", 0);
	must(send(pair.client, odd, sizeof(odd) - 1, 0));
	end(pair);
}

static void check_odd(struct check *check)
{
	const struct seen *half, *odd;

	take_rest(check);
	take_rest(check);
	half = take(check, KIND_tls_hello);
	odd = take(check, KIND_tls_hello);
	if (!half || !odd)
		return;
	want_true(check, "an incomplete hello", half->event->tls_hello->incomplete);
	want_true(check, "a malformed hello", odd->event->tls_hello->malformed);
	want_true(check, "an encrypted hello", odd->event->tls_hello->encrypted);
}

/* ---- the metadata service, at its address in a network of our own */

static void give_address(struct facts *facts, const char *address)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq request = {.ifr_name = "lo"};
	struct sockaddr_in *to = (void *)&request.ifr_addr;

	to->sin_family = AF_INET;
	inet_pton(AF_INET, address, &to->sin_addr);
	must(ioctl(fd, SIOCSIFADDR, &request));
	request.ifr_flags = IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

/* A connection to it, in a network of the actor's own. */
static struct pair metadata(struct facts *facts)
{
	uint64_t ids[NS_COUNT];

	if (unshare(CLONE_NEWNET))
		act_skip(facts, "unshare(CLONE_NEWNET): %s", strerror(errno));
	namespaces_read(ids);
	facts->number[0] = ids[NS_NET];
	give_address(facts, "169.254.169.254");
	return connection(facts, "169.254.169.254", 80);
}

static void act_metadata(struct facts *facts)
{
	static const char *const requests[] = {
		"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n"
		"X-aws-ec2-metadata-token: secret\r\n\r\n",
		"GET /latest/user-data HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n",
		"GET /metadata/attested/document HTTP/1.1\r\nMetadata: true\r\n",
	};
	struct pair pair = metadata(facts);

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		facts->number[i + 1] = strlen(requests[i]);
		must(send(pair.client, requests[i], strlen(requests[i]), 0));
	}
	end(pair);
}

static const Hinomi__MetadataRequest *take_request(struct check *check, int n, int path,
						   int version)
{
	const struct seen *seen = take(check, KIND_metadata_request);
	const Hinomi__MetadataRequest *got = seen ? seen->event->metadata_request : NULL;

	if (!got)
		return NULL;
	want_number(check, "socket.cookie", check->facts->stat[0].st_ino, got->socket->cookie);
	want_true(check, "socket.cloud_metadata", got->socket->cloud_metadata);
	want_number(check, "socket.net_namespace", check->facts->number[0],
		    got->socket->net_namespace);
	want_number(check, "path", (uint64_t)path, got->path);
	want_number(check, "version", (uint64_t)version, got->version);
	want_number(check, "size", check->facts->number[n], got->size);
	return got;
}

#define PATH(name) HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_##name

static void take_network(struct check *check)
{
	take(check, KIND_namespace);
	take(check, KIND_net_change);
	take(check, KIND_net_change);
	take_rest(check);
}

static void check_metadata(struct check *check)
{
	const Hinomi__MetadataRequest *got;

	take_network(check);
	got = take_request(check, 1, PATH(TOKEN), 2);
	if (got)
		want_number(check, "method", HINOMI__METADATA_REQUEST__METHOD__METHOD_PUT,
			    got->method);
	got = take_request(check, 2, PATH(CREDENTIALS), 2);
	want_true(check, "session_token", got && got->session_token);
	got = take_request(check, 3, PATH(USER_DATA), 1);
	want_true(check, "forwarded", got && got->forwarded);
	got = take_request(check, 4, PATH(IDENTITY), 0);
	want_true(check, "provider_header, incomplete",
		  got && got->provider_header && got->incomplete);
}

/* A call for each byte, each told with what is known by then; in pieces; then where nobody can
 * read. */
static const char in_bytes[] = "GET /latest/user-data HTTP/1.0\r\n\r\n";

static void act_metadata_pieces(struct facts *facts)
{
	struct pair pair = metadata(facts);
	struct iovec pieces[sizeof(in_bytes) - 1];
	struct msghdr header = {.msg_iov = pieces, .msg_iovlen = sizeof(in_bytes) - 1};

	for (size_t i = 0; i < sizeof(in_bytes) - 1; i++) {
		must(send(pair.client, in_bytes + i, 1, 0));
		pieces[i] = (struct iovec){(void *)(in_bytes + i), 1};
	}
	must(sendmsg(pair.client, &header, 0));
	splice_to(facts, pair.client, in_bytes, sizeof(in_bytes) - 1);
	facts->number[1] = 1;
	facts->number[2] = sizeof(in_bytes) - 1;
	end(pair);
}

static void check_metadata_pieces(struct check *check)
{
	const Hinomi__MetadataRequest *got = NULL;

	take_network(check);
	for (size_t i = 0; i < sizeof(in_bytes) - 2; i++)
		got = take_request(check, 1, i < 3 ? 0 : i < 20 ? PATH(OTHER) : PATH(USER_DATA), 0);
	want_true(check, "most of a request", got && got->incomplete);
	got = take_request(check, 1, PATH(USER_DATA), 1);
	want_true(check, "a whole request", got && !got->incomplete);
	got = take_request(check, 2, PATH(USER_DATA), 1);
	want_true(check, "a whole request in pieces", got && !got->incomplete);
	if (!sees_writes(check, KIND_metadata_request))
		return;
	got = take_request(check, 2, 0, 0);
	want_true(check, "one that nobody can read", got && got->incomplete && !got->method);
}

/* Without a system call that says what: where the kernel's functions are hooked, that is known all
 * the same. */
static void act_metadata_ring(struct facts *facts)
{
	struct pair pair = metadata(facts);
	int sent = act_ring_send(facts, pair.client, in_bytes, sizeof(in_bytes) - 1);

	if (sent < 0)
		act_skip(facts, "IORING_OP_SEND: %s", strerror(-sent));
	facts->number[1] = sizeof(in_bytes) - 1;
	end(pair);
}

static void check_metadata_ring(struct check *check)
{
	const Hinomi__MetadataRequest *got;
	bool known = tier_of(check, KIND_metadata_request) == 1;

	take_network(check);
	if (!sees_writes(check, KIND_metadata_request))
		return;
	got = take_request(check, 1, known ? PATH(USER_DATA) : 0, known);
	want_true(check, "what is known of it", got && got->incomplete == !known);
}

const struct test opening_tests[] = {
	{"tls_hello/send", NULL, act_send, check_one},
	{"tls_hello/behind", NULL, act_behind, check_two},
	{"tls_hello/write", NULL, act_write, check_write},
	{"tls_hello/odd", NULL, act_odd, check_odd},
	{"tls_hello/pieces", NULL, act_pieces, check_one},
	{"tls_hello/bytes", NULL, act_bytes, check_bytes},
	{"tls_hello/mptcp", NULL, act_mptcp, check_mptcp},
	{"tls_hello/hidden", NULL, act_hidden, check_hidden},
	{"metadata_request/all", NULL, act_metadata, check_metadata},
	{"metadata_request/ring", NULL, act_metadata_ring, check_metadata_ring},
	{"metadata_request/pieces", NULL, act_metadata_pieces, check_metadata_pieces},
	{},
};
