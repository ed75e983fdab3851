// SPDX-License-Identifier: Apache-2.0
/* Special sockets, filters, families beyond IP and unix, fast open, the metadata service. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

#define SETTLE_US 20000
#ifndef IPPROTO_L2TP
#define IPPROTO_L2TP 115 /* not in every libc */
#endif

struct special {
	int family, type, protocol;
};

static const struct special specials[] = {
	{AF_INET, SOCK_RAW, IPPROTO_ICMP}, {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
	{AF_PACKET, SOCK_RAW, 0},	   {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT},
	{AF_NETLINK, SOCK_DGRAM, 0},	   {AF_VSOCK, SOCK_STREAM, 0},
	{AF_ALG, SOCK_SEQPACKET, 0},
};

/* IP, but neither TCP nor UDP */
static const struct special protocols[] = {
	{AF_INET, SOCK_STREAM, IPPROTO_MPTCP},	{AF_INET6, SOCK_STREAM, IPPROTO_SCTP},
	{AF_INET, SOCK_DCCP, IPPROTO_DCCP},	{AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
	{AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6}, {AF_INET, SOCK_DGRAM, IPPROTO_L2TP},
	{AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
};

static void act_sockets(struct facts *facts, const struct special *all, size_t n)
{
	struct stat st;

	for (size_t i = 0; i < n; i++) {
		int fd = socket(all[i].family, all[i].type | SOCK_CLOEXEC, all[i].protocol);

		facts->number[i] = (uint64_t)(fd < 0 ? errno : 0) << 32;
		if (fd < 0)
			continue;
		must(fstat(fd, &st));
		facts->number[i] |= st.st_ino;
		close(fd);
	}
	close(socket(AF_INET, SOCK_STREAM, 0)); /* not special, nor are these */
	close(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
	close(socket(AF_UNIX, SOCK_DGRAM, 0));
	close(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
}

static void check_sockets(struct check *check, const struct special *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct seen *seen = take(check, KIND_socket_special);
		uint64_t noted = check->facts->number[i];
		const Hinomi__Socket *socket;

		if (!seen)
			return;
		socket = seen->event->socket_special;
		want_result(check, (int)(noted >> 32), seen);
		want_number(check, "socket.family", (uint64_t)all[i].family, socket->family);
		want_number(check, "socket.type", (uint64_t)all[i].type, socket->type);
		want_number(check, "socket.protocol", (uint64_t)all[i].protocol, socket->protocol);
		want_number(check, "socket.cookie", (uint32_t)noted, socket->cookie);
		want_true(check, "socket.net_namespace", noted >> 32 || socket->net_namespace);
	}
}

static void act_special(struct facts *facts)
{
	act_sockets(facts, specials, ARRAY_SIZE(specials));
}

static void check_special(struct check *check)
{
	check_sockets(check, specials, ARRAY_SIZE(specials));
}

static void act_protocols(struct facts *facts)
{
	act_sockets(facts, protocols, ARRAY_SIZE(protocols));
}

static void check_protocols(struct check *check)
{
	check_sockets(check, protocols, ARRAY_SIZE(protocols));
}

/* ---- filters */

static const struct sock_filter classic[] = {
	{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
	{BPF_JMP | BPF_JGE | BPF_K, 0, 1, 4096},
	{BPF_RET | BPF_K, 0, 0, 0},
	{BPF_RET | BPF_K, 0, 0, 0xffff},
};

static int filter_program(void)
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

	/* before 5.11 a program is locked memory */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void act_filter(struct facts *facts)
{
	struct sock_fprog program = {.len = ARRAY_SIZE(classic), .filter = (void *)classic};
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), one = 1,
	    prog = filter_program();

	must(fstat(fd, &facts->stat[0]));
	must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	if (prog < 0)
		act_skip(facts, "no eBPF program can be loaded: %s", strerror(errno));
	must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)));
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)));
	must(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)));
	act_tried(facts, 0,
		  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	close(prog);
	close(fd);
}

static const Hinomi__SocketFilter *take_filter(struct check *check, int action)
{
	const struct seen *seen = take(check, KIND_socket_filter);
	const Hinomi__SocketFilter *filter = seen ? seen->event->socket_filter : NULL;

	if (!filter)
		return NULL;
	want_number(check, "socket_filter.action", (uint64_t)action, filter->action);
	want_socket(check, AF_INET, SOCK_DGRAM, IPPROTO_UDP, check->facts->stat[0].st_ino,
		    filter->socket);
	return filter;
}

