// SPDX-License-Identifier: Apache-2.0
/* The machine as a whole: keys, settings, names, clock, log.  What would change it is asked for
 * wrongly. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <linux/keyctl.h>
#include <linux/kexec.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "e2e.h"

#define NAME	      "hinomi-e2e"
#define CONSOLE_LEVEL 8 /* of syslog(2) */
#define PERMISSIONS   0x3f3f0000

static void act_keys(struct facts *facts)
{
	int ring = KEY_SPEC_PROCESS_KEYRING;
	long key = syscall(SYS_add_key, "user", NAME, "x", 1, ring);
	char byte;

	if (key < 0)
		act_skip(facts, "add_key: %s", strerror(errno));
	facts->number[0] = (uint64_t)key;
	must(syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, NULL, 0)); /* not told */
	must(syscall(SYS_keyctl, KEYCTL_READ, key, &byte, 1));
	must(syscall(SYS_keyctl, KEYCTL_SETPERM, key, PERMISSIONS));
	must(syscall(SYS_keyctl, KEYCTL_UNLINK, key, ring));
	act_tried(facts, 0, syscall(SYS_request_key, "user", NAME ".none", NULL, 0));
}

static const Hinomi__Keyring *keyctl_of(struct check *check, unsigned operation)
{
	const struct seen *seen = take(check, KIND_keyring);

	if (!seen)
		return NULL;
	want_result(check, 0, seen);
	want_number(check, "keyring.call", HINOMI__KEYRING__CALL__CALL_KEYCTL,
		    seen->event->keyring->call);
	want_number(check, "keyring.operation", operation, seen->event->keyring->operation);
	want_number(check, "keyring.key", check->facts->number[0],
		    (uint32_t)seen->event->keyring->key);
	return seen->event->keyring;
}

static void check_keys(struct check *check)
{
	const struct seen *seen = take(check, KIND_keyring);
	const Hinomi__Keyring *key;

	if (!seen)
		return;
	key = seen->event->keyring;
	want_result(check, 0, seen);
	want_number(check, "keyring.call", HINOMI__KEYRING__CALL__CALL_ADD, key->call);
	want_text(check, "keyring.type", "user", &key->type);
	want_text(check, "keyring.description", NAME, &key->description);
	want_number(check, "keyring.key", check->facts->number[0], (uint32_t)key->key);
	want_number(check, "keyring.keyring", (uint32_t)KEY_SPEC_PROCESS_KEYRING,
		    (uint32_t)key->keyring);
	keyctl_of(check, KEYCTL_READ);
	key = keyctl_of(check, KEYCTL_SETPERM);
	if (key)
		want_number(check, "keyring.permissions", PERMISSIONS, key->permissions);
	key = keyctl_of(check, KEYCTL_UNLINK);
	if (key)
		want_number(check, "keyring.keyring", (uint32_t)KEY_SPEC_PROCESS_KEYRING,
			    (uint32_t)key->keyring);
	seen = take(check, KIND_keyring);
	if (!seen)
		return;
	want_result(check, check->facts->error[0], seen);
	want_number(check, "keyring.call", HINOMI__KEYRING__CALL__CALL_REQUEST,
		    seen->event->keyring->call);
	want_text(check, "keyring.description", NAME ".none", &seen->event->keyring->description);
}

/* Of a network namespace of its own. */
static void act_sysctl(struct facts *facts)
{
	char longer[300];
	struct iovec pieces[] = {{"0", 0}, {"1\n", 2}};
	int fd;

	if (unshare(CLONE_NEWNET))
		act_skip(facts, "unshare: %s", strerror(errno));
	fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		act_skip(facts, "/proc/sys cannot be written: %s", strerror(errno));
	must(write(fd, "1\n", 2));
	must(pwrite(fd, "0\n", 2, 0));
	must(lseek(fd, 0, SEEK_SET));
	must(writev(fd, pieces, 2)); /* a first piece without a byte says nothing */
	memset(longer, 'x', sizeof(longer));
	act_tried(facts, 0, write(fd, longer, sizeof(longer)));
	close(fd);
}

