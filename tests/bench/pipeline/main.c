/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the rings to the sealed spool: the sensor's own pipeline over records of
 * mix.h, or over a file of recorded ones (tests/bench/record.c).
 *
 *   pipeline [-e EVENTS] [-b BATCH] [-p PROCESSES] [-s SPOOL] [-r RECORDS]
 *
 * BATCH records wait each time the pipeline runs: 1 is a quiet host.  Instructions by stage:
 *   valgrind --tool=callgrind --toggle-collect=pipeline_run --separate-threads=yes pipeline -e
 * 20000 callgrind_annotate --inclusive=yes callgrind.out.*-01
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "enrich/enrich.h"
#include "frame/crypto.h"
#include "frame/frame.h"
#include "mix.h"
#include "pipeline.h"
#include "spool/spool.h"
#include "stand_in.h"

struct options {
	unsigned long events, batch, processes;
	const char *spool, *records;
};

struct recording {
	const char *bytes;
	size_t size, at;
	uint64_t seqs[MIX_CPUS][LANES];
};

static struct recording recording;

static void die(const char *what)
{
	fprintf(stderr, "pipeline: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void recording_open(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		die(path);
	recording.size = (size_t)st.st_size;
	recording.bytes = mmap(NULL, recording.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (recording.bytes == MAP_FAILED)
		die(path);
	close(fd);
}

/* Again from the beginning when it is over; numbers go on, times are those of the first time. */
static const struct record *recording_next(void)
{
	static struct {
		_Alignas(8) char bytes[RECORD_BYTES_MAX];
	} copy;
	struct record *record = (struct record *)copy.bytes;
	uint32_t size;

	if (recording.size - recording.at < sizeof(struct record))
		recording.at = 0;
	memcpy(&size, recording.bytes + recording.at, sizeof(size));
	if (size > sizeof(copy) || size > recording.size - recording.at)
		die("not a file of records");
	memcpy(copy.bytes, recording.bytes + recording.at, size);
	recording.at += (size + 7u) & ~(size_t)7;
	record->cpu %= MIX_CPUS;
	record->seq = ++recording.seqs[record->cpu][record->lane];
	return record;
}

static const struct record *next_record(void)
{
	return recording.bytes ? recording_next() : mix_next();
}

struct totals {
	uint64_t wall_ns, main_ns, all_ns, events;
};

static void run(struct pipeline *p, const struct options *options, struct totals *totals)
{
	const struct record *record = next_record();

	while (totals->events < options->events) {
		uint64_t start = clock_boot_ns(), main_ns, all_ns, n = 0;

		for (; n < options->batch && stand_in_put(record); n++)
			record = next_record();
		start = clock_boot_ns();
		main_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
		all_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
		while (pipeline_waiting(p))
			pipeline_run(p);
		totals->main_ns += cpu_ns(CLOCK_THREAD_CPUTIME_ID) - main_ns;
		totals->all_ns += cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - all_ns;
		totals->wall_ns += clock_boot_ns() - start;
		totals->events += n;
	}
}

static void print_spool(const char *dir, uint64_t events)
{
	uint64_t raw = 0, bytes = 0, frames = 0, found = 0;

	for (int lane = 0; lane < LANES; lane++) {
		CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
		const void *data;
		size_t size;

		if (spool_reader_open(dir, (enum lane)lane, (struct spool_position){0}, &reader))
			die(dir);
		while (spool_read(reader, &data, &size) == 1) {
			CLEANUP(frame_free) struct frame *frame = NULL;

			if (frame_read(data, size, &frame) || frame_open_payload(frame))
				die("a frame cannot be read");
			raw += frame->header->payload_size;
			found += frame->header->events;
			bytes += size;
			frames++;
		}
	}
	printf("frames          %8llu with %llu events\n", (unsigned long long)frames,
	       (unsigned long long)found);
	printf("payload         %8.1f bytes/event before compression\n",
	       (double)raw / (double)events);
	printf("spool           %8.1f bytes/event, with headers and signatures\n",
	       (double)bytes / (double)events);
}

static void print_memory(const struct pipeline *p)
{
	struct enrich_stats stats;
	CLEANUP(fclose) FILE *status = fopen("/proc/self/status", "re");
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "VmHWM", 5) || !strncmp(line, "Rss", 3))
			fputs(line, stdout);
	enrich_stats(p->enrich, &stats);
	printf("of which rings  %8zu kB\n", stand_in_bytes() >> 10);
	printf("processes       %8llu, files %llu\n", (unsigned long long)stats.processes,
	       (unsigned long long)stats.origins);
}

static int options_read(struct options *options, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "e:b:p:s:r:")) != -1)
		switch (c) {
		case 'e':
			options->events = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			options->batch = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			options->processes = strtoul(optarg, NULL, 10);
			break;
		case 's':
			options->spool = optarg;
			break;
		case 'r':
			options->records = optarg;
			break;
		default:
			return 2;
		}
	return optind == argc && options->batch ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct options options = {.events = 1000000, .batch = 4096, .processes = 200};
	char made[] = "/var/tmp/bench-pipeline-XXXXXX", error[CONFIG_ERROR_MAX];
	struct config *config = NULL;
	struct pipeline pipeline;
	struct pipeline_error why;
	struct totals totals = {0};

	if (options_read(&options, argc, argv))
		return 2;
	if (!options.spool && !(options.spool = mkdtemp(made)))
		die(made);
	if (options.records)
		recording_open(options.records);
	else
		mix_init((unsigned)options.processes);
	if (crypto_start() || config_load("/dev/null", &config, error))
		die("configuration");
	free(config->spool);
	config->spool = strdup(options.spool);
	if (pipeline_open(&pipeline, config, stand_in_new(), &why)) {
		fprintf(stderr, "pipeline: %s\n", why.text);
		return 1;
	}
	run(&pipeline, &options, &totals);
	pipeline_drain(&pipeline);
	pipeline_end(&pipeline);
	print_memory(&pipeline);
	pipeline_close(&pipeline);
	printf("events          %8llu in batches of %lu\n", (unsigned long long)totals.events,
	       options.batch);
	printf("pipeline        %8.0f ns/event of its thread, %.0f of all threads, %.0f passed\n",
	       (double)totals.main_ns / (double)totals.events,
	       (double)totals.all_ns / (double)totals.events,
	       (double)totals.wall_ns / (double)totals.events);
	printf("throughput      %8.0f events/s of one cpu\n",
	       (double)totals.events * 1e9 / (double)totals.all_ns);
	print_spool(options.spool, totals.events);
	config_free(config);
	return 0;
}
