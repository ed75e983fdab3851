/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what the kernel puts into the rings to a file, for `pipeline -r`: each
 * record as it is, padded to 8 bytes.  As root: record FILE SECONDS CGROUP
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "attach/attach.h"
#include "base/clock.h"
#include "ring/ring.h"

static void die(const char *what, int status)
{
	fprintf(stderr, "record: %s\n", what);
	exit(status);
}

static unsigned long copy(struct ring *ring, FILE *to)
{
	static const char zeros[8];
	unsigned long n = 0;
	const void *record;
	size_t size;

	while ((record = ring_next(ring, &size))) {
		if (fwrite(record, size, 1, to) != 1 ||
		    (size % 8 && fwrite(zeros, 8 - size % 8, 1, to) != 1))
			die("the file cannot be written", 1);
		n++;
	}
	ring_release(ring);
	return n;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
	struct attach_options options = {.ring_bytes = {4u << 20, 16u << 20}, .tier_min = 1};
	struct ring *rings[LANES];
	struct attach_error error;
	struct attach *attach;
	unsigned long n = 0;
	uint64_t until;
	FILE *to;

	if (argc != 4)
		die("usage: record FILE SECONDS CGROUP", 2);
	options.cgroup = argv[3];
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	to = fopen(argv[1], "we");
	if (!to)
		die("the file cannot be made", 1);
	if (attach_load(&options, &attach, &error) || attach_start(attach, &error))
		die(error.text, error.status);
	for (int lane = 0; lane < LANES; lane++)
		if (ring_open(attach_ring_fd(attach, lane), &rings[lane]))
			die("a ring cannot be opened", 1);
	puts("recording");
	fflush(stdout);
	until = clock_boot_ns() + strtoul(argv[2], NULL, 10) * NS_PER_SEC;
	while (clock_boot_ns() < until) {
		for (int lane = 0; lane < LANES; lane++)
			n += copy(rings[lane], to);
		nanosleep(&pause, NULL);
	}
	if (fclose(to))
		die("the file cannot be written", 1);
	printf("%lu records\n", n);
	for (int lane = 0; lane < LANES; lane++)
		ring_free(rings[lane]);
	attach_free(attach);
	return 0;
}