static void check_sysctl(struct check *check)
{
	static const char *const values[] = {"1\n", "0\n", "1\n"};
	const struct seen *seen;
	/* tier 2 does not see writev */
	int n = tier_of(check, KIND_sysctl) == 1 ? 3 : 2;

	take(check, KIND_file_open);
	for (int i = 0; i < n; i++) {
		seen = take(check, KIND_sysctl);
		if (!seen)
			return;
		want_result(check, 0, seen);
		want_text(check, "sysctl.name", "net.ipv4.ip_forward", &seen->event->sysctl->name);
		want_text(check, "sysctl.value", values[i], &seen->event->sysctl->value);
		want_bytes(check, "sysctl.setting", values[i], 1, &seen->event->sysctl->setting);
		want_number(check, "sysctl.weakens", i != 1, seen->event->sysctl->weakens);
	}
	seen = take(check, KIND_sysctl);
	if (!seen)
		return;
	want_result(check, check->facts->error[0], seen);
	want_number(check, "sysctl.value (bytes)", 256, seen->event->sysctl->value.len);
	want_number(check, "sysctl.value_truncated", 1, seen->event->sysctl->value_truncated);
}

static const Hinomi__System *took(struct check *check, unsigned action, int error)
{
	const struct seen *seen = take(check, KIND_system);

	if (!seen)
		return NULL;
	want_number(check, "system.action", action, seen->event->system->action);
	want_result(check, error, seen);
	return seen->event->system;
}

static void act_names(struct facts *facts)
{
	if (unshare(CLONE_NEWUTS))
		act_skip(facts, "unshare: %s", strerror(errno));
	must(sethostname(NAME, strlen(NAME)));
	must(setdomainname("example", 7));
	act_tried(facts, 0, syscall(SYS_sethostname, "refused", 100));
}

static void check_names(struct check *check)
{
	const Hinomi__System *system = took(check, HINOMI__SYSTEM__ACTION__ACTION_HOST_NAME, 0);

	if (system)
		want_text(check, "system.text", NAME, &system->text);
	system = took(check, HINOMI__SYSTEM__ACTION__ACTION_DOMAIN_NAME, 0);
	if (system)
		want_text(check, "system.text", "example", &system->text);
	took(check, HINOMI__SYSTEM__ACTION__ACTION_HOST_NAME, check->facts->error[0]);
}

static void act_clock(struct facts *facts)
{
	struct timespec no_time = {.tv_sec = 5, .tv_nsec = 2000000000};
	struct timex no_step = {.modes = ADJ_SETOFFSET, .time.tv_sec = 3, .time.tv_usec = -1};

#ifdef SYS_clock_settime64 /* 32-bit, where the old calls take other structures */
	act_tried(facts, 0, syscall(SYS_clock_settime64, CLOCK_REALTIME, &no_time));
	act_tried(facts, 1, syscall(SYS_clock_adjtime64, CLOCK_REALTIME, &no_step));
#else
	act_tried(facts, 0, syscall(SYS_clock_settime, CLOCK_REALTIME, &no_time));
	act_tried(facts, 1, syscall(SYS_adjtimex, &no_step));
#endif
	act_tried(facts, 2, klogctl(CONSOLE_LEVEL, NULL, 99));
}

static void check_clock(struct check *check)
{
	const Hinomi__System *system =
		took(check, HINOMI__SYSTEM__ACTION__ACTION_CLOCK_SET, check->facts->error[0]);

	if (system)
		want_number(check, "system.number", 7000000000, (uint64_t)system->number);
	system = took(check, HINOMI__SYSTEM__ACTION__ACTION_CLOCK_STEP, check->facts->error[1]);
	if (system)
		want_number(check, "system.number", 2999999000, (uint64_t)system->number);
	system = took(check, HINOMI__SYSTEM__ACTION__ACTION_LOG, check->facts->error[2]);
	if (system)
		want_number(check, "system.number", CONSOLE_LEVEL, (uint64_t)system->number);
}

static void act_swap(struct facts *facts)
{
	act_path(facts, 0, "nowhere");
	act_tried(facts, 0, swapon("nowhere", SWAP_FLAG_DISCARD));
	act_tried(facts, 1, swapoff("nowhere"));
	act_tried(facts, 2, syscall(SYS_reboot, 0, 0, 0x1234, NULL));
}

