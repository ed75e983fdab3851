// SPDX-License-Identifier: Apache-2.0
/* The canary's part for network classes: one message, one special socket, one filter each. */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <hinomi/net_change.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/internal.h"

static void message_v4(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int a = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int b = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval second = {.tv_sec = 1};
	socklen_t len = sizeof(to);
	char byte;

	setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (!bind(a, (void *)&to, sizeof(to)) && !getsockname(a, (void *)&to, &len) &&
	    sendto(b, "", 1, 0, (void *)&to, sizeof(to)) == 1)
		(void)!recv(a, &byte, 1, 0);
	close(a);
	close(b);
}

/* On IPv6 sockets: to nobody, and between mapped addresses, which need no address of IPv6. */
static void message_v6(void)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(9)};
	int a = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int b = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval second = {.tv_sec = 1};
	socklen_t len = sizeof(to);
	char byte;

	(void)!sendto(b, "", 1, MSG_DONTWAIT, (void *)&to, sizeof(to));
	to = (struct sockaddr_in6){.sin6_family = AF_INET6};
	memcpy(&to.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (!bind(a, (void *)&to, sizeof(to)) && !getsockname(a, (void *)&to, &len) &&
	    sendto(b, "", 1, 0, (void *)&to, sizeof(to)) == 1)
		(void)!recv(a, &byte, 1, 0);
	close(a);
	close(b);
}

/* A netlink socket towards the routes is special, and needs no privilege. */
static void special(void)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	bind(fd, (void *)&kernel, sizeof(kernel));
	connect(fd, (void *)&kernel, sizeof(kernel));
	listen(fd, 1); /* it cannot */
	close(fd);
	close(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 0)); /* there is no protocol 0 */
}

static int accept_all(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)insns,
		.insn_cnt = 2,
		.license = (uintptr_t) "GPL",
	};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void filter(void)
{
	struct sock_filter code = {.code = BPF_RET | BPF_K, .k = 0xffff};
	struct sock_fprog classic = {.len = 1, .filter = &code};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), prog = accept_all(), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &classic, sizeof(classic));
	setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog));
	setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on));
	close(prog);
	close(fd);
}

/*
 * What begins as TLS, HTTP and DNS do, to a peer of its own; once as a message, once written. What
 * comes back is an empty answer of DNS, read once by each way.
 */
static void openings(void)
{
	static const char hello[] = "\x16\x03\x01\0\x04\x01\0\0",
			  request[] = "GET / HTTP/1.0\r\n\r\n",
			  answer[] = "\0\x0c\0\0\x80\0\0\0\0\0\0\0\0";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server = -1;
	struct timeval second = {.tv_sec = 1};
	socklen_t len = sizeof(to);
	char bytes[sizeof(answer)];

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (!bind(listener, (void *)&to, sizeof(to)) && !listen(listener, 1) &&
	    !getsockname(listener, (void *)&to, &len) &&
	    !connect(client, (void *)&to, sizeof(to))) {
		(void)!send(client, hello, sizeof(hello), MSG_NOSIGNAL);
		(void)!send(client, request, sizeof(request) - 1, MSG_NOSIGNAL);
		(void)!write(client, request, sizeof(request) - 1);
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	for (int i = 0; i < 2; i++)
		if (send(server, answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer))
			(void)!(i ? read(client, bytes, sizeof(bytes))
				  : recv(client, bytes, sizeof(bytes), 0));
	close(server);
	close(client);
	close(listener);
}

/*
 * Messages of a head alone, which the kernel passes over.  One is for the class audit_change, told
 * by its number: a message to the audit would be noted by the audit.
 */
static void changes(void)
{
	struct {
		struct nlmsghdr head;
	} message = {{.nlmsg_len = sizeof(message),
		      .nlmsg_type = RTM_NEWLINK,
		      .nlmsg_flags = NLM_F_REQUEST}};
	struct ifreq nobody = {.ifr_name = "hinomi-canary"};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)!send(fd, &message, sizeof(message), MSG_DONTWAIT);
	message.head.nlmsg_seq = 1;
	(void)!send(fd, &message, sizeof(message), MSG_DONTWAIT);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ioctl(fd, SIOCSIFFLAGS, &nobody); /* there is no such interface */
	setsockopt(fd, IPPROTO_IP, IPT_REPLACE, &nobody, 0);
	close(fd);
}

void canary_net(void)
{
	changes();
	openings();
	message_v4();
	message_v6();
	special();
	filter();
}
