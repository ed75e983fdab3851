/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/sysctl.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NAME_MAX_BYTES 128

enum test { IS, ABOVE, BELOW, PIPE, ANY };

static const struct {
	const char *name; /* fnmatch(3) */
	enum test test;
	long number;
} weak[] = {
	{"fs.protected_*", IS, 0},
	{"fs.suid_dumpable", ABOVE, 0},
	{"kernel.apparmor_restrict_unprivileged_*", IS, 0},
	{"kernel.core_pattern", PIPE, 0},
	{"kernel.dmesg_restrict", IS, 0},
	{"kernel.ftrace_enabled", IS, 0},
	{"kernel.hotplug", ANY, 0},
	{"kernel.io_uring_disabled", IS, 0},
	{"kernel.kptr_restrict", IS, 0},
	{"kernel.modprobe", ANY, 0},
	{"kernel.perf_event_paranoid", BELOW, 2},
	{"kernel.randomize_va_space", BELOW, 2},
	{"kernel.sysrq", ABOVE, 0},
	{"kernel.unprivileged_bpf_disabled", IS, 0},
	{"kernel.unprivileged_userns_clone", ABOVE, 0},
	{"kernel.usermodehelper.*", ANY, 0},
	{"kernel.yama.ptrace_scope", IS, 0},
	{"net.core.bpf_jit_harden", IS, 0},
	{"net.ipv4.conf.*.accept_redirects", ABOVE, 0},
	{"net.ipv4.conf.*.accept_source_route", ABOVE, 0},
	{"net.ipv4.conf.*.forwarding", ABOVE, 0},
	{"net.ipv4.conf.*.route_localnet", ABOVE, 0},
	{"net.ipv4.conf.*.rp_filter", IS, 0},
	{"net.ipv4.ip_forward", ABOVE, 0},
	{"net.ipv4.tcp_syncookies", IS, 0},
	{"net.ipv6.conf.*.accept_redirects", ABOVE, 0},
	{"net.ipv6.conf.*.accept_source_route", ABOVE, 0},
	{"net.ipv6.conf.*.forwarding", ABOVE, 0},
	{"vm.mmap_min_addr", BELOW, 4096},
	{"vm.unprivileged_userfaultfd", ABOVE, 0},
};

static bool holds(enum test test, long number, const char *value, bool unknown)
{
	char *end;
	long is;

	if (test == ANY)
		return true;
	if (test == PIPE)
		return value[0] == '|';
	is = strtol(value, &end, 0);
	if (end == value)
		return unknown;
	return test == IS ? is == number : test == ABOVE ? is > number : is < number;
}

/* Index of its rule, or -1. */
static int rule_of(const ProtobufCBinaryData *name)
{
	char key[NAME_MAX_BYTES];

	if (!name->len || name->len >= sizeof(key))
		return -1;
	memcpy(key, name->data, name->len);
	key[name->len] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(weak); i++)
		if (!fnmatch(weak[i].name, key, 0))
			return (int)i;
	return -1;
}

bool sysctl_weakens(const ProtobufCBinaryData *name, const ProtobufCBinaryData *value, bool unknown)
{
	char text[NAME_MAX_BYTES];
	size_t len = value->len < sizeof(text) - 1 ? value->len : sizeof(text) - 1;
	int rule = rule_of(name);

	if (rule < 0)
		return false;
	if (len)
		memcpy(text, value->data, len);
	text[len] = 0;
	return holds(weak[rule].test, weak[rule].number, text, unknown);
}

bool sysctl_is_text(const ProtobufCBinaryData *name)
{
	int rule = rule_of(name);

	return rule >= 0 && (weak[rule].test == PIPE || weak[rule].test == ANY);
}
