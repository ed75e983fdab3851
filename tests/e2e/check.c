// SPDX-License-Identifier: Apache-2.0
/* The second half of a test: takes events out of the story and compares. */
#include <arpa/inet.h>
#include <errno.h>
#include <hinomi/kinds.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "e2e.h"
#include "event/event.h"
#include "render/render.h"

void check_fail(struct check *check, const char *format, ...)
{
	CLEANUP(free) char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!check->failures++)
		snprintf(check->first, sizeof(check->first), "%s", text ? text : "out of memory");
	else if (check->failures < 40)
		printf("# %s: %s\n", check->test ? check->test->name : "run", text ? text : "?");
}

const char *seen_text(const struct seen *seen, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	if (!out)
		return "?";
	render_json(out, seen->frame, seen->event);
	fclose(out);
	text[size - 1] = 0;
	text[strcspn(text, "\n")] = 0;
	return text;
}

static pid_t pid_of(const struct seen *seen)
{
	return seen->process && seen->process->key ? (pid_t)seen->process->key->pid : 0;
}

/* Tests run one after the other, so what lies in its time is its own; early ones share theirs. */
static bool is_of(const struct check *check, const struct seen *seen)
{
	const struct facts *facts = check->facts;

	if (seen->kind == KIND_udp_flow && !seen->event->udp_flow->first)
		return false; /* told whenever the sensor looks */
	return kind_is_kernel(seen->kind) && seen->event->time_ns >= facts->begin_ns &&
	       seen->event->time_ns <= facts->end_ns;
}

static struct seen *next_of(struct check *check, unsigned kind, pid_t pid)
{
	for (size_t i = 0; i < check->story->nevents; i++) {
		struct seen *seen = &check->story->events[i];

		if (!seen->taken && seen->kind == kind && is_of(check, seen) &&
		    (!pid || pid_of(seen) == pid))
			return seen;
	}
	return NULL;
}

bool there_is(struct check *check, unsigned kind)
{
	return next_of(check, kind, 0);
}

bool there_is_of(struct check *check, unsigned kind, pid_t pid)
{
	return next_of(check, kind, pid);
}

unsigned tier_of(const struct check *check, unsigned kind)
{
	const struct seen *start = story_first(check->story, KIND_sensor_start);

	for (size_t i = 0; start && i < start->event->sensor_start->n_coverage; i++)
		if (!strcmp(start->event->sensor_start->coverage[i]->class_, kind_name(kind)))
			return start->event->sensor_start->coverage[i]->tier;
	return 0;
}

/* Without functions to attach to, what write sends is seen only where a tracepoint tells. */
bool sees_writes(const struct check *check, unsigned kind)
{
	const struct seen *start = story_first(check->story, KIND_sensor_start);

	for (size_t i = 0; start && i < start->event->sensor_start->n_coverage; i++) {
		const Hinomi__Coverage *c = start->event->sensor_start->coverage[i];

		if (!strcmp(c->class_, kind_name(kind)))
			return c->tier == 1 || strstr(c->hook, "sock_send_length");
	}
	return false;
}

