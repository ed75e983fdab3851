// SPDX-License-Identifier: Apache-2.0
/* What the sensor costs, for its heartbeat. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "attach/attach.h"
#include "pipeline.h"
#include "spool/spool.h"
#include "stats/ledger.h"

#define PROGRAMS_MAX 512

static uint64_t cpu_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static uint64_t resident_bytes(void)
{
	CLEANUP(fclose) FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long total, resident;

	if (!f || fscanf(f, "%llu %llu", &total, &resident) != 2)
		return 0;
	return resident * sysconf(_SC_PAGESIZE);
}

/* Events count as long as the kernel counts programs, so that the two can be divided. */
static void events_count(struct pipeline *p, bool counting)
{
	struct costs *costs = &p->costs;

	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		uint64_t seen = ledger_class(p->ledger, kind).seen;

		if (counting && costs->counting)
			costs->counted[kind] += seen - costs->seen[kind];
		costs->seen[kind] = seen;
	}
	costs->counting = counting;
}

static ProtobufCBinaryData name_of(unsigned kind)
{
	const char *name = kind_name(kind);

	return name ? (ProtobufCBinaryData){strlen(name), (uint8_t *)name}
		    : (ProtobufCBinaryData){0};
}

static Hinomi__ProgramCost *program_cost(struct pipeline *p, const struct spent *spent)
{
	Hinomi__ProgramCost *cost = arena_alloc(&p->arena, sizeof(*cost));
	ProtobufCBinaryData *classes = arena_alloc(&p->arena, KINDS_MAX * sizeof(*classes));

	if (!cost || !classes)
		return NULL;
	hinomi__program_cost__init(cost);
	cost->program = (char *)spent->program;
	cost->runs = spent->runs;
	cost->run_ns = spent->ns;
	cost->classes = classes;
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		if (attach_rests_on(p->attach, kind, spent->program)) {
			classes[cost->n_classes++] = name_of(kind);
			cost->events += p->costs.counted[kind];
		}
	return cost;
}

static void programs_fill(struct pipeline *p, Hinomi__Heartbeat *beat)
{
	struct spent spent[PROGRAMS_MAX];
	size_t n = attach_spent(p->attach, spent, ARRAY_SIZE(spent));

	events_count(p, n > 0);
	beat->programs = n ? arena_alloc(&p->arena, n * sizeof(beat->programs[0])) : NULL;
	for (size_t i = 0; beat->programs && i < n; i++) {
		Hinomi__ProgramCost *cost = program_cost(p, &spent[i]);

		if (cost)
			beat->programs[beat->n_programs++] = cost;
	}
}

void costs_fill(struct pipeline *p, Hinomi__Heartbeat *beat)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	beat->start_ns = p->costs.start_ns;
	beat->cpu_ns = cpu_time_ns();
	beat->helpers_cpu_ns = attach_helpers_ns(p->attach);
	beat->wakeups = (uint64_t)usage.ru_nvcsw;
	beat->memory_bytes = resident_bytes();
	beat->memory_peak_bytes = (uint64_t)usage.ru_maxrss << 10;
	beat->spool_bytes = spool_bytes(p->spool);
	programs_fill(p, beat);
}
