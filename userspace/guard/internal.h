/* SPDX-License-Identifier: Apache-2.0 */
/* Private to guard/: what its files share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "guard/guard.h"

#define PROCESSES_MAX  16
#define INODES_MAX     1024
#define FIXED_MAX      128
#define DIRS_MAX       64
#define PATHS_MAX      16
#define PATH_SIZE      512
#define WATCHED_MAX    64
#define VALUE_SIZE     160
#define WHATS	       16
#define PER_MINUTE_MAX 16

typedef Hinomi__SensorTamper__What what_t;

struct own_process {
	uint32_t tgid;
	uint64_t
		ticks; /* when it began, in ticks since the boot; 0: of the sensor, not asked for */
	char name[16];
	bool trusted; /* of the sensor itself: what it does is no attempt */
	bool moved;   /* into another cgroup, which was told */
};

struct own_inode {
	uint64_t device, inode;
	uint32_t generation; /* 0: not known */
	what_t what;
	bool not_manager; /* as own_path */
};

struct own_dir {
	uint64_t device, inode; /* 0: not there */
	uint64_t changed_ns;
	const char *prefix; /* names in it that begin so are ours */
	unsigned path;	    /* that it belongs to */
	char name[PATH_SIZE];
};

struct places {
	struct own_inode fixed[FIXED_MAX]; /* never looked for again */
	unsigned nfixed;
	struct own_inode inodes[INODES_MAX]; /* by inode; the fixed ones among them */
	unsigned ninodes;
	struct own_dir dirs[DIRS_MAX];
	unsigned ndirs;
	uint64_t mount, mount_device; /* looked up last */
};

struct own_path {
	char text[PATH_SIZE]; /* with / at the end: everything below */
	what_t what;
	bool not_manager; /* what the service manager does there is its work */
};

struct watched {
	char name[PATH_SIZE];
	what_t what;
	int fd; /* its content is compared; -1: which file it is */
	char value[VALUE_SIZE];
};

/* Counted apart, so that none hides another: what somebody did or tried in vain, as events tell,
 * and what came of it. */
enum way { DONE, FAILED, FOUND, WAYS };

struct told {
	uint64_t since_ns;
	unsigned n;
	uint64_t more;
};

struct guard {
	guard_tell_fn *tell;
	void *ctx;
	struct own_process processes[PROCESSES_MAX];
	unsigned nprocesses;
	struct own_process forwarders[GUARD_FORWARDERS];
	unsigned nforwarders;
	char forwarder[PATH_SIZE];   /* its program */
	char cgroup_root[PATH_SIZE]; /* where the tree of cgroups is mounted; empty: nowhere */
	struct places places;
	struct own_path paths[PATHS_MAX];
	unsigned npaths;
	uint64_t mount_ns[2]; /* paths are as seen from these: the first process's, ours */
	struct watched watched[WATCHED_MAX];
	unsigned nwatched;
	char cgroup[PATH_SIZE]; /* of ours, as the kernel names it */
	struct told told[WAYS][WHATS];
	/* pause.c */
	uint64_t turn_ns, waited_ns, ready_ns;
	uint32_t continued_by;
	int64_t real_offset_ns;
};

#define DEVICE(major, minor) ((uint64_t)(major) << 32 | (minor))
#define TAMPER(kind)	     HINOMI__SENSOR_TAMPER__WHAT__WHAT_##kind

/* own.c */
void own_init(struct guard *guard, const char *spool);
const struct own_process *own_process(const struct guard *guard, const Hinomi__ProcessKey *key);
bool own_is_trusted(const struct guard *guard, const Hinomi__ProcessKey *key);
/* What of ours the file is; 0: nothing. */
what_t own_file(const struct guard *guard, const Hinomi__File *file,
		const Hinomi__Process *process);
what_t own_place(const struct guard *guard, const ProtobufCBinaryData *path,
		 const Hinomi__Process *process);
/* Is path one of ours, above one of ours, or where the sensor reads about the world? */
bool own_mount(const struct guard *guard, const ProtobufCBinaryData *path,
	       const Hinomi__Process *process);
void own_add_path(struct guard *guard, what_t what, bool not_manager, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool process_is(const struct own_process *process, const Hinomi__ProcessKey *key);
/* forwarder.c */
void forwarder_init(struct guard *guard);
void forwarder_see(struct guard *guard, const struct event *event); /* exec and exit */
void forwarder_look(struct guard *guard);
/* place.c */
void place_add(struct guard *guard, what_t what, const char *path);
void place_scan(struct guard *guard); /* all of guard->paths */
void place_look(struct guard *guard); /* again, if a directory has changed */
/* What of ours the file is, by what the kernel says that it is; 0: nothing. */
what_t place_find(const struct guard *guard, const Hinomi__File *file, bool manager);
/* watch.c */
void watch_init(struct guard *guard, const char *spool);
void watch_done(struct guard *guard);
void watch_look(struct guard *guard);
void watch_changed(struct guard *guard, what_t what, const char *name, char *was, char *is);
/* cgroup.c: our directory in the mounted tree, -errno where there is none; name as the kernel's */
int cgroup_find(char name[PATH_SIZE], char dir[PATH_SIZE]);
int cgroup_name(const char *file, char name[PATH_SIZE]); /* out of /proc/PID/cgroup */
/* pause.c */
void pause_init(struct guard *guard);
void pause_clock(struct guard *guard);
