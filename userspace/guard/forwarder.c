// SPDX-License-Identifier: Apache-2.0
/*
 * Which process is the forwarder: one that runs our program in the place that the service manager
 * gave it.  Anybody may run the program, and root may put anything into that place; so it
 * takes both.  Who was found stays protected until it ends, wherever it is moved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/internal.h"

#define PLACE	     "/system.slice/hinomi-forward.service"
#define NAME	     "hinomi-forward"
#define START_FIELD  22		 /* of proc_pid_stat(5) */
#define FIRST_PID_NS 0xeffffffcu /* PROC_PID_INIT_INO */
#define LOOKED_MAX   64		 /* processes in its cgroup, beyond which nobody looks */

static uint64_t start_ticks(uint32_t pid)
{
	CLEANUP(fclose) FILE *file = NULL;
	char path[32], text[1024];
	const char *at;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[n] = 0;
	at = strrchr(text, ')'); /* the name before it may hold anything */
	for (int i = 2; at && i < START_FIELD; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

/* Our program, or what was that before an upgrade put another one in its place. */
static bool runs_program(const struct guard *guard, uint32_t pid)
{
	char link[32], path[PATH_SIZE], gone[PATH_SIZE + sizeof(" (deleted)")];
	struct stat is, ours;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	if (stat(link, &is))
		return false;
	if (!stat(guard->forwarder, &ours) && is.st_dev == ours.st_dev && is.st_ino == ours.st_ino)
		return true;
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = 0;
	snprintf(gone, sizeof(gone), "%s (deleted)", guard->forwarder);
	return !is.st_nlink && !strcmp(path, gone);
}

static void add(struct guard *guard, uint32_t pid)
{
	struct own_process *p = &guard->forwarders[guard->nforwarders];
	uint64_t ticks = start_ticks(pid);

	for (unsigned i = 0; i < guard->nforwarders; i++)
		if (guard->forwarders[i].tgid == pid && guard->forwarders[i].ticks == ticks)
			return;
	if (!ticks || guard->nforwarders == GUARD_FORWARDERS || !runs_program(guard, pid))
		return;
	*p = (struct own_process){.tgid = pid, .ticks = ticks, .name = NAME};
	guard->nforwarders++;
}

static void take_out(struct guard *guard, unsigned at)
{
	guard->forwarders[at] = guard->forwarders[--guard->nforwarders];
}

void forwarder_see(struct guard *guard, const struct event *event)
{
	const Hinomi__Process *process = event->process;
	size_t n = sizeof(PLACE) - 1;

	if (!process || !process->key)
		return;
	if (event->kind == KIND_exec) {
		if (process->cgroup_path.len == n && !memcmp(process->cgroup_path.data, PLACE, n))
			add(guard, process->key->pid);
		return;
	}
	for (unsigned i = 0; i < guard->nforwarders; i++)
		if (process_is(&guard->forwarders[i], process->key)) {
			take_out(guard, i);
			return;
		}
}

static void check_place(struct guard *guard, struct own_process *p)
{
	char file[32], name[PATH_SIZE], was[] = PLACE;

	snprintf(file, sizeof(file), "/proc/%u/cgroup", p->tgid);
	if (p->moved || cgroup_name(file, name) || !strcmp(name, PLACE))
		return;
	p->moved = true;
	watch_changed(guard, TAMPER(CGROUP), file, was, name);
}

static void check_known(struct guard *guard)
{
	for (unsigned i = 0; i < guard->nforwarders;) {
		struct own_process *p = &guard->forwarders[i];

		if (start_ticks(p->tgid) != p->ticks) {
			take_out(guard, i);
			continue;
		}
		check_place(guard, p);
		i++;
	}
}

void forwarder_look(struct guard *guard)
{
	CLEANUP(fclose) FILE *file = NULL;
	char path[PATH_SIZE + sizeof(PLACE "/cgroup.procs")];
	unsigned pid;

	check_known(guard);
	if (!guard->cgroup_root[0])
		return;
	snprintf(path, sizeof(path), "%s" PLACE "/cgroup.procs", guard->cgroup_root);
	file = fopen(path, "re");
	for (int i = 0; file && i < LOOKED_MAX && fscanf(file, "%u", &pid) == 1; i++)
		add(guard, pid);
}

void forwarder_init(struct guard *guard)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino != FIRST_PID_NS)
		guard->cgroup_root[0] = 0; /* numbers here are not those of events */
	if (guard->cgroup_root[0])
		own_add_path(guard, TAMPER(CGROUP), true, "%s" PLACE "/", guard->cgroup_root);
	forwarder_look(guard);
}

void guard_forwarders(const struct guard *guard, uint32_t ret[GUARD_FORWARDERS])
{
	for (unsigned i = 0; i < GUARD_FORWARDERS; i++)
		ret[i] = i < guard->nforwarders ? guard->forwarders[i].tgid : 0;
}