static void check_swap(struct check *check)
{
	const Hinomi__System *system =
		took(check, HINOMI__SYSTEM__ACTION__ACTION_SWAP_ON, check->facts->error[0]);
	const struct seen *seen;

	while (there_is(check, KIND_file_open)) /* the kernel's own, of the name; tier 1 */
		take(check, KIND_file_open);

	if (system) {
		want_asked(check, check->facts->path[0], system->file);
		want_number(check, "system.flags", SWAP_FLAG_DISCARD, system->flags);
	}
	system = took(check, HINOMI__SYSTEM__ACTION__ACTION_SWAP_OFF, check->facts->error[1]);
	if (system)
		want_asked(check, check->facts->path[0], system->file);
	seen = take(check, KIND_system);
	if (!seen)
		return;
	want_number(check, "system.number", 0x1234, (uint64_t)seen->event->system->number);
}

static void act_devices(struct facts *facts)
{
	act_path(facts, 0, "nowhere");
	act_tried(facts, 0, acct("nowhere"));
	act_tried(facts, 1, syscall(SYS_fanotify_init, FAN_CLASS_CONTENT | ~FAN_ALL_INIT_FLAGS, 0));
	act_tried(facts, 2, syscall(SYS_fanotify_init, FAN_CLASS_NOTIF, ~0)); /* not told */
#ifdef SYS_iopl
	act_tried(facts, 3, syscall(SYS_ioperm, 0x80, 2, 1));
	act_tried(facts, 4, syscall(SYS_ioperm, 0x80, 2, 0));
	act_tried(facts, 5, syscall(SYS_iopl, 3));
#endif
}

#ifdef SYS_iopl
static void want_ports(struct check *check, int n, uint64_t first, uint64_t number)
{
	const Hinomi__System *system =
		took(check, HINOMI__SYSTEM__ACTION__ACTION_IO_PORTS, check->facts->error[n]);

	if (!system)
		return;
	want_number(check, "system.number", first, (uint64_t)system->number);
	want_number(check, "system.flags", number, system->flags);
}
#endif

static void check_devices(struct check *check)
{
	const Hinomi__System *system =
		took(check, HINOMI__SYSTEM__ACTION__ACTION_ACCOUNTING, check->facts->error[0]);

	while (there_is(check, KIND_file_open)) /* the kernel's own, of the name; tier 1 */
		take(check, KIND_file_open);
	if (system)
		want_asked(check, check->facts->path[0], system->file);
	system = took(check, HINOMI__SYSTEM__ACTION__ACTION_FILE_EVENTS, check->facts->error[1]);
	if (system)
		want_number(check, "system.flags",
			    (uint32_t)(FAN_CLASS_CONTENT | ~FAN_ALL_INIT_FLAGS), system->flags);
#ifdef SYS_iopl
	want_ports(check, 3, 0x80, 2);
	want_ports(check, 4, 0x80, 0);
	want_ports(check, 5, 0, 65536);
#endif
}

/* A terminal of its own, into which it types. */
static void act_typing(struct facts *facts)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0, fd;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock))
		act_skip(facts, "/dev/ptmx: %s", strerror(errno));
	fd = must(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	must(fstat(fd, &facts->stat[0]));
	act_tried(facts, 0, ioctl(fd, TIOCSTI, "x"));
	must(ioctl(fd, TCGETS, &(struct termios){0})); /* not told */
	close(fd);
	close(master);
}

static void check_typing(struct check *check)
{
	const Hinomi__System *system;

	while (there_is(check, KIND_file_open))
		take(check, KIND_file_open);
	if (tier_of(check, KIND_system) != 1 && !there_is(check, KIND_system)) /* an extra hook */
		return;
	system = took(check, HINOMI__SYSTEM__ACTION__ACTION_TERMINAL_INPUT, check->facts->error[0]);
	if (system)
		want_number(check, "system.file.inode", check->facts->stat[0].st_ino,
			    system->file->inode);
}

static void prepare_kernel(struct facts *facts)
{
	program_copy(facts, 0, "kernel", 0644);
}