static void check_filter(struct check *check)
{
	const Hinomi__SocketFilter *filter;
	const struct seen *refused;
	uint8_t hash[32];

	EVP_Digest(classic, sizeof(classic), hash, NULL, EVP_sha256(), NULL);
	filter = take_filter(check, HINOMI__SOCKET_FILTER__ACTION__ACTION_ATTACH);
	if (filter) {
		want_number(check, "instructions", ARRAY_SIZE(classic), filter->instructions);
		want_bytes(check, "program", classic, sizeof(classic), &filter->program);
		want_bytes(check, "sha256", hash, sizeof(hash), &filter->sha256);
	}
	filter = take_filter(check, HINOMI__SOCKET_FILTER__ACTION__ACTION_ATTACH_BPF);
	if (filter) {
		want_true(check, "program_id", filter->program_id > 0);
		want_true(check, "instructions", filter->instructions > 0);
		want_number(check, "tag.len", 8, filter->tag.len);
	}
	filter = take_filter(check, HINOMI__SOCKET_FILTER__ACTION__ACTION_ATTACH);
	want_true(check, "reuseport", filter && filter->reuseport);
	take_filter(check, HINOMI__SOCKET_FILTER__ACTION__ACTION_LOCK);
	refused = take(check, KIND_socket_filter); /* it is locked */
	if (refused)
		want_result(check, check->facts->error[0], refused);
}

/* ---- connect and bind of another family */

static void act_netlink(struct facts *facts)
{
	struct sockaddr_nl *to = (void *)&facts->address[0];
	int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT));

	must(fstat(fd, &facts->stat[0]));
	to->nl_family = AF_NETLINK;
	facts->address_len[0] = sizeof(*to);
	must(bind(fd, (struct sockaddr *)to, sizeof(*to)));
	must(connect(fd, (struct sockaddr *)to, sizeof(*to)));
	close(fd);
}

static void check_netlink(struct check *check)
{
	const struct seen *bind = take(check, KIND_bind), *connect = take(check, KIND_connect);

	if (!bind || !connect)
		return;
	want_socket(check, AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT,
		    check->facts->stat[0].st_ino, connect->event->connect);
	want_address(check, "netlink peer", &check->facts->address[0], check->facts->address_len[0],
		     connect->event->connect->peer);
	want_number(check, "bind.family", AF_NETLINK, bind->event->bind->family);
}

/* ---- connect by sending */

static void act_fastopen(struct facts *facts)
{
	struct sockaddr_in *to = (void *)&facts->address[0];
	int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int client = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	facts->address_len[0] = sizeof(*to);
	must(bind(listener, (struct sockaddr *)to, sizeof(*to)));
	must(getsockname(listener, (struct sockaddr *)to, &facts->address_len[0]));
	must(listen(listener, 1));
	must(fstat(client, &facts->stat[0]));
	if (act_tried(facts, 0,
		      sendto(client, "marker", 6, MSG_FASTOPEN, (struct sockaddr *)to,
			     sizeof(*to))) == EOPNOTSUPP)
		act_skip(facts, "fast open is switched off here");
	close(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
	close(client);
	close(listener);
	usleep(SETTLE_US);
}

static void check_fastopen(struct check *check)
{
	const struct seen *connect;

	connect = take_connect(check);
	if (!connect)
		return;
	want_socket(check, AF_INET, SOCK_STREAM, IPPROTO_TCP, check->facts->stat[0].st_ino,
		    connect->event->connect);
	want_address(check, "fast open: peer", &check->facts->address[0], 0,
		     connect->event->connect->peer);
}

/* Nothing is sent: a datagram socket only notes who its peer is. */
static void act_metadata(struct facts *facts)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
	act_tried(facts, 0, connect(fd, (struct sockaddr *)&to, sizeof(to)));
	close(fd);
}

static void check_metadata(struct check *check)
{
	const struct seen *connect = take(check, KIND_connect);

	if (!connect)
		return;
	want_result(check, check->facts->error[0], connect);
	want_true(check, "connect.cloud_metadata", connect->event->connect->cloud_metadata);
}

/* ---- to nowhere in particular: the unspecified address, then no family, which disconnects */

static void act_unspecified(struct facts *facts)
{
	struct sockaddr_in *any = (void *)&facts->address[0];
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	any->sin_family = AF_INET;
	any->sin_port = htons(9);
	must(connect(fd, (struct sockaddr *)any, sizeof(*any)));
	must(connect(fd, &none, sizeof(none)));
	close(fd);
}

static void check_unspecified(struct check *check)
{
	const struct seen *to = take(check, KIND_connect), *none = take(check, KIND_connect);

	if (!to || !none)
		return;
	/* on tier 1 what was asked for, on tier 2 what became of it */
	want_true(check, "a peer", to->event->connect->peer);
	if (to->event->tier == 1)
		want_address(check, "connect.peer", &check->facts->address[0], 0,
			     to->event->connect->peer);
	want_true(check, "no peer", !none->event->connect->peer);
}

