/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost: runs workloads, with or without a sensor beside them, and says what each
 * run took: the workload's own CPU and that of the sensor until it had caught up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NS 1000000000ULL

struct ground {
	const char *dir;     /* where files are made; borrowed */
	const char *command; /* of the workload "command"; borrowed, may be NULL */
	unsigned files;	     /* how many there are in dir */
};

struct workload {
	const char *name;
	unsigned n;	       /* iterations of a run, before --scale */
	bool fixed;	       /* n is not scaled */
	bool (*prepare)(void); /* in the process that acts; may be NULL */
	bool (*act)(const struct ground *ground, unsigned i);
};

extern const struct workload workloads[];
extern const unsigned workload_count;
const struct workload *workload_named(const char *name);
/* Makes the files that the workloads open, for so many iterations. */
bool ground_prepare(struct ground *ground, unsigned iterations);
void ground_clear(const struct ground *ground);

/* What a cgroup's processes have used so far. */
struct usage {
	uint64_t cpu_ns;
	uint64_t wakeups; /* voluntary context switches of those that live */
	uint64_t kib;	  /* in memory now; pages that are mapped more than once count once */
};

bool cgroup_make(const char *dir);
bool cgroup_enter(const char *dir);
/* kthread: name of a kernel thread whose CPU is counted with it; may be NULL. */
bool usage_read(const char *cgroup, const char *kthread, struct usage *ret);

struct subject {
	char *const *arguments; /* NULL: there is none */
	const char *cgroup, *kthread;
	unsigned settle_ms; /* 0: it says READY=1 to $NOTIFY_SOCKET */
	pid_t pid;
};

bool subject_start(struct subject *subject);
bool subject_alive(const struct subject *subject);
/* Waits until it uses next to no CPU for so many fifths of a second; how long that took. */
uint64_t subject_calm(const struct subject *subject, unsigned times);
int subject_stop(struct subject *subject);

struct outcome {
	uint64_t wall_ns, own_ns;
};

/* One run in a process of its own: warms up, waits until the subject is calm, begins. */
bool run_workload(const struct workload *workload, const struct ground *ground, unsigned n,
		  const char *cgroup, void (*begin)(void *ctx), void *ctx, struct outcome *ret);
