/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision costs: over the number of rules, and over the length of a list, which it must not
 * depend on. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "filter/filter.h"

#define EVENTS 2000000

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void bench(const char *name, const char *const *rules, size_t nrules)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	static char executable[] = "/usr/lib/some/program",
		    path[] = "/var/lib/data/file-of-some-length";
	Hinomi__Process process = HINOMI__PROCESS__INIT;
	Hinomi__File file = HINOMI__FILE__INIT;
	Hinomi__FileOpen open_body = HINOMI__FILE_OPEN__INIT;
	Hinomi__Event body = HINOMI__EVENT__INIT;
	struct event event = {.kind = KIND_file_open, .body = &body, .process = &process};
	char error[256];
	unsigned kept = 0;
	double start;

	process.executable = (ProtobufCBinaryData){sizeof(executable) - 1, (uint8_t *)executable};
	file.path = (ProtobufCBinaryData){sizeof(path) - 1, (uint8_t *)path};
	open_body.file = &file;
	body.body_case = HINOMI__EVENT__BODY_FILE_OPEN;
	body.file_open = &open_body;
	if (filter_new(&filter))
		exit(1);
	for (size_t i = 0; i < nrules; i++) {
		if (filter_add(filter, rules[i], error, sizeof(error))) {
			fprintf(stderr, "%s: %s\n", rules[i], error);
			exit(1);
		}
	}
	start = now_ns();
	for (unsigned i = 0; i < EVENTS; i++)
		kept += filter_keeps(filter, &event);
	printf("%-32s %6.1f ns%s\n", name, (now_ns() - start) / EVENTS,
	       kept == EVENTS ? "" : " (not all kept)");
}

static void bench_list(unsigned entries)
{
	CLEANUP(free) char *rule = NULL;
	size_t size;
	FILE *out = open_memstream(&rule, &size);
	char name[64];

	fputs("drop * where process.executable in /first", out);
	for (unsigned i = 1; i < entries; i++)
		fprintf(out, ",/usr/lib/some/other-program-%u", i);
	fclose(out);
	snprintf(name, sizeof(name), "a list of %u", entries);
	bench(name, (const char *const[]){rule}, 1);
}

int main(void)
{
	static const char *const prefixes[] = {
		"drop file_open where body.file.path ^= /var/log/",
		"drop file_open where body.file.path ^= /run/",
		"drop file_open where body.file.path ^= /proc/",
		"drop file_open where body.file.path $= .swp",
		"drop * where process.unit = cron.service",
		"drop exec where process.comm = sh",
		"drop * where process.container_id != \"\" and body.file.uid > 100000",
		"drop connect where body.peer.ip in 127.0.0.0/8, ::1",
	};

	bench("no rule", NULL, 0);
	bench("one prefix", prefixes, 1);
	bench("eight rules, six of the class", prefixes, 8);
	for (unsigned entries = 10; entries <= 100000; entries *= 10)
		bench_list(entries);
	return 0;
}
