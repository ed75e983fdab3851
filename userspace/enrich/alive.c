/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define STAT_MAX    1024
#define START_FIELD 22 /* of proc_pid_stat(5) */

/* Fields are counted from behind the name, which may hold anything. */
static const char *field_of(const char *stat, int field)
{
	const char *at = strrchr(stat, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : NULL;
}

bool process_is_alive(uint32_t pid, uint64_t start_ns)
{
	uint64_t tick_ns = NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	char path[32], stat[STAT_MAX];
	const char *start;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);

	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT;
	n = read(fd, stat, sizeof(stat) - 1);
	if (n <= 0)
		return n < 0 && errno != ESRCH;
	stat[n] = 0;
	start = field_of(stat, START_FIELD);
	return !start || strtoull(start, NULL, 10) == start_ns / tick_ns;
}
