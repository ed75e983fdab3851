/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a spool costs over what lies in it: appending a frame, opening it again
 * (recovery), reaching its newest frame, reading all of it.  Usage: backlog [DIR]
 */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "spool/spool.h"

#define FRAME_BYTES 65536
#define MIB_MAX	    10240
#define LIMIT	    (16ULL << 30)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static struct spool_writer *writer_open(const char *dir)
{
	const struct spool_options options = {.limit_bytes = LIMIT, .reader_gid = -1};
	struct spool_writer *writer;

	if (spool_writer_open(dir, &options, &writer))
		die(dir);
	return writer;
}

/* ns per frame of the last of them */
static double fill(struct spool_writer *writer, uint64_t bytes, uint64_t *number)
{
	static uint8_t frame[FRAME_BYTES];
	uint64_t from = *number, start = clock_boot_ns();

	memset(frame, 'f', sizeof(frame));
	while (*number * FRAME_BYTES < bytes)
		if (spool_append(writer, LANE_BULK, ++*number, frame, sizeof(frame)))
			die("append");
	return (double)(clock_boot_ns() - start) / (double)(*number - from ? *number - from : 1);
}

static uint64_t read_from(const char *dir, struct spool_position from)
{
	struct spool_reader *reader;
	const void *frame;
	size_t size;
	uint64_t n = 0;

	if (spool_reader_open(dir, LANE_BULK, from, &reader))
		die("read");
	while (spool_read(reader, &frame, &size) == 1)
		n++;
	spool_reader_free(reader);
	return n;
}

static void bench(const char *dir, uint64_t mib, uint64_t *number)
{
	struct spool_writer *writer = writer_open(dir);
	struct spool_position last;
	double append_ns = fill(writer, mib << 20, number), opened_ms, newest_ms, all_ms;
	struct rusage usage;
	uint64_t start;

	if (spool_sync(writer))
		die("sync");
	spool_writer_free(writer);
	start = clock_boot_ns();
	writer = writer_open(dir);
	opened_ms = (double)(clock_boot_ns() - start) / 1e6;
	start = clock_boot_ns();
	if (spool_last_segment(dir, LANE_BULK, &last))
		die("last segment");
	read_from(dir, last);
	newest_ms = (double)(clock_boot_ns() - start) / 1e6;
	start = clock_boot_ns();
	if (read_from(dir, (struct spool_position){0}) != *number)
		die("frames are missing");
	all_ms = (double)(clock_boot_ns() - start) / 1e6;
	spool_writer_free(writer);
	getrusage(RUSAGE_SELF, &usage);
	printf("%8llu %12.1f %10.2f %10.2f %12.1f %10.1f\n", (unsigned long long)mib,
	       append_ns / 1e3, opened_ms, newest_ms, all_ms / (double)mib * 1e3,
	       (double)usage.ru_maxrss / 1024);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char dir[256];
	uint64_t number = 0;

	snprintf(dir, sizeof(dir), "%s/hinomi-backlog-XXXXXX", argc > 1 ? argv[1] : "/var/tmp");
	if (!mkdtemp(dir))
		die(dir);
	printf("     MiB    append us    open ms  newest ms  read us/MiB   peak MiB\n");
	for (uint64_t mib = 1; mib <= MIB_MAX; mib *= mib < 1024 ? 4 : 10)
		bench(dir, mib, &number);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) ? 1 : 0;
}
