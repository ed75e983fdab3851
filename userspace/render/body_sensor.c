/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the sensor about itself. */
#include "render/body.h"

#include <hinomi/record.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "render/words.h"

#define UNSEEN_NAMED 4 /* classes that see nothing; more are counted */

static bool is_blind(const Hinomi__Coverage *coverage)
{
	return coverage->state == HINOMI__COVERAGE__STATE__STATE_SILENT ||
	       coverage->state == HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE;
}

static void put_string(FILE *out, const char *text)
{
	escape_text(out, text, strlen(text));
}

/* "15 classes, all verified", or which are blind and why */
static void put_coverage(const struct body *body, Hinomi__Coverage *const *coverage, size_t count)
{
	size_t lower = 0, off = 0, blind = 0;

	for (size_t i = 0; i < count; i++) {
		lower += coverage[i]->state == HINOMI__COVERAGE__STATE__STATE_LOWER_TIER;
		off += coverage[i]->state == HINOMI__COVERAGE__STATE__STATE_OFF;
		blind += is_blind(coverage[i]);
	}
	fprintf(body->what, "%zu classes", count - off);
	if (lower)
		fprintf(body->what, ", %zu on a lower tier", lower);
	if (off)
		fprintf(body->what, ", %zu switched off", off);
	if (!blind)
		return;
	fputs("  ", body->note);
	if (body->colour)
		fputs(STYLE_ALARM, body->note);
	fputs("blind:", body->note);
	for (size_t i = 0, named = 0; i < count && named < UNSEEN_NAMED; i++) {
		if (!is_blind(coverage[i]))
			continue;
		fputs(named++ ? ", " : " ", body->note);
		put_string(body->note, coverage[i]->class_);
	}
	if (blind > UNSEEN_NAMED)
		fprintf(body->note, " and %zu more", blind - UNSEEN_NAMED);
	if (body->colour)
		fputs("\033[0m", body->note);
}

void say_sensor_start(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__SensorStart *start = event->sensor_start;

	fputs("hinomi ", body->what);
	put_string(body->what, start->version);
	fputs(" on ", body->what);
	put_string(body->what, start->hostname);
	fputs(", Linux ", body->what);
	put_string(body->what, start->kernel);
	putc(' ', body->what);
	put_string(body->what, start->architecture);
	fprintf(body->what, ", %u processes running, ", start->processes);
	put_coverage(body, start->coverage, start->n_coverage);
	if (start->resumed)
		body_note(body, STYLE_GREEN, "resumed, nothing missed");
	if (start->replaced == HINOMI__SENSOR_START__REPLACED__REPLACED_OTHER_MACHINE)
		body_note(body, STYLE_ALARM,
			  "a new sensor: the disk is a copy of another machine's");
	else if (start->replaced)
		body_note(body, STYLE_ALARM,
			  "a new sensor: the identity of the one before is damaged");
	if (start->blind_ns) {
		fputs("  nobody looked for ", body->note);
		words_duration(body->note, start->blind_ns);
	}
}

void say_sensor_stop(const struct body *body, const Hinomi__Event *event)
{
	put_string(body->what, event->sensor_stop->reason);
}

void say_heartbeat(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Heartbeat *beat = event->heartbeat;

	put_coverage(body, beat->coverage, beat->n_coverage);
	fputs(", CPU ", body->what);
	words_duration(body->what, beat->cpu_ns);
	fprintf(body->what, ", memory %" PRIu64 " MiB, spool %" PRIu64 " MiB",
		beat->memory_bytes >> 20, beat->spool_bytes >> 20);
}

static const char *state_word(Hinomi__Coverage__State state)
{
	switch (state) {
	case HINOMI__COVERAGE__STATE__STATE_VERIFIED:
		return "verified";
	case HINOMI__COVERAGE__STATE__STATE_SILENT:
		return "silent";
	case HINOMI__COVERAGE__STATE__STATE_LOWER_TIER:
		return "verified on a lower tier";
	case HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE:
		return "unavailable";
	case HINOMI__COVERAGE__STATE__STATE_OFF:
		return "off";
	case HINOMI__COVERAGE__STATE__STATE_UNPROVEN:
		return "unproven";
	default:
		return "not known";
	}
}

static bool is_working(Hinomi__Coverage__State state)
{
	return state == HINOMI__COVERAGE__STATE__STATE_VERIFIED ||
	       state == HINOMI__COVERAGE__STATE__STATE_LOWER_TIER;
}

/* The first few changes with their reason, or that there are none. */
void say_coverage(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__CoverageReport *report = event->coverage;

	for (size_t i = 0; i < report->n_changes && i < UNSEEN_NAMED; i++) {
		const Hinomi__CoverageChange *change = report->changes[i];

		if (i)
			fputs("; ", body->what);
		put_string(body->what, change->class_);
		fprintf(body->what, " was %s, is ", state_word(change->old));
		body_styled(body->what, body->colour,
			    is_working(change->state) ? STYLE_GREEN : STYLE_ALARM,
			    state_word(change->state));
		if (is_working(change->state) || !change->reason[0])
			continue;
		fputs(" (", body->what);
		put_string(body->what, change->reason);
		fputs(")", body->what);
	}
	if (report->n_changes > UNSEEN_NAMED)
		fprintf(body->what, "; and %zu classes more", report->n_changes - UNSEEN_NAMED);
	if (!report->n_changes)
		put_coverage(body, report->coverage, report->n_coverage);
}

