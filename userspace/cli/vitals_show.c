/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vitals_show.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "cli/vitals.h"
#include "event/event.h"
#include "render/render.h"
#include "render/words.h"

static const char *const states[] = {[VITALS_NONE] = "unknown",
				     [VITALS_RUNNING] = "running",
				     [VITALS_SILENT] = "silent",
				     [VITALS_STOPPED] = "stopped"};

static void put_string(FILE *out, const char *text)
{
	escape_text(out, text, strlen(text));
}

static void put_name(FILE *out, const char *text, int width)
{
	put_string(out, text);
	fprintf(out, "%*s", width > (int)strlen(text) ? width - (int)strlen(text) : 1, "");
}

/* Share of a CPU over all of the process's life; negative when that is not known. */
static double share_since_start(const struct vitals *v)
{
	if (!v->beat || !v->beat->start_ns || v->beat_ns <= v->beat->start_ns)
		return -1;
	return (double)(v->beat->cpu_ns + v->beat->helpers_cpu_ns) /
	       (double)(v->beat_ns - v->beat->start_ns);
}

/* Events a second, both lanes. */
static double events_rate(const struct vitals *v)
{
	double sum = -1;

	for (int lane = 0; lane < LANES; lane++) {
		double rate = trend_rate(&v->events[lane]);

		if (rate >= 0)
			sum = (sum < 0 ? 0 : sum) + rate;
	}
	return sum;
}

/* What an event costs in the class's programs: each of these over the events of all its classes. */
static double class_ns(const Hinomi__Heartbeat *beat, const char *name)
{
	double sum = -1;

	for (size_t i = 0; beat && i < beat->n_programs; i++) {
		const Hinomi__ProgramCost *cost = beat->programs[i];
		bool is_its = false;

		for (size_t k = 0; k < cost->n_classes; k++)
			is_its |= cost->classes[k].len == strlen(name) &&
				  !memcmp(cost->classes[k].data, name, strlen(name));
		if (is_its && cost->events)
			sum = (sum < 0 ? 0 : sum) + (double)cost->run_ns / (double)cost->events;
	}
	return sum;
}

static void text_state(FILE *out, const struct vitals *v, const struct vitals_moment *moment)
{
	fputs(states[moment->state], out);
	if (v->beat && v->beat->start_ns && v->beat_ns > v->beat->start_ns) {
		fputs(moment->state == VITALS_RUNNING ? " for " : " after ", out);
		words_duration(out, v->beat_ns - v->beat->start_ns);
	}
	if (moment->silent_ns == UINT64_MAX && moment->state != VITALS_NONE)
		fputs(", last heard before this machine was booted, or on another one", out);
	else if (moment->state != VITALS_NONE) {
		fputs(", last heard ", out);
		words_duration(out, moment->silent_ns);
		fputs(" ago", out);
	}
	putc('\n', out);
	if (!v->start)
		return;
	fputs("sensor     ", out);
	put_string(out, v->start->version);
	fputs(" on ", out);
	put_string(out, v->start->hostname);
	fputs(", Linux ", out);
	put_string(out, v->start->kernel);
	putc(' ', out);
	put_string(out, v->start->architecture);
	putc('\n', out);
}

static void text_costs(FILE *out, const struct vitals *v)
{
	const Hinomi__Heartbeat *beat = v->beat;
	double now = trend_rate(&v->cpu), ever = share_since_start(v),
	       wakeups = trend_rate(&v->wakeups);

	fputs("CPU        ", out);
	words_duration(out, beat->cpu_ns + beat->helpers_cpu_ns);
	if (now >= 0)
		fprintf(out, "; %.3f %% of a CPU in the last minute", now / 1e7);
	if (ever >= 0)
		fprintf(out, "; %.3f %% since its start", ever * 100);
	if (wakeups >= 0)
		fprintf(out, "; %.1f wakeups a second", wakeups);
	fprintf(out,
		"\nmemory     %" PRIu64 " MiB, %" PRIu64
		" MiB at most, rings that it has read among "
		"them\nspool      %" PRIu64 " MiB\nremembers  %" PRIu64 " processes (%" PRIu64
		" had to be forgotten), %" PRIu64 " files (%" PRIu64 ")\n",
		beat->memory_bytes >> 20, beat->memory_peak_bytes >> 20, beat->spool_bytes >> 20,
		beat->processes, beat->processes_forgotten, beat->files, beat->files_forgotten);
}

static void text_row(FILE *out, const char *name, const struct row *row, double ns)
{
	put_name(out, name, 16);
	fprintf(out, "%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64,
		row->seen, row->delivered, row->filtered, row->aggregated, row->lost);
	if (ns >= 0)
		fprintf(out, " %12.0f", ns);
	putc('\n', out);
}

