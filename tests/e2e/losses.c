// SPDX-License-Identifier: Apache-2.0
/*
 * A run in which events are lost on purpose, before the sensor is killed and while
 * nobody is there.  Nothing may go without being declared, and nothing twice.
 */
#include <fcntl.h>
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"
#include "event/event.h"
#include "frame/frame.h"

#define ARGUMENT_BYTES 60000 /* more than a record holds: a few fill the smallest ring */
#define WATCHED	       1000
#define UNWATCHED      100
#define AFTERWARDS     20
#define REPEATED       "repeated"
#define OPENED	       20000   /* times, one file: many times what the smallest ring holds */
#define PATIENCE_US    1500000 /* the first gaps are declared by then, the last are not */

const char losses_config[] = "[sensor]\nheartbeat = 300ms\nring_keep = 256K\nring_bulk = 256K\n";

static int storm(unsigned n)
{
	char own[PATH_MAX] = "", *argument = calloc(ARGUMENT_BYTES + 1, 1);
	int status = 0;

	if (!argument || readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
		return 1;
	memset(argument, 'x', ARGUMENT_BYTES);
	for (unsigned i = 0; i < n && !status; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execve(own, (char *[]){"big", argument, NULL}, child_env);
			_exit(1);
		}
		if (waitpid(pid, &status, 0) != pid)
			return 1;
	}
	return status;
}

static const char *repeat_dir;

static int repeat(unsigned n)
{
	if (chdir(repeat_dir))
		return 1;
	for (unsigned i = 0; i < n; i++) {
		int fd = open(REPEATED, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0 || close(fd))
			return 1;
	}
	return 0;
}

static pid_t storm_start(const char *cgroup, int (*what)(unsigned n), unsigned n)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(cgroup_enter(cgroup, getpid()) || what(n));
	return pid;
}

static int storm_end(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) != pid || status;
}

int losses_act(struct sensor *sensor)
{
	pid_t first = storm_start(sensor->cgroup, storm, WATCHED);
	pid_t second = storm_start(sensor->cgroup, storm, WATCHED);
	int failed;

	repeat_dir = sensor->dir;
	usleep(PATIENCE_US);
	sensor_kill(sensor);
	failed = storm_end(first) | storm_end(second);
	failed |= storm_end(storm_start(sensor->cgroup, storm, UNWATCHED));
	failed |= storm_end(storm_start(sensor->cgroup, repeat, OPENED));
	if (sensor_start(sensor))
		return 1;
	return failed | storm_end(storm_start(sensor->cgroup, storm, AFTERWARDS));
}

/* Of a class that the kernel makes: what the last rows of the ledger call lost, or aggregated
 * there.
 */
static uint64_t sum_of(const struct story *story, unsigned kind, bool lost)
{
	const Hinomi__LedgerRow *rows[256] = {NULL};
	uint64_t sum = 0;

	for (size_t i = 0; i < story->nframes; i++) {
		const Hinomi__FrameHeader *header = story->frames[i]->header;

		for (size_t r = 0; r < header->n_ledger; r++)
			if (header->lane == (Hinomi__Lane)kind_lane(kind) &&
			    header->ledger[r]->kind == kind && header->ledger[r]->cpu < 256)
				rows[header->ledger[r]->cpu] = header->ledger[r];
	}
	for (unsigned cpu = 0; cpu < 256; cpu++)
		if (rows[cpu])
			sum += lost ? rows[cpu]->lost
				    : rows[cpu]->aggregated - rows[cpu]->aggregated_user;
	return sum;
}

static uint64_t lost_of(const struct story *story, unsigned kind)
{
	return sum_of(story, kind, true);
}

static uint64_t counted_of(const struct story *story, unsigned kind)
{
	uint64_t counted = 0;

	for (size_t i = 0; i < story->nevents; i++)
		if (story->events[i].kind == KIND_summary &&
		    !strcmp(story->events[i].event->summary->class_, kind_name(kind)))
			counted += story->events[i].event->summary->count;
	return counted;
}

static bool is_repeated(const Hinomi__File *file)
{
	size_t n = strlen("/" REPEATED);

	return file && file->path.len > n &&
	       !memcmp(file->path.data + file->path.len - n, "/" REPEATED, n);
}

/* What was counted in the kernel is told to the last one, by the process that did it. */
static void check_summaries(struct check *check)
{
	uint64_t told = 0, counted = 0;

	for (size_t i = 0; i < check->story->nevents; i++) {
		const struct seen *seen = &check->story->events[i];
		const Hinomi__Summary *s = seen->kind == KIND_summary ? seen->event->summary : NULL;

		if (seen->kind == KIND_file_create)
			told += is_repeated(seen->event->file_create->file);
		else if (seen->kind == KIND_file_open)
			told += is_repeated(seen->event->file_open->file);
		else if (s && is_repeated(s->file)) {
			counted += s->count;
			want_true(check, "summary: class",
				  !strcmp(s->class_, "file_open") ||
					  !strcmp(s->class_, "file_create"));
			want_true(check, "summary: times",
				  s->first_ns && s->first_ns <= s->last_ns &&
					  s->last_ns <= seen->event->time_ns);
			want_true(check, "summary: process",
				  seen->process && seen->process->key && seen->process->key->pid);
			want_true(check, "summary: inode", s->file->inode != 0);
		}
	}
	told += lost_of(check->story, KIND_file_create) + lost_of(check->story, KIND_file_open);
	want_number(check, "opened", OPENED, told + counted);
	want_true(check, "summaries", counted > 0);
	printf("# %llu of %u events were counted in the kernel\n", (unsigned long long)counted,
	       OPENED);
}

void check_losses(struct check *check)
{
	uint64_t numbers = 0, lost = 0;
	char what[64];

	for (size_t i = 0; i < check->story->nevents; i++) {
		const Hinomi__Gap *gap = check->story->events[i].event->gap;

		if (check->story->events[i].kind == KIND_gap && gap->first_seq)
			numbers += gap->last_seq - gap->first_seq + 1;
	}
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		if (!kind_is_kernel(kind))
			continue;
		snprintf(what, sizeof(what), "lost %s, as gaps tell", kind_name(kind));
		want_number(check, what, lost_of(check->story, kind),
			    story_told(check->story, kind, -1));
		lost += lost_of(check->story, kind);
		snprintf(what, sizeof(what), "aggregated %s, as summaries tell", kind_name(kind));
		if (kind != KIND_udp_flow && kind != KIND_image_load && kind != KIND_memory_exec)
			want_number(check, what, sum_of(check->story, kind, false),
				    counted_of(check->story, kind));
	}
	check_summaries(check);
	want_number(check, "numbers that gaps declare", lost, numbers);
	want_true(check, "losses", lost > 0);
	printf("# %llu events were lost\n", (unsigned long long)lost);
}
