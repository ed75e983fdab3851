// SPDX-License-Identifier: Apache-2.0
/* Values that should stay as they are; who changed them is told by other events, if by any. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guard/internal.h"

#define LEVELS_MAX 6 /* cgroups above ours, and ours */

static const char *const limits[] = {"cgroup.freeze", "cpu.max",     "cpuset.cpus",
				     "memory.max",    "memory.high", "pids.max"};

/* The content of a small file in one line, or which file it is. */
static void value_of(const struct watched *w, char value[VALUE_SIZE])
{
	struct stat st;
	ssize_t n;

	if (w->fd >= 0) {
		n = pread(w->fd, value, VALUE_SIZE - 1, 0);
		if (n < 0)
			n = snprintf(value, VALUE_SIZE, "%s", strerror(errno));
		value[n] = 0;
		value[strcspn(value, "\n")] = 0;
	} else if (stat(w->name, &st)) {
		snprintf(value, VALUE_SIZE, "%s", strerror(errno));
	} else {
		snprintf(value, VALUE_SIZE, "inode %llu on device %u:%u",
			 (unsigned long long)st.st_ino, major(st.st_dev), minor(st.st_dev));
	}
}

static void add(struct guard *guard, what_t what, int fd, const char *format, ...)
{
	struct watched *w = &guard->watched[guard->nwatched];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->name, sizeof(w->name), format, args);
	va_end(args);
	if (n >= (int)sizeof(w->name) || guard->nwatched == WATCHED_MAX - 1) {
		if (fd >= 0)
			close(fd);
		return;
	}
	w->what = what;
	w->fd = fd;
	value_of(w, w->value);
	guard->nwatched++;
}

static void add_content(struct guard *guard, what_t what, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		add(guard, what, fd, "%s", path);
}

static void add_limits(struct guard *guard)
{
	char dir[PATH_SIZE], path[2 * PATH_SIZE];
	size_t top;

	if (cgroup_find(guard->cgroup, dir))
		return;
	top = strlen(dir) - strlen(guard->cgroup);
	for (int level = 0; level < LEVELS_MAX && strlen(dir) > top + 1; level++) {
		for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
			snprintf(path, sizeof(path), "%s/%s", dir, limits[i]);
			add_content(guard, TAMPER(CGROUP), path);
		}
		*strrchr(dir, '/') = 0;
	}
}

static void add_program(struct guard *guard)
{
	char path[PATH_SIZE];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return;
	path[n] = 0;
	add(guard, TAMPER(FILE), -1, "%s", path);
}

void watch_init(struct guard *guard, const char *spool)
{
	static const char *const parts[] = {"", "/keep", "/bulk", "/sensor_id", "/identity.key"};

	add_content(guard, TAMPER(SWITCH), "/proc/sys/kernel/ftrace_enabled");
	add_content(guard, TAMPER(SWITCH), "/sys/kernel/debug/kprobes/enabled");
	add_limits(guard);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		add(guard, TAMPER(FILE), -1, "%s%s", spool, parts[i]);
	add_program(guard);
}

void watch_done(struct guard *guard)
{
	for (unsigned i = 0; i < guard->nwatched; i++)
		if (guard->watched[i].fd >= 0)
			close(guard->watched[i].fd);
}

void watch_changed(struct guard *guard, what_t what, const char *name, char *was, char *is)
{
	Hinomi__SensorTamper tamper = HINOMI__SENSOR_TAMPER__INIT;

	tamper.what = what;
	tamper.object = (ProtobufCBinaryData){strlen(name), (uint8_t *)name};
	tamper.was = was;
	tamper.is = is;
	guard_tell(guard, &tamper, NULL);
}

static void look_at_place(struct guard *guard)
{
	char name[PATH_SIZE], dir[PATH_SIZE];

	if (!guard->cgroup[0] || cgroup_find(name, dir) || !strcmp(name, guard->cgroup))
		return;
	watch_changed(guard, TAMPER(CGROUP), "/proc/self/cgroup", guard->cgroup, name);
	memcpy(guard->cgroup, name, sizeof(guard->cgroup));
}

void watch_look(struct guard *guard)
{
	for (unsigned i = 0; i < guard->nwatched; i++) {
		struct watched *w = &guard->watched[i];
		char value[VALUE_SIZE];

		value_of(w, value);
		if (!strcmp(value, w->value))
			continue;
		watch_changed(guard, w->what, w->name, w->value, value);
		memcpy(w->value, value, sizeof(w->value));
	}
	look_at_place(guard);
}
