// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel side costs, as the kernel counts it.  Read from the programs'
 * entries in /proc/self/fdinfo: bpf(2) is given up when the sensor is ready.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/internal.h"
#include "base/clock.h"

#define SWITCH "/proc/sys/kernel/bpf_stats_enabled"

/* A small file of proc; empty when it cannot be read. */
static void file_read(const char *path, char *text, size_t size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = 0;
}

/* The number behind "name:" of a line; 0 where there is none. */
static uint64_t number_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

size_t attach_spent(const struct attach *attach, struct spent *ret, size_t max)
{
	struct bpf_program *program;
	char text[1024], path[64];
	size_t n = 0;

	file_read(SWITCH, text, sizeof(text));
	if (!attach->object || text[0] != '1')
		return 0;
	bpf_object__for_each_program(program, attach->object)
	{
		int fd = bpf_program__fd(program);

		if (fd < 0 || n == max)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		file_read(path, text, sizeof(text));
		ret[n] = (struct spent){
			.program = bpf_program__name(program),
			.runs = number_of(text, "\nrun_cnt:"),
			.ns = number_of(text, "\nrun_time_ns:"),
		};
		n += ret[n].runs > 0;
	}
	return n;
}

/* utime, stime, cutime, cstime: the 14th to 17th field, counted behind the name. */
static uint64_t process_ticks(pid_t pid)
{
	unsigned long long ticks[4];
	char text[1024], path[64], *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file_read(path, text, sizeof(text));
	rest = strrchr(text, ')');
	if (!rest ||
	    sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
		   &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 4)
		return 0;
	return ticks[0] + ticks[1] + ticks[2] + ticks[3];
}

uint64_t attach_helpers_ns(const struct attach *attach)
{
	uint64_t ticks = 0;
	long per_second = sysconf(_SC_CLK_TCK);

	for (unsigned i = 0; i < OWN_MAX; i++)
		if (i != OWN_SENSOR && attach->own[i].pid > 0)
			ticks += process_ticks(attach->own[i].pid);
	return per_second > 0 ? ticks * (NS_PER_SEC / (uint64_t)per_second) : 0;
}
