/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How old events are when a reader of the spool gets them.  Usage: follow DIR CLASS SECONDS: once
 * DIR is there, everything of that class for so long; prints number, median, 99th percentile and
 * oldest, in ms.  The time of an event is the kernel's, so both must be of one machine.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/event.h"
#include "frame/frame.h"
#include "spool/spool.h"

#define LOOK_MS	 2
#define AGES_MAX (64u << 20)

static uint32_t *ages_us;
static size_t nages;

static void take(const void *bytes, size_t size, int kind, uint64_t since_ns)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	uint64_t now = clock_boot_ns();

	if (frame_read(bytes, size, &frame) || frame_open_payload(frame)) {
		fprintf(stderr, "follow: a frame cannot be read\n");
		exit(1);
	}
	for (size_t i = 0; i < frame->payload->n_events; i++) {
		const Hinomi__Event *event = frame->payload->events[i];

		if ((int)event->body_case == kind && event->time_ns >= since_ns && nages < AGES_MAX)
			ages_us[nages++] = (uint32_t)((now - event->time_ns) / 1000);
	}
}

static struct spool_reader *open_lane(const char *dir, enum lane lane, uint64_t until_ns)
{
	struct spool_reader *reader;

	while (spool_reader_open(dir, lane, (struct spool_position){0}, &reader)) {
		if (clock_boot_ns() > until_ns) {
			fprintf(stderr, "follow: there is no spool in %s\n", dir);
			exit(1);
		}
		poll(NULL, 0, LOOK_MS);
	}
	return reader;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint64_t since_ns = clock_boot_ns(), until_ns;
	struct spool_reader *readers[LANES];
	const void *bytes;
	int kind;
	size_t size;

	if (argc != 4 || (kind = kind_by_name(argv[2])) < 0)
		return fputs("usage: follow DIR CLASS SECONDS\n", stderr), 2;
	until_ns = since_ns + (uint64_t)atoi(argv[3]) * NS_PER_SEC;
	ages_us = calloc(AGES_MAX, sizeof(*ages_us));
	if (!ages_us)
		return perror("follow"), 1;
	for (int lane = 0; lane < LANES; lane++)
		readers[lane] = open_lane(argv[1], (enum lane)lane, until_ns);
	while (clock_boot_ns() < until_ns) {
		for (int lane = 0; lane < LANES; lane++)
			while (spool_read(readers[lane], &bytes, &size) == 1)
				take(bytes, size, kind, since_ns);
		poll(NULL, 0, LOOK_MS);
	}
	if (!nages)
		return fputs("follow: no such event came\n", stderr), 1;
	qsort(ages_us, nages, sizeof(*ages_us), compare);
	printf("%zu %.1f %.1f %.1f\n", nages, ages_us[nages / 2] / 1e3,
	       ages_us[nages - 1 - nages / 100] / 1e3, ages_us[nages - 1] / 1e3);
	return 0;
}
