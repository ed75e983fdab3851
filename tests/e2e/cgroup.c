// SPDX-License-Identifier: Apache-2.0
/* The cgroup that the suite makes for itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

const char *cgroup_root(void)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/mountinfo", "re");
	static char root[PATH_MAX];
	char line[8192];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %*s %4095s", root) == 1)
			return root;
	return NULL;
}

int cgroup_make(const char *path)
{
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

int cgroup_enter(const char *path, pid_t pid)
{
	CLEANUP(free) char *name = NULL;
	CLEANUP(close_fd) int fd = -1;

	if (asprintf(&name, "%s/cgroup.procs", path) < 0)
		return -ENOMEM;
	fd = open(name, O_WRONLY | O_CLOEXEC);
	return fd < 0 || dprintf(fd, "%d\n", pid) < 0 ? -errno : 0;
}

static void remove_inner(const char *path)
{
	CLEANUP(closedir) DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
}

/* A cgroup can be removed a moment after its last process has been waited for. */
void cgroup_remove(const char *path)
{
	remove_inner(path);
	for (int i = 0; i < 200 && rmdir(path) && errno == EBUSY; i++)
		usleep(10000);
}
