// SPDX-License-Identifier: Apache-2.0
/*
 * More processes than cpus make files, so that programs are preempted where a kernel
 * does that.  Each file is told, counted, or declared, and few are only declared.
 */
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"
#include "event/event.h"

#define PROCESSES 8
#define FILES	  500 /* of each */
#define CROWD	  "crowd-"

static int make_files(struct facts *facts)
{
	char name[64];

	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(name, sizeof(name), CROWD "%d-%d", getpid(), i);
		fd = must(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
		must(close(fd));
		must(unlink(name));
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

static void want_all(struct check *check, unsigned kind)
{
	uint64_t told = counted(check, kind), declared = story_told(check->story, kind, -1);
	const uint64_t made = PROCESSES * FILES;

	while (there_is(check, kind)) {
		take(check, kind);
		told++;
	}
	printf("# crowd: %llu of %llu %s told or counted\n", (unsigned long long)told,
	       (unsigned long long)made, kind_name(kind));
	if (told > made || told + declared < made)
		check_fail(check, "%s: expected %llu, told or declared; got %llu and %llu",
			   kind_name(kind), (unsigned long long)made, (unsigned long long)told,
			   (unsigned long long)declared);
	if (told < made - made / 20)
		check_fail(check, "%s: expected few only declared, got %llu of %llu told",
			   kind_name(kind), (unsigned long long)told, (unsigned long long)made);
	if (told < made)
		check->story->excused[kind] += made - told;
}

static void check_files(struct check *check)
{
	want_all(check, KIND_file_create);
	want_all(check, KIND_file_unlink);
	while (there_is(check, KIND_fork))
		take(check, KIND_fork);
	while (there_is(check, KIND_exit))
		take(check, KIND_exit);
}

const struct test crowd_tests[] = {
	{"crowd/files", .act = act_files, .check = check_files, .watched = true},
	{},
};
