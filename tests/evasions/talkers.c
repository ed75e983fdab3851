// SPDX-License-Identifier: Apache-2.0
/* Ways to the network, and to others on the machine, that are not connect() on TCP. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_alg.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "evade.h"

#define DESTINATIONS 40

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((in_port_t)strtoul(port, NULL, 10))};
}

/* fast-open PORT: a connection without connect(). */
static int fast_open(char **argv)
{
	struct sockaddr_in to = loopback(argv[0]);
	int fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	if (sendto(fd, "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to,
		   sizeof(to)) < 0 &&
	    errno != ECONNREFUSED)
		must(-1);
	usleep(200000);
	return 0;
}

/* One call, forty destinations. */
static int many(char **argv)
{
	struct sockaddr_in to[DESTINATIONS];
	struct mmsghdr messages[DESTINATIONS] = {0};
	struct iovec data = {(void *)"hello", 5};
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	(void)argv;
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		to[i] = loopback("7777");
		to[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + i);
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
						      .msg_namelen = sizeof(to[i]),
						      .msg_iov = &data,
						      .msg_iovlen = 1};
	}
	note("sent", "%ld", must(sendmmsg(fd, messages, DESTINATIONS, 0)));
	return 0;
}

/* mapped PORT: an address of IPv4 in the clothes of IPv6. */
static int mapped(char **argv)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons((in_port_t)strtoul(argv[0], NULL, 10))};
	int fd = (int)must(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	must(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	return 0;
}

/* connect PORT */
static int connect_tcp(char **argv)
{
	struct sockaddr_in to = loopback(argv[0]);
	int fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	connect(fd, (struct sockaddr *)&to, sizeof(to));
	return 0;
}

static int vsock(char **argv)
{
	struct sockaddr_vm to = {.svm_family = AF_VSOCK, .svm_cid = 1, .svm_port = 7070};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)argv;
	if (fd < 0)
		return skip("this kernel has no vsock");
	connect(fd, (struct sockaddr *)&to, sizeof(to));
	return 0;
}

/* A name that is in no directory. */
static int abstract(char **argv)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0prove-abstract"};
	socklen_t size = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 15;
	int server = (int)must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int client = (int)must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	(void)argv;
	must(bind(server, (struct sockaddr *)&name, size));
	must(listen(server, 1));
	must(connect(client, (struct sockaddr *)&name, size));
	return 0;
}

/* A message to a name that is in no directory, without connect. */
static int named(char **argv)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0prove-named"};
	socklen_t size = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 12;
	int server = (int)must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int client = (int)must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	(void)argv;
	must(bind(server, (struct sockaddr *)&name, size));
	for (int i = 0; i < 3; i++)
		must(sendto(client, "secret", 6, 0, (struct sockaddr *)&name, size));
	return 0;
}

/* The kernel's ciphers, reached through a socket. */
static int crypto(char **argv)
{
	struct sockaddr_alg name = {
		.salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha256"};
	int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)argv;
	if (fd < 0)
		return skip("this kernel has no AF_ALG");
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) && errno != ENOENT)
		must(-1);
	return 0;
}

/* Waits for a packet that only it knows, as BPFDoor does; nothing is ever answered. */
static int packet(char **argv)
{
	struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x7255, 0, 1),
					BPF_STMT(BPF_RET | BPF_K, 64),
					BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog filter = {sizeof(program) / sizeof(*program), program};
	int fd = (int)must(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))), on = 1;

	(void)argv;
	must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
	must(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
	return 0;
}

static int raw(char **argv)
{
	(void)argv;
	must(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
	return 0;
}

const struct performer talkers[] = {{"fast-open", fast_open},
				    {"many", many},
				    {"mapped", mapped},
				    {"connect", connect_tcp},
				    {"vsock", vsock},
				    {"abstract", abstract},
				    {"named", named},
				    {"crypto", crypto},
				    {"packet", packet},
				    {"raw", raw},
				    {0}};
