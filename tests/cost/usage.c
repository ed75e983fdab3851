// SPDX-License-Identifier: Apache-2.0
/* What the processes of a cgroup have used. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cost.h"

#define FILE_BYTES 65536

/* The whole of a small file of the kernel; false when it cannot be read. */
static bool read_file(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_BYTES - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return n >= 0;
}

static uint64_t number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

bool cgroup_make(const char *dir)
{
	if (mkdir(dir, 0755) && errno != EEXIST) {
		perror(dir);
		return false;
	}
	return true;
}

bool cgroup_enter(const char *dir)
{
	char path[PATH_MAX];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, "0", 1) == 1;
	if (!done)
		perror(path);
	if (fd >= 0)
		close(fd);
	return done;
}

static void add_thread(const char *pid, const char *thread, struct usage *usage)
{
	static char text[FILE_BYTES];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/task/%s/status", pid, thread);
	if (read_file(path, text))
		usage->wakeups += number_after(text, "\nvoluntary_ctxt_switches:");
}

static void add_process(const char *pid, struct usage *usage)
{
	static char text[FILE_BYTES];
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	if (read_file(path, text))
		usage->kib += number_after(text, "\nPss:");
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_thread(pid, entry->d_name, usage);
	if (dir)
		closedir(dir);
}

/* A kernel thread stands in the root's cgroup whatever it works for. */
static uint64_t kthread_ns(const char *name)
{
	static char text[FILE_BYTES];
	struct dirent *entry;
	uint64_t sum = 0;
	char path[PATH_MAX];
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (!read_file(path, text))
			continue;
		text[strcspn(text, "\n")] = 0;
		snprintf(path, sizeof(path), "/proc/%s/schedstat", entry->d_name);
		if (!strcmp(text, name) && read_file(path, text))
			sum += strtoull(text, NULL, 10);
	}
	if (dir)
		closedir(dir);
	return sum;
}

bool usage_read(const char *cgroup, const char *kthread, struct usage *ret)
{
	static char text[FILE_BYTES];
	char path[PATH_MAX], *pid, *save;

	*ret = (struct usage){0};
	snprintf(path, sizeof(path), "%s/cpu.stat", cgroup);
	if (!read_file(path, text))
		return false;
	ret->cpu_ns =
		number_after(text, "usage_usec ") * 1000 + (kthread ? kthread_ns(kthread) : 0);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	if (!read_file(path, text))
		return false;
	for (pid = strtok_r(text, "\n", &save); pid; pid = strtok_r(NULL, "\n", &save))
		add_process(pid, ret);
	return true;
}