static const char *const whats[] = {
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_UNSPECIFIED] = "something was done to the sensor",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_SIGNAL] = "signal to",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_ACCESS] = "access to",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_FILE] = "file of the sensor",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_CGROUP] = "cgroup of the sensor:",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_STOPPED] = "the sensor did not run",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_CLOCK] = "the wall clock jumped",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_SWITCH] = "switch of the kernel:",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_MAP] = "somebody else set",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_CHILD] = "gone:",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_MOUNT] = "mount at",
	[HINOMI__SENSOR_TAMPER__WHAT__WHAT_BPF] = "somebody else got at the sensor's",
};

static void put_pause(const struct body *body, const Hinomi__SensorTamper *tamper)
{
	fputs(" for ", body->what);
	words_duration(body->what, tamper->pause_ns);
	fputs(", of which it waited for a CPU ", body->what);
	words_duration(body->what, tamper->ready_ns);
	if (tamper->pid)
		fprintf(body->what, ", continued by pid %u", tamper->pid);
}

static void put_change(const struct body *body, const Hinomi__SensorTamper *tamper)
{
	fputs(" was ", body->what);
	put_string(body->what, tamper->was);
	fputs(", is ", body->what);
	put_string(body->what, tamper->is);
}

void say_sensor_tamper(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__SensorTamper *tamper = event->sensor_tamper;
	unsigned what = tamper->what;
	uint64_t step =
		tamper->step_ns < 0 ? -(uint64_t)tamper->step_ns : (uint64_t)tamper->step_ns;

	fputs(whats[what < ARRAY_SIZE(whats) ? what : 0], body->what);
	if (tamper->object.len) {
		putc(' ', body->what);
		body_bytes(body->what, &tamper->object);
	}
	if (tamper->signal) {
		fputs(": ", body->what);
		words_signal(body->what, tamper->signal);
	}
	if (tamper->pause_ns)
		put_pause(body, tamper);
	if (tamper->step_ns) {
		fputs(tamper->step_ns < 0 ? " back by " : " forward by ", body->what);
		words_duration(body->what, step);
	}
	if (tamper->was[0] || tamper->is[0])
		put_change(body, tamper);
	if (tamper->class_[0]) {
		fputs("  told by ", body->note);
		put_string(body->note, tamper->class_);
	}
	if (tamper->more)
		fprintf(body->note, "  and %" PRIu64 " like it before", tamper->more);
}

void say_config_change(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__ConfigChange *change = event->config_change;

	fputs("the configuration is another one:", body->what);
	for (size_t i = 0; i < change->n_removed; i++) {
		fputs(" -", body->what);
		body_bytes(body->what, &change->removed[i]);
	}
	for (size_t i = 0; i < change->n_added; i++) {
		fputs(" +", body->what);
		body_bytes(body->what, &change->added[i]);
	}
}

static const char *gap_cause(Hinomi__Gap__Cause cause)
{
	switch (cause) {
	case HINOMI__GAP__CAUSE__CAUSE_RING_FULL:
		return "the ring was full";
	case HINOMI__GAP__CAUSE__CAUSE_MALFORMED:
		return "a record made no sense";
	case HINOMI__GAP__CAUSE__CAUSE_EVICTED:
		return "the spool was over its limit";
	case HINOMI__GAP__CAUSE__CAUSE_DAMAGED:
		return "bytes on disk were damaged";
	case HINOMI__GAP__CAUSE__CAUSE_SCRATCH:
		return "a table of the kernel side was full";
	case HINOMI__GAP__CAUSE__CAUSE_SKIPPED:
		return "a program was running already";
	case HINOMI__GAP__CAUSE__CAUSE_SPOOL_FAILED:
		return "the disk did not take them";
	case HINOMI__GAP__CAUSE__CAUSE_RELEASED:
		return "gone from the spool, kept by every collector";
	case HINOMI__GAP__CAUSE__CAUSE_AGED:
		return "older than the spool may keep them";
	default:
		return "the cause is not known";
	}
}

void say_gap(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Gap *gap = event->gap;

	if (body->colour)
		fputs(STYLE_ALARM, body->what);
	fputs("missing:", body->what);
	for (size_t i = 0; i < gap->n_lost; i++) {
		fprintf(body->what, "%s %" PRIu64 " ", i ? "," : "", gap->lost[i]->count);
		put_string(body->what, gap->lost[i]->class_);
	}
	fprintf(body->what, "%s lane %s", gap->n_lost ? "," : "",
		gap->lane == HINOMI__LANE__LANE_KEEP ? "keep" : "bulk");
	if (gap->first_frame)
		fprintf(body->what, " frames %" PRIu64 " to %" PRIu64, gap->first_frame,
			gap->last_frame);
	if (gap->first_seq && gap->cpu != CPU_SENSOR)
		fprintf(body->what, " cpu %u", gap->cpu);
	if (gap->first_seq)
		fprintf(body->what, " sequence %" PRIu64 " to %" PRIu64, gap->first_seq,
			gap->last_seq);
	fprintf(body->what, ": %s", gap_cause(gap->cause));
	if (body->colour)
		fputs("\033[0m", body->what);
}