static void text_ledger(FILE *out, const struct vitals *v)
{
	struct row total = vitals_sum(v, 0);
	double rate = events_rate(v), cpu = trend_rate(&v->cpu);

	fprintf(out, "events     %" PRIu64 " seen, %" PRIu64 " lost", total.seen, total.lost);
	if (rate >= 0)
		fprintf(out, "; %.1f a second in the last minute", rate);
	if (rate > 0 && cpu >= 0)
		fprintf(out, ", %.1f us of CPU each", cpu / rate / 1e3);
	fprintf(out, "\n\n%-15s %10s %10s %10s %10s %10s", "class", "seen", "delivered", "filtered",
		"aggregated", "lost");
	fputs(v->beat && v->beat->n_programs ? "  kernel ns each\n" : "\n", out);
	for (unsigned kind = 1; kind < KINDS_MAX; kind++) {
		struct row row = vitals_sum(v, kind);

		if (kind_name(kind) && row.seen)
			text_row(out, kind_name(kind), &row, class_ns(v->beat, kind_name(kind)));
	}
	text_row(out, "all", &total, -1);
}

static void text_programs(FILE *out, const Hinomi__Heartbeat *beat)
{
	if (!beat->n_programs) {
		fputs("\nThe time in its programs is counted after sysctl "
		      "kernel.bpf_stats_enabled=1 "
		      "(some 20 ns a run).\n",
		      out);
		return;
	}
	fprintf(out, "\n%-24s %12s %10s  %s\n", "program", "runs", "ns a run", "classes");
	for (size_t i = 0; i < beat->n_programs; i++) {
		const Hinomi__ProgramCost *cost = beat->programs[i];

		put_name(out, cost->program, 24);
		fprintf(out, " %12" PRIu64 " %10.0f ", cost->runs,
			cost->runs ? (double)cost->run_ns / (double)cost->runs : 0.0);
		for (size_t k = 0; k < cost->n_classes; k++) {
			putc(k ? ',' : ' ', out);
			escape_text(out, cost->classes[k].data, cost->classes[k].len);
		}
		putc('\n', out);
	}
}

void vitals_text(FILE *out, const struct vitals *v, const struct vitals_moment *moment)
{
	text_state(out, v, moment);
	if (v->beat)
		text_costs(out, v);
	text_ledger(out, v);
	if (v->beat)
		text_programs(out, v->beat);
}

static void json_rate(FILE *out, const char *name, double value)
{
	if (value >= 0)
		fprintf(out, ",\"%s\":%.6g", name, value);
}

static void json_ledger(FILE *out, const struct vitals *v)
{
	const char *comma = "";

	fputs(",\"classes\":[", out);
	for (unsigned kind = 1; kind < KINDS_MAX; kind++) {
		struct row row = vitals_sum(v, kind);

		if (!kind_name(kind) || !row.seen)
			continue;
		fprintf(out,
			"%s{\"class\":\"%s\",\"seen\":%" PRIu64 ",\"delivered\":%" PRIu64
			",\"filtered\":%" PRIu64 ",\"aggregated\":%" PRIu64 ",\"lost\":%" PRIu64,
			comma, kind_name(kind), row.seen, row.delivered, row.filtered,
			row.aggregated, row.lost);
		json_rate(out, "kernel_ns", class_ns(v->beat, kind_name(kind)));
		putc('}', out);
		comma = ",";
	}
	putc(']', out);
}

void vitals_json(FILE *out, const struct vitals *v, const struct vitals_moment *moment)
{
	struct row total = vitals_sum(v, 0);

	fprintf(out, "{\"state\":\"%s\"", states[moment->state]);
	if (moment->silent_ns != UINT64_MAX)
		fprintf(out, ",\"silent_ns\":%" PRIu64, moment->silent_ns);
	json_rate(out, "cpu_share", trend_rate(&v->cpu) / 1e9);
	json_rate(out, "cpu_share_since_start", share_since_start(v));
	json_rate(out, "wakeups_per_second", trend_rate(&v->wakeups));
	json_rate(out, "events_per_second", events_rate(v));
	fprintf(out, ",\"seen\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"lost\":%" PRIu64,
		total.seen, total.delivered, total.lost);
	json_ledger(out, v);
	if (v->beat) {
		fputs(",\"heartbeat\":", out);
		render_message(out, &v->beat->base);
	}
	if (v->start) {
		fputs(",\"sensor_start\":", out);
		render_message(out, &v->start->base);
	}
	fputs("}\n", out);
}
