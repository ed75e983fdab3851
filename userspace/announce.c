// SPDX-License-Identifier: Apache-2.0
/* What the sensor says of itself: events of its own, in the keep lane. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "host.h"
#include "pipeline.h"
#include "attach/attach.h"
#include "config/config.h"
#include "enrich/enrich.h"
#include "guard/guard.h"
#include "spool/spool.h"

struct coverage_list {
	Hinomi__Coverage items[KINDS_MAX];
	Hinomi__Coverage *list[KINDS_MAX];
	size_t n;
};

static void coverage_fill(struct pipeline *p, struct coverage_list *to)
{
	const struct coverage *from = attach_coverage(p->attach, &to->n);

	for (size_t i = 0; i < to->n; i++) {
		Hinomi__Coverage *c = &to->items[i];

		*c = (Hinomi__Coverage)HINOMI__COVERAGE__INIT;
		c->class_ = (char *)from[i].name;
		c->state = from[i].state;
		c->hook = (char *)from[i].hook;
		c->tier = from[i].tier;
		c->reason = (char *)from[i].reason;
		c->unproven = (char *)from[i].unproven;
		to->list[i] = c;
	}
}

void announce_start(struct pipeline *p, unsigned processes)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;
	Hinomi__SensorStart start = HINOMI__SENSOR_START__INIT;
	struct coverage_list coverage;
	struct utsname host;

	uname(&host);
	coverage_fill(p, &coverage);
	start.version = HINOMI_VERSION;
	start.kernel = host.release;
	start.architecture = host.machine;
	start.hostname = host.nodename;
	start.resumed = attach_resumed(p->attach);
	start.blind_ns = start.resumed ? 0 : p->blind_ns;
	start.n_coverage = coverage.n;
	start.coverage = coverage.list;
	start.processes = processes;
	start.n_host = host_changes(&p->host);
	start.host = p->host.list;
	start.config_sha256.data = (uint8_t *)p->config->sha256;
	start.config_sha256.len = sizeof(p->config->sha256);
	start.replaced = p->replaced.why;
	if (p->replaced.why)
		start.replaced_sensor_id =
			(ProtobufCBinaryData){sizeof(p->replaced.sensor_id), p->replaced.sensor_id};
	event.body_case = HINOMI__EVENT__BODY_SENSOR_START;
	event.sensor_start = &start;
	pipeline_own(p, KIND_sensor_start, &event);
}

void announce_stop(struct pipeline *p, const char *reason)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;
	Hinomi__SensorStop stop = HINOMI__SENSOR_STOP__INIT;
	struct coverage_list coverage;

	coverage_fill(p, &coverage);
	stop.reason = (char *)reason;
	stop.n_coverage = coverage.n;
	stop.coverage = coverage.list;
	event.body_case = HINOMI__EVENT__BODY_SENSOR_STOP;
	event.sensor_stop = &stop;
	pipeline_own(p, KIND_sensor_stop, &event);
}

void announce_heartbeat(struct pipeline *p)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;
	Hinomi__Heartbeat beat = HINOMI__HEARTBEAT__INIT;
	struct coverage_list coverage;
	struct enrich_stats stats;

	if (output_waits(p, LANE_KEEP)) /* nobody hears it, and there is no end of them */
		return;
	coverage_fill(p, &coverage);
	beat.n_coverage = coverage.n;
	beat.coverage = coverage.list;
	beat.n_host_changes = host_changes(&p->host);
	beat.host_changes = p->host.list;
	costs_fill(p, &beat);
	enrich_stats(p->enrich, &stats);
	beat.processes = stats.processes;
	beat.processes_forgotten = stats.processes_evicted;
	beat.files = stats.origins;
	beat.files_forgotten = stats.origins_evicted;
	event.body_case = HINOMI__EVENT__BODY_HEARTBEAT;
	event.heartbeat = &beat;
	pipeline_own(p, KIND_heartbeat, &event);
}

void announce_coverage(struct pipeline *p, const struct coverage_change *changes, size_t n)
{
	Hinomi__CoverageChange items[KINDS_MAX], *list[KINDS_MAX];
	Hinomi__CoverageReport report = HINOMI__COVERAGE_REPORT__INIT;
	Hinomi__Event event = HINOMI__EVENT__INIT;
	struct coverage_list coverage;

	coverage_fill(p, &coverage);
	report.n_coverage = coverage.n;
	report.coverage = coverage.list;
	for (size_t i = 0; i < n; i++) {
		items[i] = (Hinomi__CoverageChange)HINOMI__COVERAGE_CHANGE__INIT;
		items[i].class_ = (char *)changes[i].now->name;
		items[i].old = changes[i].old;
		items[i].state = changes[i].now->state;
		items[i].reason = (char *)changes[i].reason;
		items[i].seen_ns = changes[i].now->seen_ns;
		list[i] = &items[i];
	}
	report.n_changes = n;
	report.changes = list;
	event.body_case = HINOMI__EVENT__BODY_COVERAGE;
	event.coverage = &report;
	pipeline_own(p, KIND_coverage, &event);
}

void announce_tamper(void *pipeline, const Hinomi__SensorTamper *tamper, const struct event *by)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;

	event.body_case = HINOMI__EVENT__BODY_SENSOR_TAMPER;
	event.sensor_tamper = (Hinomi__SensorTamper *)tamper;
	pipeline_own_by(pipeline, KIND_sensor_tamper, &event, by);
}

void announce_found(struct pipeline *p, Hinomi__SensorTamper__What what, const char *object,
		    char *was, char *is)
{
	Hinomi__SensorTamper tamper = HINOMI__SENSOR_TAMPER__INIT;

	tamper.what = what;
	tamper.object = (ProtobufCBinaryData){strlen(object), (uint8_t *)object};
	tamper.was = was ?: tamper.was;
	tamper.is = is ?: tamper.is;
	guard_tell(p->guard, &tamper, NULL);
}

void announce_front(struct pipeline *p, enum lane lane)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	struct spool_position oldest = {0};
	Hinomi__Gap gap = HINOMI__GAP__INIT;
	const void *frame;
	size_t size;
	int n = spool_reader_open(p->config->spool, lane, oldest, &reader);

	if (!n)
		n = spool_read(reader, &frame, &size);
	if (n != 1 || spool_reader_number(reader) == 1)
		return;
	gap.lane = (Hinomi__Lane)lane;
	gap.cpu = CPU_SENSOR;
	gap.first_frame = gap.last_frame = spool_reader_number(reader) - 1;
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_EVICTED;
	announce_gap(p, &gap);
}

void announce_gap(struct pipeline *p, const Hinomi__Gap *gap)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;

	event.body_case = HINOMI__EVENT__BODY_GAP;
	event.gap = (Hinomi__Gap *)gap;
	pipeline_own(p, KIND_gap, &event);
}
