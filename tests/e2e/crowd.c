// SPDX-License-Identifier: Apache-2.0
/*
 * More processes than cpus make files, so that programs are preempted where a kernel
 * does that.  Each file is told, counted, or declared, and on tier 1 few are only declared.
 */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"
#include "event/event.h"

#define PROCESSES 8
#define FILES	  500 /* of each */
#define CPUS	  2
#define CROWD	  "one-of-many-"

static bool slowly; /* in a process of act_idle() */

static int make_files(struct facts *facts)
{
	char name[64];

	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(name, sizeof(name), CROWD "%d-%d", getpid(), i);
		fd = must(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
		must(close(fd));
		must(unlink(name));
		if (slowly)
			usleep(1000);
	}
	return 0;
}

static void act_files(struct facts *facts)
{
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++)
		pids[i] = act_fork(facts, make_files);
	for (int i = 0; i < PROCESSES; i++)
		if (act_reap(facts, pids[i]))
			act_fail(facts, "a process of the crowd");
}

/* Until those who make files are done. */
static bool goes_on(const struct facts *facts)
{
	return !*(const volatile uint64_t *)&facts->number[0];
}

/* Gets the cpu when nobody else wants it, and loses it wherever it is then: in a program, too. */
static int idle(struct facts *facts)
{
	const struct sched_param none = {0};

	must(sched_setscheduler(0, SCHED_IDLE, &none));
	while (goes_on(facts)) {
		int fd = must(open("idle", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

		must(close(fd));
	}
	return 0;
}

static int busy(struct facts *facts)
{
	while (goes_on(facts))
		;
	return 0;
}

/* Between one and the next the idle one has its chance. */
static int make_slowly(struct facts *facts)
{
	slowly = true;
	return make_files(facts);
}

static int pin(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

static void act_idle(struct facts *facts)
{
	static int (*const parts[])(struct facts *) = {idle, busy, make_slowly};
	pid_t pids[CPUS][ARRAY_SIZE(parts)];
	int status = 0;

	if (pin(CPUS - 1))
		act_skip(facts, "there are not %d cpus: %s", CPUS, strerror(errno));
	for (int cpu = 0; cpu < CPUS; cpu++) {
		pin(cpu); /* its children stay there */
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			pids[cpu][i] = act_fork(facts, parts[i]);
	}
	for (int cpu = 0; cpu < CPUS; cpu++)
		status |= act_reap(facts, pids[cpu][ARRAY_SIZE(parts) - 1]);
	facts->number[0] = 1;
	for (int cpu = 0; cpu < CPUS; cpu++)
		for (size_t i = 0; i + 1 < ARRAY_SIZE(parts); i++)
			status |= act_reap(facts, pids[cpu][i]);
	if (status)
		act_fail(facts, "a process of the crowd");
}

static bool is_crowd(const Hinomi__File *file)
{
	static const char part[] = "/" CROWD;

	return file && memmem(file->path.data, file->path.len, part, sizeof(part) - 1);
}

/* What summaries say of the class and the crowd, and those of them nobody can be told apart. */
static uint64_t counted(const struct check *check, unsigned kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < check->story->nevents; i++) {
		const struct seen *seen = &check->story->events[i];

		if (seen->kind == KIND_summary &&
		    !strcmp(seen->event->summary->class_, kind_name(kind)) &&
		    is_crowd(seen->event->summary->file))
			sum += seen->event->summary->count;
	}
	return sum;
}

static const Hinomi__File *file_of(const struct seen *seen)
{
	return seen->kind == KIND_file_create ? seen->event->file_create->file
					      : seen->event->file_unlink->file;
}

static bool are_most(uint64_t told, uint64_t made)
{
	return told >= made - made / 20;
}

/* pinned: who made them was on a cpu of its own.  A program has a few instructions before it holds
 * preemption off: one process that is preempted right there hides what its cpu does for as long as
 * it waits, so one of the cpus may have lost more. */
static void want_all(struct check *check, unsigned kind, uint64_t made, bool pinned)
{
	uint64_t told = counted(check, kind), declared = story_told(check->story, kind, -1);
	uint64_t on[CPUS] = {0};
	bool most;

	while (there_is(check, kind)) {
		const struct seen *seen = take(check, kind);

		if (!is_crowd(file_of(seen)))
			continue;
		told++;
		if (seen->event->cpu < CPUS)
			on[seen->event->cpu]++;
	}
	most = are_most(told, made);
	for (int cpu = 0; cpu < CPUS && pinned; cpu++)
		most |= are_most(on[cpu], made / CPUS);
	printf("# crowd: %llu of %llu %s told or counted\n", (unsigned long long)told,
	       (unsigned long long)made, kind_name(kind));
	if (told > made || told + declared < made)
		check_fail(check, "%s: expected %llu, told or declared; got %llu and %llu",
			   kind_name(kind), (unsigned long long)made, (unsigned long long)told,
			   (unsigned long long)declared);
	/* whatever it is asked for, the one program of tier 2 first finds out with preemption on */
	if (tier_of(check, kind) == 1 && !most)
		check_fail(check, "%s: expected few only declared, got %llu of %llu told",
			   kind_name(kind), (unsigned long long)told, (unsigned long long)made);
	if (told < made)
		check->story->excused[kind] += made - told;
}

static void check_made(struct check *check, uint64_t made, bool pinned)
{
	static const unsigned rest[] = {KIND_fork, KIND_exit, KIND_file_open};

	want_all(check, KIND_file_create, made, pinned);
	want_all(check, KIND_file_unlink, made, pinned);
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		while (there_is(check, rest[i]))
			take(check, rest[i]);
}

static void check_files(struct check *check)
{
	check_made(check, PROCESSES * FILES, false);
}

static void check_idle(struct check *check)
{
	check_made(check, CPUS * FILES, true);
}

const struct test crowd_tests[] = {
	{"crowd/files", .act = act_files, .check = check_files, .watched = true},
	{"crowd/idle", .act = act_idle, .check = check_idle, .watched = true},
	{},
};
