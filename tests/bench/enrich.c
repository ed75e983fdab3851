/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decode and enrich cost per event, over the number of live processes, with
 * each event of another process and with runs of sixteen of the same.
 */
#include <hinomi/record.h>
#include <hinomi/record_file.h>
#include <hinomi/record_process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/arena.h"
#include "decode/decode.h"
#include "enrich/enrich.h"

#define EVENTS 1000000
#define BATCH  4096

struct open_bytes {
	struct open_record open;
	char path[64];
};

struct totals {
	uint64_t decode_ns, enrich_ns, arena_bytes;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Process n has the parent n / 2, as deep as a real tree is. */
static void record_fill(struct open_bytes *rec, uint32_t n)
{
	struct actor *actor = &rec->open.record.actor;
	static const char path[] = "/var/lib/application/data/file-of-some-length";

	rec->open.record.size = sizeof(*rec);
	rec->open.record.kind = KIND_file_open;
	rec->open.record.lane = LANE_BULK;
	actor->key = (struct process_key){.tgid = n + 1, .start_ns = n + 1, .exec_id = 1};
	actor->parent = (struct process_key){.tgid = n / 2 + 1, .start_ns = n / 2 + 1};
	actor->tid = n + 1;
	actor->login_uid = 1000;
	actor->cred.cap_effective = n % 10 ? 0 : -1ULL;
	snprintf(actor->comm, sizeof(actor->comm), "process%u", n % 100);
	rec->open.file.inode = n;
	rec->open.file.path = (struct bytes_ref){.off = offsetof(struct open_bytes, path),
						 .len = sizeof(path) - 1};
	memcpy(rec->path, path, sizeof(path));
}

static void seed(struct enrich *enrich, uint32_t processes, struct arena *arena)
{
	static struct {
		struct task_record task;
		char bytes[64];
	} rec;
	static const char bytes[] = "/usr/bin/program\0--option\0value\0--another=option";
	struct open_bytes open;
	struct event event;

	for (uint32_t n = 0; n < processes; n++) {
		record_fill(&open, n);
		rec.task.record = open.open.record;
		rec.task.record.kind = KIND_task;
		rec.task.record.size = sizeof(rec);
		rec.task.argc = 4;
		rec.task.file.path = (struct bytes_ref){.off = sizeof(rec.task), .len = 16};
		rec.task.args = (struct bytes_ref){.off = sizeof(rec.task), .len = sizeof(bytes)};
		memcpy(rec.bytes, bytes, sizeof(bytes));
		arena_reset(arena);
		if (decode_record(&rec, sizeof(rec), arena, &event) || enrich_seed(enrich, &event))
			die("seed");
	}
}

static void run(struct enrich *enrich, const struct open_bytes *recs, uint32_t processes,
		unsigned burst, struct arena *arena, struct totals *totals)
{
	static struct event events[BATCH];
	uint64_t start;
	uint64_t random = 88172645463325252ULL;
	uint32_t n = 0;

	for (unsigned done = 0; done < EVENTS; done += BATCH) {
		arena_reset(arena);
		start = now_ns();
		for (unsigned i = 0; i < BATCH; i++) {
			if (i % burst == 0) {
				random ^= random << 13;
				random ^= random >> 7;
				random ^= random << 17;
				n = (uint32_t)(random % processes);
			}
			if (decode_record(&recs[n], sizeof(recs[n]), arena, &events[i]))
				die("decode");
		}
		totals->decode_ns += now_ns() - start;
		start = now_ns();
		for (unsigned i = 0; i < BATCH; i++)
			if (enrich_event(enrich, &events[i], arena))
				die("enrich");
		totals->enrich_ns += now_ns() - start;
		totals->arena_bytes = arena->used;
	}
}

static void bench(uint32_t processes, unsigned burst)
{
	struct enrich_options options = {.processes_max = 131072, .root = "/"};
	struct open_bytes *recs = calloc(processes, sizeof(*recs));
	struct enrich *enrich;
	struct totals totals = {0};
	struct arena arena;

	arena_init(&arena, 64 << 20);
	if (!recs || enrich_new(&options, &enrich))
		die("enrich_new");
	for (uint32_t n = 0; n < processes; n++)
		record_fill(&recs[n], n);
	seed(enrich, processes, &arena);
	run(enrich, recs, processes, burst, &arena, &totals);
	printf("%9u  %5u  %9.0f  %9.0f  %11.0f\n", processes, burst,
	       (double)totals.decode_ns / EVENTS, (double)totals.enrich_ns / EVENTS,
	       (double)totals.arena_bytes / BATCH);
	enrich_free(enrich);
	arena_done(&arena);
	free(recs);
}

int main(void)
{
	static const uint32_t processes[] = {100, 1000, 10000, 100000};
	static const unsigned bursts[] = {16, 1};

	printf("processes  burst  decode ns  enrich ns  arena B/event\n");
	for (size_t i = 0; i < sizeof(bursts) / sizeof(*bursts); i++)
		for (size_t j = 0; j < sizeof(processes) / sizeof(*processes); j++)
			bench(processes[j], bursts[i]);
	return 0;
}
