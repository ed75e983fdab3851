// SPDX-License-Identifier: Apache-2.0
/* What the sensor says of itself. */
#include <hinomi/kinds.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "e2e.h"
#include "event/event.h"

static void want_string(struct check *check, const char *what, const char *want, const char *got)
{
	if (strcmp(want, got) != 0)
		check_fail(check, "%s: expected \"%s\", got \"%s\"", what, want, got);
}

static bool is_working(const Hinomi__Coverage *coverage)
{
	return coverage->state == HINOMI__COVERAGE__STATE__STATE_VERIFIED ||
	       coverage->state == HINOMI__COVERAGE__STATE__STATE_LOWER_TIER;
}

/* Modules: no canary can load one, and a kernel without them has nothing to see.  And none fills a
 * ring. */
static bool is_unprovable(const Hinomi__Coverage *coverage)
{
	if (!strcmp(coverage->class_, "summary"))
		return coverage->state == HINOMI__COVERAGE__STATE__STATE_UNPROVEN;
	return (!strncmp(coverage->class_, "module_", 7) ||
		!strcmp(coverage->class_, "cgroup_make")) &&
	       (coverage->state == HINOMI__COVERAGE__STATE__STATE_UNPROVEN ||
		strstr(coverage->reason, "the tracepoint is not in this kernel") ||
		strstr(coverage->reason, "nothing was attached before the restart"));
}

/* It has one tier, which a kernel may not have, or may have been asked to leave out. */
static bool is_single(const Hinomi__Coverage *coverage)
{
	return !strcmp(coverage->class_, "file_close") &&
	       coverage->state == HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE;
}

/* One row for each class that the kernel makes, each proven by the canary. */
static void want_coverage(struct check *check, Hinomi__Coverage **rows, size_t n)
{
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		const Hinomi__Coverage *row = NULL;

		if (!kind_is_kernel(kind))
			continue;
		for (size_t i = 0; i < n; i++)
			if (!strcmp(rows[i]->class_, kind_name(kind)))
				row = rows[i];
		if (!row)
			check_fail(check, "no coverage row for %s", kind_name(kind));
		else if (is_unprovable(row) || is_single(row))
			continue;
		else if (kind == KIND_exec && !strstr(row->unproven, "level_enter "))
			check_fail(check, "exec: nothing said of level_enter: \"%s\"",
				   row->unproven);
		else if (!is_working(row) || !row->hook[0] || !row->tier)
			check_fail(check, "%s: state %d, hook \"%s\", tier %u: %s", row->class_,
				   row->state, row->hook, row->tier, row->reason);
	}
}

void check_start(struct check *check)
{
	const struct seen *seen = story_first(check->story, KIND_sensor_start);
	const Hinomi__SensorStart *start;
	struct utsname host;

	if (!seen) {
		check_fail(check, "expected an event sensor_start, got none");
		return;
	}
	start = seen->event->sensor_start;
	uname(&host);
	want_string(check, "kernel", host.release, start->kernel);
	want_string(check, "architecture", host.machine, start->architecture);
	want_string(check, "hostname", host.nodename, start->hostname);
	want_true(check, "version", start->version[0]);
	want_true(check, "processes", start->processes > 1);
	want_number(check, "resumed", 0, start->resumed);
	want_number(check, "config_sha256 (bytes)", 32, start->config_sha256.len);
	want_coverage(check, start->coverage, start->n_coverage);
	for (size_t i = 0; i < start->n_coverage; i++)
		printf("# %s: tier %u, %s\n", start->coverage[i]->class_, start->coverage[i]->tier,
		       start->coverage[i]->hook);
}

/* The second sensor took up what the first had left with the service manager. */
void check_resumed(struct check *check)
{
	const Hinomi__SensorStart *last = NULL;
	unsigned starts = 0;

	for (size_t i = 0; i < check->story->nevents; i++)
		if (check->story->events[i].kind == KIND_sensor_start) {
			last = check->story->events[i].event->sensor_start;
			starts++;
		}
	want_number(check, "starts", 2, starts);
	if (!last)
		return;
	want_number(check, "resumed", 1, last->resumed);
	want_number(check, "blind_ns", 0, last->blind_ns);
	want_coverage(check, last->coverage, last->n_coverage);
}

void check_stop(struct check *check)
{
	const struct seen *seen = story_first(check->story, KIND_sensor_stop);

	if (!seen) {
		check_fail(check, "expected an event sensor_stop, got none");
		return;
	}
	want_true(check, "reason", seen->event->sensor_stop->reason[0]);
	want_coverage(check, seen->event->sensor_stop->coverage,
		      seen->event->sensor_stop->n_coverage);
}

void check_heartbeat(struct check *check)
{
	const struct seen *seen = story_first(check->story, KIND_heartbeat);

	if (!seen) {
		check_fail(check, "expected an event heartbeat, got none");
		return;
	}
	want_true(check, "cpu_ns", seen->event->heartbeat->cpu_ns);
	want_true(check, "memory_bytes", seen->event->heartbeat->memory_bytes);
	want_true(check, "spool_bytes", seen->event->heartbeat->spool_bytes);
	want_true(check, "start_ns before it",
		  seen->event->heartbeat->start_ns &&
			  seen->event->heartbeat->start_ns < seen->event->time_ns);
	want_true(check, "wakeups", seen->event->heartbeat->wakeups);
	want_true(check, "memory_peak_bytes", seen->event->heartbeat->memory_peak_bytes);
	want_coverage(check, seen->event->heartbeat->coverage, seen->event->heartbeat->n_coverage);
}

void check_coverage(struct check *check)
{
	const struct seen *seen = story_first(check->story, KIND_coverage);

	if (!seen) {
		check_fail(check, "expected an event coverage, got none");
		return;
	}
	want_number(check, "changes", 0, seen->event->coverage->n_changes);
	want_coverage(check, seen->event->coverage->coverage, seen->event->coverage->n_coverage);
}

/* An event's tier is that of the coverage table. */
void check_tiers(struct check *check)
{
	for (size_t i = 0; i < check->story->nevents; i++) {
		const struct seen *seen = &check->story->events[i];

		if (kind_is_kernel(seen->kind) && seen->event->tier != tier_of(check, seen->kind)) {
			check_fail(check, "%s: an event of tier %u, but the class is on tier %u",
				   kind_name(seen->kind), seen->event->tier,
				   tier_of(check, seen->kind));
			return;
		}
	}
}
