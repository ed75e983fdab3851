// SPDX-License-Identifier: Apache-2.0
/* What is ours: processes, and names of files. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard/internal.h"

/* Where the sensor reads what it tells of processes and itself. */
static const char *const world[] = {"/proc", "/sys", "/sys/fs/cgroup", "/sys/kernel/debug",
				    "/sys/kernel/tracing"};

static const char *const control_files[] = {
	"cgroup.procs", "cgroup.threads", "cgroup.freeze", "cgroup.kill", "cgroup.subtree_control",
	"cpu.max",	"cpuset.cpus",	  "memory.max",	   "memory.high", "pids.max",
};

void guard_process(struct guard *guard, uint32_t tgid, const char *name)
{
	struct own_process *p = &guard->processes[guard->nprocesses];

	if (!tgid || guard->nprocesses == PROCESSES_MAX)
		return;
	*p = (struct own_process){.tgid = tgid, .trusted = true};
	snprintf(p->name, sizeof(p->name), "%s", name);
	guard->nprocesses++;
}

bool process_is(const struct own_process *process, const Hinomi__ProcessKey *key)
{
	uint64_t tick_ns = NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);

	return process->tgid == key->pid &&
	       (!process->ticks || !key->start_ns || process->ticks == key->start_ns / tick_ns);
}

const struct own_process *own_process(const struct guard *guard, const Hinomi__ProcessKey *key)
{
	for (unsigned i = 0; key && i < guard->nprocesses; i++)
		if (process_is(&guard->processes[i], key))
			return &guard->processes[i];
	for (unsigned i = 0; key && i < guard->nforwarders; i++)
		if (process_is(&guard->forwarders[i], key))
			return &guard->forwarders[i];
	return NULL;
}

bool own_is_trusted(const struct guard *guard, const Hinomi__ProcessKey *key)
{
	const struct own_process *own = own_process(guard, key);

	return own && own->trusted;
}

void own_add_path(struct guard *guard, what_t what, bool not_manager, const char *format, ...)
{
	struct own_path *path = &guard->paths[guard->npaths];
	va_list args;
	int n;

	if (guard->npaths == PATHS_MAX)
		return;
	va_start(args, format);
	n = vsnprintf(path->text, sizeof(path->text), format, args);
	va_end(args);
	path->what = what;
	path->not_manager = not_manager;
	guard->npaths += n > 0 && n < (int)sizeof(path->text);
}

/* Paths are seen from the root of a mount namespace: only those of the first process's and ours
 * mean what they mean here. */
static bool is_our_view(const struct guard *guard, const Hinomi__Process *process)
{
	uint32_t ns = process && process->namespaces ? process->namespaces->mnt : 0;

	return !ns || ns == guard->mount_ns[0] || ns == guard->mount_ns[1];
}

static bool is_below(const ProtobufCBinaryData *path, const char *text)
{
	size_t n = strlen(text);

	if (text[n - 1] != '/')
		return path->len >= n && !memcmp(path->data, text, n);
	return (path->len >= n && !memcmp(path->data, text, n)) ||
	       (path->len == n - 1 && !memcmp(path->data, text, n - 1));
}

static bool is_manager(const Hinomi__Process *process)
{
	return process && process->key && process->key->pid == 1;
}

what_t own_place(const struct guard *guard, const ProtobufCBinaryData *path,
		 const Hinomi__Process *process)
{
	bool manager = is_manager(process);

	if (!path->len || !is_our_view(guard, process))
		return 0;
	for (unsigned i = 0; i < guard->npaths; i++)
		if (is_below(path, guard->paths[i].text) &&
		    !(manager && guard->paths[i].not_manager))
			return guard->paths[i].what;
	return 0;
}

what_t own_file(const struct guard *guard, const Hinomi__File *file, const Hinomi__Process *process)
{
	what_t what = file ? place_find(guard, file, is_manager(process)) : 0;

	return what || !file ? what : own_place(guard, &file->path, process);
}

static bool is_above(const ProtobufCBinaryData *path, const char *text)
{
	return path->len < strlen(text) && !memcmp(path->data, text, path->len) &&
	       (text[path->len] == '/' || path->len == 1);
}

bool own_mount(const struct guard *guard, const ProtobufCBinaryData *path,
	       const Hinomi__Process *process)
{
	if (!path->len || !is_our_view(guard, process))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(world); i++)
		if (path->len == strlen(world[i]) && !memcmp(path->data, world[i], path->len))
			return true;
	for (unsigned i = 0; i < guard->npaths; i++)
		if (is_above(path, guard->paths[i].text) || is_below(path, guard->paths[i].text))
			return true;
	return false;
}

static void find_programs(struct guard *guard)
{
	static const char *const names[] = {"hinomi-sensor", "hinomi-collect", "hinomi-forward"};
	char path[PATH_SIZE];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	char *slash;

	if (n <= 0)
		return;
	path[n] = 0;
	place_add(guard, TAMPER(FILE), path);
	slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(names); i++) {
		snprintf(slash + 1, sizeof(path) - (size_t)(slash + 1 - path), "%s", names[i]);
		own_add_path(guard, TAMPER(FILE), false, "%s", path);
	}
	snprintf(guard->forwarder, sizeof(guard->forwarder), "%s", path); /* the last of them */
}

static void find_cgroup(struct guard *guard)
{
	char name[PATH_SIZE], dir[PATH_SIZE], path[2 * PATH_SIZE], *slash;
	int root;

	if (cgroup_find(name, dir) || !name[1]) /* in the root of the tree nothing can be set */
		return;
	own_add_path(guard, TAMPER(CGROUP), false, "%s/", dir);
	root = (int)strlen(dir) - (int)strlen(name);
	if (root > 0)
		snprintf(guard->cgroup_root, sizeof(guard->cgroup_root), "%.*s", root, dir);
	/* above it, the same files hold for all that is below */
	for (size_t depth = strlen(name); depth > 1; depth--) {
		if (dir[strlen(dir) - 1] == '/')
			break;
		for (size_t i = 0; i < ARRAY_SIZE(control_files); i++) {
			snprintf(path, sizeof(path), "%s/%s", dir, control_files[i]);
			place_add(guard, TAMPER(CGROUP), path);
		}
		slash = strrchr(name, '/');
		if (!slash || slash == name || strlen(dir) < strlen(slash))
			break;
		dir[strlen(dir) - strlen(slash)] = 0;
		*slash = 0;
	}
}

void own_init(struct guard *guard, const char *spool)
{
	CLEANUP(free) char *resolved = realpath(spool, NULL);
	struct stat st;

	if (!stat("/proc/1/ns/mnt", &st))
		guard->mount_ns[0] = st.st_ino;
	if (!stat("/proc/self/ns/mnt", &st))
		guard->mount_ns[1] = st.st_ino;
	for (const char *const *dir =
		     (const char *const[]){"/etc/hinomi/", "/usr/lib/hinomi/", "/run/hinomi/",
					   "/etc/systemd/system/hinomi-",
					   "/run/systemd/system/hinomi-",
					   "/usr/lib/systemd/system/hinomi-", NULL};
	     *dir; dir++)
		own_add_path(guard, TAMPER(FILE), false, "%s", *dir);
	find_programs(guard);
	find_cgroup(guard);
	forwarder_init(guard);
	own_add_path(guard, TAMPER(FILE), false, "%s/", resolved ?: spool); /* has most files */
	place_scan(guard);
}