/* ---- families that have addresses of their own */

static void act_families(struct facts *facts)
{
	static const struct {
		uint16_t family;
		char type[14];
		uint32_t feature, mask;
		char name[64];
	} alg = {AF_ALG, "hash", 0, 0, "sha256"};
	static const struct {
		uint16_t family, reserved;
		uint32_t port, cid;
		char zero[4];
	} vsock = {AF_VSOCK, 0, 0x1234, 2, {0}};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		connect(fd, (const void *)&vsock, sizeof(vsock));
		facts->number[0] = 1;
		close(fd);
	}
	fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		facts->number[1] = 1;
		bind(fd, (const void *)&alg, sizeof(alg));
		close(fd);
	}
	if (!facts->number[0] && !facts->number[1])
		act_skip(facts, "this kernel has neither vsock nor AF_ALG");
}

static void check_families(struct check *check)
{
	const struct seen *seen;

	while (there_is(check, KIND_socket_special))
		take(check, KIND_socket_special);
	seen = check->facts->number[0] ? take(check, KIND_connect) : NULL;
	if (seen && seen->event->connect->peer) {
		want_number(check, "vsock: family", AF_VSOCK, seen->event->connect->peer->family);
		want_bytes(check, "vsock: port", "\0\0\x34\x12\0\0\2\0\0\0", 10,
			   &(ProtobufCBinaryData){
				   .data = seen->event->connect->peer->raw.data,
				   .len = seen->event->connect->peer->raw.len < 10 ? 0 : 10});
	}
	seen = check->facts->number[1] ? take(check, KIND_bind) : NULL;
	if (seen)
		want_true(check, "the algorithm's name",
			  seen->event->bind->local &&
				  memmem(seen->event->bind->local->raw.data,
					 seen->event->bind->local->raw.len, "sha256", 6));
}

/* ---- what was there before the sensor: opened before the actor is looked at */

static int held[3] = {-1, -1, -1};

static void hold(struct facts *facts)
{
	struct sock_fprog program = {.len = ARRAY_SIZE(classic), .filter = (void *)classic};
	struct sockaddr_in *at = (void *)&facts->address[0];

	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	facts->address_len[0] = sizeof(*at);
	held[0] = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	held[1] = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(bind(held[1], (struct sockaddr *)at, sizeof(*at)));
	must(getsockname(held[1], (struct sockaddr *)at, &facts->address_len[0]));
	must(listen(held[1], 7));
	held[2] = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	must(setsockopt(held[2], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		must(fstat(held[i], &facts->stat[i]));
}

static void act_held(struct facts *facts)
{
	(void)facts;
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		close(held[i]);
}

static const Hinomi__Socket *held_socket(const struct seen *seen)
{
	switch (seen->kind) {
	case KIND_socket_special:
		return seen->event->socket_special;
	case KIND_listen:
		return seen->event->listen;
	case KIND_socket_filter:
		return seen->event->socket_filter->socket;
	default:
		return NULL;
	}
}

static void check_held(struct check *check)
{
	static const unsigned kinds[] = {KIND_socket_special, KIND_listen, KIND_socket_filter};
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const Hinomi__Socket *found = NULL;

		for (size_t k = 0; k < check->story->nevents; k++) {
			const struct seen *seen = &check->story->events[k];
			const Hinomi__Socket *socket =
				seen->kind == kinds[i] ? held_socket(seen) : NULL;

			if (socket && socket->preexisting &&
			    socket->cookie == facts->stat[i].st_ino && seen->process &&
			    (pid_t)seen->process->key->pid == facts->actor)
				found = socket;
		}
		want_true(check, "a socket that was there before", found);
		if (found && kinds[i] == KIND_listen) {
			want_address(check, "listen.local", &facts->address[0], 0, found->local);
			want_number(check, "listen.backlog", 7, found->backlog);
		}
	}
}

const struct test special_tests[] = {
	{"socket_special/preexisting", NULL, act_held, check_held, .hold = hold, .early = true},
	{"socket_special/kinds", NULL, act_special, check_special},
	{"socket_special/nobody", NULL, act_special, check_special, .nobody = true},
	{"socket_special/protocols", NULL, act_protocols, check_protocols},
	{"socket_filter/all", NULL, act_filter, check_filter},
	{"connect/netlink", NULL, act_netlink, check_netlink},
	{"connect/fast-open", NULL, act_fastopen, check_fastopen},
	{"connect/unspecified", NULL, act_unspecified, check_unspecified},
	{"connect/families", NULL, act_families, check_families},
	{"connect/metadata", NULL, act_metadata, check_metadata},
	{},
};