static long kexec_file(int fd, const char *line, size_t size)
{
#ifdef SYS_kexec_file_load
	return syscall(SYS_kexec_file_load, fd, -1, size, line, KEXEC_FILE_NO_INITRAMFS);
#else /* 32-bit x86 has none */
	(void)fd, (void)line, (void)size;
	errno = ENOSYS;
	return -1;
#endif
}

static void act_kexec(struct facts *facts)
{
	int fd = must(open(facts->path[0], O_RDONLY | O_CLOEXEC));
	char line[] = "quiet"; /* in memory that is there: the kernel does not come to read it */

	must(fstat(fd, &facts->stat[0]));
	if (!act_tried(facts, 0, syscall(SYS_kexec_load, 0, 77, NULL, 0)) ||
	    facts->error[0] == ENOSYS)
		act_skip(facts, "no kexec");
	sleep(3); /* as in exec/hashed */
	for (int i = 0; i < 2; i++) {
		act_tried(facts, 1, kexec_file(fd, line, sizeof(line)));
		usleep(1000000);
	}
	if (facts->error[1] == ENOSYS)
		act_skip(facts, "no kexec from files");
	close(fd);
}

static void check_kexec(struct check *check)
{
	const Hinomi__System *system =
		took(check, HINOMI__SYSTEM__ACTION__ACTION_KEXEC_LOAD, check->facts->error[0]);

	if (system)
		want_number(check, "system.number", 77, (uint64_t)system->number);
	for (int i = 0; i < 2; i++) {
		system = took(check, HINOMI__SYSTEM__ACTION__ACTION_KEXEC_FILE,
			      check->facts->error[1]);
		if (!system)
			return;
		want_file(check, check->facts->path[0], &check->facts->stat[0], system->file);
		want_text(check, "system.text", "quiet", &system->text);
		want_number(check, "system.flags", KEXEC_FILE_NO_INITRAMFS, system->flags);
	}
	want_number(check, "system.sha256 (bytes)", 32, system->sha256.len);
}

static void act_memory(struct facts *facts)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		act_skip(facts, "/dev/mem: %s", strerror(errno));
	must(fstat(fd, &facts->stat[0]));
	close(fd);
	close(must(open("/dev/null", O_RDONLY | O_CLOEXEC))); /* the same driver, not told */
}

static void check_memory(struct check *check)
{
	const Hinomi__System *system = took(check, HINOMI__SYSTEM__ACTION__ACTION_MEMORY, 0);

	if (system)
		want_file(check, "/dev/mem", &check->facts->stat[0], system->file);
}

/* ---- cgroups */

static void act_cgroup(struct facts *facts)
{
	snprintf(facts->path[0], sizeof(facts->path[0]), "%s/made", facts->cgroup);
	must(mkdir(facts->path[0], 0755));
	must(stat(facts->path[0], &facts->stat[0]));
	must(rmdir(facts->path[0]));
}

static void check_cgroup(struct check *check)
{
	const struct seen *seen = take(check, KIND_cgroup_make);
	char path[PATH_MAX];

	take(check, KIND_file_unlink);
	if (!seen)
		return;
	snprintf(path, sizeof(path), "%s/made", check->cgroup_path);
	want_text(check, "cgroup_make.path", path, &seen->event->cgroup_make->path);
	want_number(check, "cgroup_make.id", check->facts->stat[0].st_ino,
		    seen->event->cgroup_make->id);
}

const struct test system_tests[] = {
	{"cgroup_make/made", NULL, act_cgroup, check_cgroup},
	{"keyring/user", NULL, act_keys, check_keys},
	{"sysctl/forward", NULL, act_sysctl, check_sysctl},
	{"system/names", NULL, act_names, check_names},
	{"system/clock", NULL, act_clock, check_clock},
	{"system/devices", NULL, act_devices, check_devices},
	{"system/typing", NULL, act_typing, check_typing},
	{"system/swap", NULL, act_swap, check_swap},
	{"system/kexec", prepare_kernel, act_kexec, check_kexec},
	{"system/memory", NULL, act_memory, check_memory},
	{},
};
