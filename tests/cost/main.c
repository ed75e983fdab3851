// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cost.h"

static const char usage[] =
	"usage: cost [OPTION...] WORKLOAD... [-- SENSOR [ARGUMENT...]]\n"
	"Runs workloads, with a sensor beside them when one is named, and prints one line for "
	"each\n"
	"run: name, iterations, ns of wall clock and of the workload's CPU, ns of the sensor's "
	"CPU\n"
	"until it had caught up, ms which that took, its wakeups, KiB that it has in memory then.\n"
	"  --runs N              runs of each workload, all workloads in turn (1)\n"
	"  --scale X             times the iterations that a workload has by itself\n"
	"  --dir DIR             where files are made (/tmp/cost)\n"
	"  --command COMMAND     what the workload `command` runs\n"
	"  --cgroup DIR          cgroup v2 directory for the workloads\n"
	"  --sensor-cgroup DIR   ... and for the sensor (/sys/fs/cgroup/cost-sensor)\n"
	"  --kthread NAME        a kernel thread that works for the sensor\n"
	"  --after COMMAND       is run once more before the sensor is stopped\n"
	"  --settle SECONDS      the sensor is ready after so long, and does not say so\n"
	"Workloads: nothing (but the process of a run); getppid; read, write, again (open and "
	"close: other files, for writing, and "
	"one\n"
	"file over and over); exec; tcp; udp; command; idle (for a second).\n";

struct bench {
	struct ground ground;
	struct subject subject;
	const char *cgroup, *after;
	double scale;
	unsigned runs;
	struct usage before;
};

static void begin(void *ctx)
{
	struct bench *bench = ctx;

	subject_calm(&bench->subject, 1);
	if (bench->subject.pid)
		usage_read(bench->subject.cgroup, bench->subject.kthread, &bench->before);
}

static unsigned iterations(const struct bench *bench, const struct workload *workload)
{
	double n = workload->fixed ? workload->n : workload->n * bench->scale;

	return n < 1 ? 1 : (unsigned)n;
}

static bool measure(struct bench *bench, const struct workload *workload)
{
	unsigned n = iterations(bench, workload);
	struct usage after = {};
	struct outcome outcome;
	uint64_t calm_ms;

	bench->before = after;
	if (!run_workload(workload, &bench->ground, n, bench->cgroup, begin, bench, &outcome))
		return false;
	calm_ms = subject_calm(&bench->subject, 1);
	if (bench->subject.pid) {
		if (!subject_alive(&bench->subject)) {
			fputs("cost: the sensor has ended\n", stderr);
			return false;
		}
		usage_read(bench->subject.cgroup, bench->subject.kthread, &after);
	}
	printf("%s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
	       "\n",
	       workload->name, n, outcome.wall_ns, outcome.own_ns,
	       after.cpu_ns - bench->before.cpu_ns, calm_ms, after.wakeups - bench->before.wakeups,
	       after.kib);
	fflush(stdout);
	return true;
}

static bool measure_all(struct bench *bench, char *const *names)
{
	for (unsigned run = 0; run < bench->runs; run++)
		for (unsigned i = 0; names[i] && strcmp(names[i], "--"); i++)
			if (!measure(bench, workload_named(names[i])))
				return false;
	return true;
}

static int options(struct bench *bench, int argc, char **argv)
{
	static const struct option longs[] = {
		{"runs", 1, NULL, 'r'},	   {"scale", 1, NULL, 's'},
		{"dir", 1, NULL, 'd'},	   {"command", 1, NULL, 'c'},
		{"cgroup", 1, NULL, 'g'},  {"sensor-cgroup", 1, NULL, 'G'},
		{"kthread", 1, NULL, 'k'}, {"settle", 1, NULL, 'S'},
		{"after", 1, NULL, 'a'},   {}};
	int c;

	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1)
		switch (c) {
		case 'r':
			bench->runs = (unsigned)atoi(optarg);
			break;
		case 's':
			bench->scale = atof(optarg);
			break;
		case 'd':
			bench->ground.dir = optarg;
			break;
		case 'c':
			bench->ground.command = optarg;
			break;
		case 'g':
			bench->cgroup = optarg;
			break;
		case 'G':
			bench->subject.cgroup = optarg;
			break;
		case 'k':
			bench->subject.kthread = optarg;
			break;
		case 'a':
			bench->after = optarg;
			break;
		case 'S':
			bench->subject.settle_ms = (unsigned)(atof(optarg) * 1000);
			break;
		default:
			return -1;
		}
	return optind;
}

/* The greatest number of iterations of a workload that opens files; 0 on a name that is none. */
static bool names_known(const struct bench *bench, char *const *names, unsigned *files)
{
	unsigned i;

	for (i = 0; names[i] && strcmp(names[i], "--"); i++)
		if (!workload_named(names[i]))
			return false;
	*files = iterations(bench, workload_named("write"));
	return i;
}

int main(int argc, char **argv)
{
	struct bench bench = {.ground.dir = "/tmp/cost",
			      .scale = 1,
			      .runs = 1,
			      .subject.cgroup = "/sys/fs/cgroup/cost-sensor"};
	unsigned files = 0;
	bool done;
	int at, status;

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	at = options(&bench, argc, argv);
	if (at < 0 || !names_known(&bench, argv + at, &files))
		return fputs(usage, stderr), 2;
	for (int i = at; i < argc && !bench.subject.arguments; i++)
		if (!strcmp(argv[i], "--") && argv[i + 1])
			bench.subject.arguments = argv + i + 1;
	mkdir(bench.ground.dir, 0755);
	done = ground_prepare(&bench.ground, files);
	if (done && bench.subject.arguments) {
		done = subject_start(&bench.subject);
		subject_calm(&bench.subject, 5);
	}
	done = done && measure_all(&bench, argv + at);
	if (done && bench.after)
		done = !system(bench.after);
	status = subject_stop(&bench.subject);
	ground_clear(&bench.ground);
	if (status)
		fprintf(stderr, "cost: the sensor ended with wait status %#x\n", (unsigned)status);
	return done && !status ? 0 : 1;
}
