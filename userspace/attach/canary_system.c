// SPDX-License-Identifier: Apache-2.0
/*
 * The canary's part for the kernel itself.  Everything is asked for in a way that
 * the kernel refuses whatever rights the sensor has, but for a ring that is closed
 * at once.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/klog.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "attach/internal.h"

#define NR_IO_URING_SETUP 425 /* the same everywhere */
#define CONSOLE_LEVEL	  8   /* of syslog(2) */

static void tried(long result)
{
	(void)result;
}

static void touch_program(void)
{
	union bpf_attr none = {.prog_type = UINT32_MAX};

	tried(syscall(SYS_bpf, BPF_PROG_LOAD, &none, sizeof(none)));
}

static void touch_probe(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(event), .config = UINT64_MAX};

	tried(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

static void touch_ring(void)
{
	char params[120] = ""; /* struct io_uring_params */
	int fd = (int)syscall(NR_IO_URING_SETUP, 1, params);

	if (fd >= 0)
		close(fd);
}

static void touch_modules(void)
{
	tried(syscall(SYS_init_module, NULL, 0, ""));
	tried(syscall(SYS_finit_module, -1, "", 0));
	tried(syscall(SYS_delete_module, "", O_NONBLOCK));
}

static void touch_keys(void)
{
	tried(syscall(SYS_add_key, "", "", NULL, 0, 0));
	tried(syscall(SYS_request_key, "", "", NULL, 0));
	tried(syscall(SYS_keyctl, KEYCTL_REVOKE, 0));
}

static void touch_machine(void)
{
	struct timespec no_time = {.tv_nsec = -1};
	struct timex no_step = {.modes = ADJ_SETOFFSET, .time.tv_usec = -1};

	tried(syscall(SYS_kexec_load, 0, ~0ul, NULL, 0));
	tried(syscall(SYS_kexec_file_load, -1, -1, 0, "", ~0ul));
	tried(syscall(SYS_sethostname, "", -1));
	tried(syscall(SYS_setdomainname, "", -1));
	tried(swapon("", ~0));
	tried(swapoff(""));
	tried(syscall(SYS_reboot, 0, 0, 0, NULL));
	tried(syscall(SYS_clock_settime, CLOCK_REALTIME, &no_time));
	tried(syscall(SYS_adjtimex, &no_step));
	tried(klogctl(CONSOLE_LEVEL, NULL, 0));
	tried(acct(""));
	tried(syscall(SYS_fanotify_init, ~0u, 0));
#ifdef SYS_iopl
	tried(syscall(SYS_iopl, ~0u));
	tried(syscall(SYS_ioperm, ~0ul, ~0ul, 1));
#endif
}

static void touch_setting(void)
{
	int fd = open("/proc/sys/kernel/randomize_va_space", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	tried(write(fd, "x", 1));
	close(fd);
}

void canary_system(void)
{
	touch_program();
	touch_probe();
	touch_ring();
	touch_modules();
	touch_keys();
	touch_machine();
	touch_setting();
}

void canary_attempt(void)
{
	touch_program();
}
