/* SPDX-License-Identifier: Apache-2.0 */
#include "render/words.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"

#define CAPABILITIES_NAMED 4 /* more than these are counted */

bool words_ip(const uint8_t *ip, size_t size, char ret[INET6_ADDRSTRLEN])
{
	if (size != 4 && size != 16)
		return false;
	return inet_ntop(size == 4 ? AF_INET : AF_INET6, ip, ret, INET6_ADDRSTRLEN);
}

static const char *family_name(uint32_t family)
{
	static const char *const names[] = {
		[AF_UNIX] = "unix",	[AF_INET] = "inet",
		[AF_INET6] = "inet6",	[AF_NETLINK] = "netlink",
		[AF_PACKET] = "packet", [AF_ALG] = "alg",
		[AF_VSOCK] = "vsock",	[AF_BLUETOOTH] = "bluetooth",
		[AF_CAN] = "can",	[AF_TIPC] = "tipc",
		[AF_XDP] = "xdp",	[AF_KEY] = "key",
	};

	return family < ARRAY_SIZE(names) ? names[family] : NULL;
}

static void put_unix(FILE *out, const Hinomi__Address *address)
{
	if (address->abstract)
		putc('@', out);
	else if (!address->path.len)
		fputs("unnamed", out);
	escape_text(out, address->path.data, address->path.len);
}

static void put_raw(FILE *out, const Hinomi__Address *address)
{
	const char *name = family_name(address->family);

	if (name)
		fputs(name, out);
	else
		fprintf(out, "family %u", address->family);
	for (size_t i = 0; i < address->raw.len; i++)
		fprintf(out, "%s%02x", i ? "" : " ", address->raw.data[i]);
}

void words_address(FILE *out, const Hinomi__Address *address)
{
	char text[INET6_ADDRSTRLEN];

	if (!address) {
		fputs("unknown", out);
	} else if (address->family == AF_UNIX) {
		put_unix(out, address);
	} else if (!words_ip(address->ip.data, address->ip.len, text)) {
		put_raw(out, address);
	} else if (address->ip.len == 4) {
		fprintf(out, "%s:%u", text, address->port);
	} else {
		fprintf(out, "[%s", text);
		if (address->scope_id)
			fprintf(out, "%%%u", address->scope_id);
		fprintf(out, "]:%u", address->port);
	}
}

void words_endpoint(FILE *out, const Hinomi__Endpoint *endpoint)
{
	Hinomi__Address address = HINOMI__ADDRESS__INIT;

	address.family = endpoint->ip.len == 4 ? AF_INET : AF_INET6;
	address.ip = endpoint->ip;
	address.port = endpoint->port;
	words_address(out, &address);
}

const char *words_protocol(const Hinomi__Socket *socket)
{
	const char *name = family_name(socket->family);

	if (socket->family != AF_INET && socket->family != AF_INET6)
		return name ? name : "socket";
	switch (socket->protocol) {
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_MPTCP:
		return "mptcp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	}
	return socket->type == SOCK_STREAM  ? "tcp"
	       : socket->type == SOCK_DGRAM ? "udp"
	       : socket->type == SOCK_RAW   ? "raw"
					    : name;
}

/* flags are the kernel's, where O_LARGEFILE has its bit on 64-bit machines as well */
void words_open_flags(FILE *out, uint32_t flags)
{
	static const char *const access[] = {"read", "write", "read+write", "ioctl only"};
	static const struct {
		uint32_t bits;
		const char *word;
	} words[] = {
		{O_PATH, "path only"}, {O_CREAT, "create"},	 {O_EXCL, "exclusive"},
		{O_TRUNC, "truncate"}, {O_APPEND, "append"},	 {__O_TMPFILE, "unnamed"},
		{O_DIRECT, "direct"},  {O_NOFOLLOW, "nofollow"}, {O_SYNC, "sync"},
	};

	fputs(access[flags & O_ACCMODE], out);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if ((flags & words[i].bits) == words[i].bits)
			fprintf(out, " %s", words[i].word);
}

void words_rename_flags(FILE *out, uint32_t flags)
{
	uint32_t other = flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT);

	if (flags & RENAME_NOREPLACE)
		fputs(" not replacing", out);
	if (flags & RENAME_EXCHANGE)
		fputs(" exchanging", out);
	if (flags & RENAME_WHITEOUT)
		fputs(" leaving a whiteout", out);
	if (other)
		fprintf(out, " flags 0x%x", other);
}

void words_error(FILE *out, int32_t result)
{
	static const char *const restarts[] = {"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND",
					       "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK"};
	int64_t error = -(int64_t)result;
	const char *name = error < 512 ? strerrorname_np((int)error) : NULL;

	if (!name && error >= 512 && error < 512 + (int64_t)ARRAY_SIZE(restarts))
		name = restarts[error - 512]; /* kernel's include/linux/errno.h */
	if (name)
		fputs(name, out);
	else
		fprintf(out, "error %" PRId64, error);
}

void words_signal(FILE *out, uint32_t signal)
{
	const char *name = signal < NSIG ? sigabbrev_np((int)signal) : NULL;

	if (name)
		fprintf(out, "SIG%s", name);
	else
		fprintf(out, "signal %u", signal);
}

/* capabilities(7), in the order of their bits */
static const char *const capabilities[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

void words_capabilities(FILE *out, char sign, uint64_t set)
{
	int count = __builtin_popcountll(set);
	const char *comma = "";

	if (!count)
		return;
	putc(sign, out);
	if (count > CAPABILITIES_NAMED) {
		fprintf(out, "%d", count);
		return;
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(set >> bit & 1))
			continue;
		if (bit < ARRAY_SIZE(capabilities))
			fprintf(out, "%s%s", comma, capabilities[bit]);
		else
			fprintf(out, "%s%u", comma, bit);
		comma = ",";
	}
}

void words_duration(FILE *out, uint64_t ns)
{
	uint64_t ms = ns / NS_PER_MS, s = ms / 1000;

	if (ms < 1000)
		fprintf(out, "%" PRIu64 " ms", ms);
	else if (s < 60)
		fprintf(out, "%" PRIu64 ".%" PRIu64 " s", s, ms / 100 % 10);
	else if (s < 3600)
		fprintf(out, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else
		fprintf(out, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
}