/* Families with hooks of their own. */
static bool is_common(uint32_t family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

/* Some hooks run before the outcome is known. */
static bool may_be_unknown(const struct seen *seen)
{
	if (seen->kind == KIND_image_load || seen->kind == KIND_memory_exec)
		return seen->event->tier == 1;
	switch (seen->kind) {
	case KIND_connect:
		return !is_common(seen->event->connect->family);
	case KIND_bind:
		return !is_common(seen->event->bind->family);
	case KIND_listen:
		return !is_common(seen->event->listen->family);
	case KIND_system:
		return seen->event->system->action == HINOMI__SYSTEM__ACTION__ACTION_REBOOT;
	case KIND_udp_flow:
	case KIND_dns:
	case KIND_socket_filter:
	case KIND_net_change:
	case KIND_audit_change:
		return true;
	default:
		return false;
	}
}

/* Tests make no flood, so nobody is over a budget. */
static void want_lane(struct check *check, const struct seen *seen)
{
	const Hinomi__Process *process = seen->process;
	bool rights = process->credentials->cap_effective &&
		      process->namespaces->user == FIRST_USER_NAMESPACE;

	want_number(check, "event.lane",
		    kind_is_by_rights(seen->kind) && rights ? LANE_KEEP
							    : (uint64_t)kind_lane(seen->kind),
		    seen->event->lane);
}

static void want_common(struct check *check, const struct seen *seen)
{
	const Hinomi__Event *event = seen->event;
	const Hinomi__Process *process = seen->process;

	if (!process || !process->key || !process->credentials || !process->namespaces) {
		check_fail(check, "%s: expected a process with key, credentials, namespaces",
			   kind_name(seen->kind));
		return;
	}
	want_lane(check, seen);
	want_true(check, "event.seq > 0", event->seq > 0);
	want_true(check, "event.tier > 0", event->tier > 0);
	/* the end of a connection comes in an interrupt */
	if (sizeof(long) == 4 && seen->kind != KIND_tcp_close)
		want_number(check, "event.compat of a 32-bit program", 1, event->compat);
	if (!may_be_unknown(seen))
		want_number(check, "event.result_unknown", 0, event->result_unknown);
	want_true(check, "process.key.start_ns > 0", process->key->start_ns > 0);
	if (check->cgroup_id)
		want_number(check, "process.cgroup_id", check->cgroup_id, process->cgroup_id);
	if (check->cgroup_path)
		want_text(check, "process.cgroup_path", check->cgroup_path, &process->cgroup_path);
}

/* A program that is preempted is not run for the next process on its cpu. */
static bool is_excused(struct check *check, unsigned kind)
{
	struct story *story = check->story;

	if (story_told(story, kind, HINOMI__GAP__CAUSE__CAUSE_SKIPPED) <= story->excused[kind])
		return false;
	story->excused[kind]++;
	story->unjudged = true;
	snprintf(check->skipped, sizeof(check->skipped), "the kernel skipped %s, as a gap declares",
		 kind_name(kind));
	return true;
}

const struct seen *take_of(struct check *check, unsigned kind, pid_t pid)
{
	struct seen *seen = next_of(check, kind, pid);

	if (!seen && is_excused(check, kind))
		return NULL;
	if (!seen) {
		if (pid)
			check_fail(check, "expected an event %s of process %d, got none",
				   kind_name(kind), pid);
		else
			check_fail(check, "expected an event %s, got none", kind_name(kind));
		return NULL;
	}
	seen->taken = true;
	want_common(check, seen);
	return seen;
}

const struct seen *take(struct check *check, unsigned kind)
{
	return take_of(check, kind, 0);
}

void take_ends(struct check *check)
{
	while (there_is(check, KIND_tcp_close))
		take(check, KIND_tcp_close);
}

const struct seen *take_connect(struct check *check)
{
	const struct seen *connect;

	take(check, KIND_bind);
	take(check, KIND_listen);
	connect = take(check, KIND_connect);
	take(check, KIND_accept);
	take_ends(check);
	return connect;
}

void want_number(struct check *check, const char *what, uint64_t want, uint64_t got)
{
	if (want != got)
		check_fail(check, "%s: expected %llu (%#llx), got %llu (%#llx)", what,
			   (unsigned long long)want, (unsigned long long)want,
			   (unsigned long long)got, (unsigned long long)got);
}

void want_true(struct check *check, const char *what, bool is)
{
	if (!is)
		check_fail(check, "expected %s", what);
}

/* The first bytes as text, for a message. */
static const char *shown(const void *data, size_t size, char *text, size_t room)
{
	FILE *out = fmemopen(text, room, "w");

	text[0] = 0;
	if (!out)
		return "?";
	escape_text(out, data, size < 160 ? size : 160);
	if (size > 160)
		fprintf(out, "... (%zu bytes)", size);
	fclose(out);
	return text;
}

void want_bytes(struct check *check, const char *what, const void *want, size_t size,
		const ProtobufCBinaryData *got)
{
	char wanted[1024], had[1024];

	if (got->len == size && (!size || !memcmp(got->data, want, size)))
		return;
	check_fail(check, "%s: expected \"%s\", got \"%s\"", what,
		   shown(want, size, wanted, sizeof(wanted)),
		   shown(got->data, got->len, had, sizeof(had)));
}

void want_text(struct check *check, const char *what, const char *want,
	       const ProtobufCBinaryData *got)
{
	want_bytes(check, what, want, strlen(want), got);
}

void want_tail(struct check *check, const char *what, const char *want,
	       const ProtobufCBinaryData *got)
{
	size_t len = strlen(want);

	if (got->len < len || memcmp(got->data + got->len - len, want, len) != 0)
		check_fail(check, "%s: expected something that ends in %s, got %.*s", what, want,
			   (int)got->len, (const char *)got->data);
}

void want_key(struct check *check, const char *what, const Hinomi__ProcessKey *want,
	      const Hinomi__ProcessKey *got)
{
	if (!want || !got)
		check_fail(check, "%s: expected a process key on both sides", what);
	else if (want->pid != got->pid || want->start_ns != got->start_ns ||
		 want->exec_id != got->exec_id)
		check_fail(check, "%s: expected process %u/%llu/%llu, got %u/%llu/%llu", what,
			   want->pid, (unsigned long long)want->start_ns,
			   (unsigned long long)want->exec_id, got->pid,
			   (unsigned long long)got->start_ns, (unsigned long long)got->exec_id);
}

void want_result(struct check *check, int error, const struct seen *seen)
{
	if (seen->event->result != -error)
		check_fail(check, "%s: expected result %d, got %d", kind_name(seen->kind), -error,
			   seen->event->result);
}

static unsigned failed;

void verdict(const char *name, const struct check *check)
{
	if (check->skipped[0]) {
		verdict_skip(name, check->skipped);
	} else if (!check->failures) {
		printf("ok e2e/%s\n", name);
	} else {
		printf("not ok e2e/%s # %s\n", name, check->first);
		failed++;
	}
	fflush(stdout);
}

void verdict_skip(const char *name, const char *why)
{
	printf("skip e2e/%s %s\n", name, why);
	fflush(stdout);
}

unsigned verdicts_failed(void)
{
	return failed;
}
