/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"

#define KERNEL "/proc/sys/kernel/"

/* Shown by their names in proc or sysfs. */
static const struct {
	const char *name, *path;
} settings[] = {
	{"lockdown", "/sys/kernel/security/lockdown"},
	{"lsm", "/sys/kernel/security/lsm"},
	{"selinux.enforce", "/sys/fs/selinux/enforce"},
	{"module.sig_enforce", "/sys/module/module/parameters/sig_enforce"},
	{"kernel.tainted", KERNEL "tainted"},
	{"kernel.modules_disabled", KERNEL "modules_disabled"},
	{"kernel.kexec_load_disabled", KERNEL "kexec_load_disabled"},
	{"kernel.unprivileged_bpf_disabled", KERNEL "unprivileged_bpf_disabled"},
	{"kernel.unprivileged_userns_clone", KERNEL "unprivileged_userns_clone"},
	{"kernel.perf_event_paranoid", KERNEL "perf_event_paranoid"},
	{"kernel.io_uring_disabled", KERNEL "io_uring_disabled"},
	{"kernel.kptr_restrict", KERNEL "kptr_restrict"},
	{"kernel.dmesg_restrict", KERNEL "dmesg_restrict"},
	{"kernel.randomize_va_space", KERNEL "randomize_va_space"},
	{"kernel.ftrace_enabled", KERNEL "ftrace_enabled"},
	{"kernel.yama.ptrace_scope", KERNEL "yama/ptrace_scope"},
	{"kernel.core_pattern", KERNEL "core_pattern"},
	{"kernel.modprobe", KERNEL "modprobe"},
};
_Static_assert(ARRAY_SIZE(settings) <= HOST_SETTINGS, "no room for a setting");

/* Its first line; empty where the kernel has no such file. */
static void value_read(const char *path, char value[HOST_VALUE_BYTES])
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? 0 : read(fd, value, HOST_VALUE_BYTES - 1);

	value[n < 0 ? 0 : n] = 0;
	value[strcspn(value, "\n")] = 0;
}

size_t host_changes(struct host *host)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		char value[HOST_VALUE_BYTES];
		Hinomi__HostSetting *item = &host->items[n];

		value_read(settings[i].path, value);
		if (!strcmp(value, host->values[i]))
			continue;
		memcpy(host->values[i], value, sizeof(value));
		*item = (Hinomi__HostSetting)HINOMI__HOST_SETTING__INIT;
		item->name = (char *)settings[i].name;
		item->value.data = (uint8_t *)host->values[i];
		item->value.len = strlen(value);
		host->list[n++] = item;
	}
	return n;
}
