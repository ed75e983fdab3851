/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spool/directory.h"

int spool_watch_open(const char *dir)
{
	CLEANUP(close_fd) int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[4096];

	if (fd < 0)
		return -errno;
	for (int i = 0; i < LANES; i++) {
		int n = snprintf(path, sizeof(path), "%s/%s/durable", dir, lane_name((enum lane)i));

		if (n < 0 || (size_t)n >= sizeof(path))
			return -ENAMETOOLONG;
		/* not the directory: that would say every append */
		if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
			return -errno;
	}
	return TAKE_FD(fd);
}

void spool_watch_clear(int watch)
{
	char events[4096] __attribute__((aligned(8)));

	while (read(watch, events, sizeof(events)) > 0)
		;
}
