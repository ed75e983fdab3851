// SPDX-License-Identifier: Apache-2.0
/* hinomi doctor: what this kernel offers, the hook of each class, and whether a canary saw it work.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "base/escape.h"
#include "base/log.h"
#include "doctor.h"
#include "ring/ring.h"

#define STATUS_FOUND 3
#define ROUNDS	     200 /* looks at the rings while a round goes on, at most */
#define ROUND_MS     100
#define LATE_US	     20000 /* for what a round made, after it is over */

static void take(struct attach *attach, const struct record *rec, size_t size)
{
	if (size >= sizeof(*rec))
		attach_hook_seen(attach, rec->hook);
	if (size >= sizeof(*rec) && attach_is_canary(attach, rec))
		attach_canary_seen(attach, rec->kind, rec->hook, rec->time_ns);
}

/* In the order of time, which tells what belongs to a round. */
static void read_rings(struct attach *attach, struct ring *rings[LANES])
{
	const struct record *next[LANES];
	size_t size[LANES];

	for (int lane = 0; lane < LANES; lane++)
		next[lane] = ring_next(rings[lane], &size[lane]);
	while (next[LANE_KEEP] || next[LANE_BULK]) {
		bool bulk =
			!next[LANE_KEEP] ||
			(next[LANE_BULK] && next[LANE_BULK]->time_ns < next[LANE_KEEP]->time_ns);
		enum lane lane = bulk ? LANE_BULK : LANE_KEEP;

		take(attach, next[lane], size[lane]);
		next[lane] = ring_next(rings[lane], &size[lane]);
	}
	for (int lane = 0; lane < LANES; lane++)
		ring_release(rings[lane]);
}

/* One round; false when it does not end. */
static bool prove_once(struct attach *attach, struct ring *rings[LANES])
{
	int over = attach_canary_start(attach);

	for (int i = 0; i < ROUNDS && !over; i++) {
		struct pollfd wait = {.fd = attach_canary_fd(attach), .events = POLLIN};

		poll(&wait, 1, ROUND_MS);
		read_rings(attach, rings);
		over = attach_canary_over(attach);
	}
	usleep(LATE_US);
	read_rings(attach, rings);
	return over == 1;
}

static int prove(struct attach *attach)
{
	char dir[] = "/tmp/hinomi-doctor.XXXXXX";
	struct ring *rings[LANES] = {};
	int err = 0;

	for (int lane = 0; lane < LANES; lane++)
		err = err ?: ring_open(attach_ring_fd(attach, lane), &rings[lane]);
	if (!err && !mkdtemp(dir))
		err = -errno;
	err = err ?: attach_canary_open(attach, dir);
	while (!err && !attach_canary_judge(attach, prove_once(attach, rings)))
		;
	rmdir(dir);
	for (int lane = 0; lane < LANES; lane++)
		ring_free(rings[lane]);
	return err;
}

static void print_json(const struct coverage *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("{\"class\":\"%s\",\"state\":\"%s\",\"tier\":%u,\"hook\":\"", c[i].name,
		       doctor_state(c[i].state), c[i].tier);
		escape_json(stdout, c[i].hook, strlen(c[i].hook));
		printf("\",\"reason\":\"");
		escape_json(stdout, c[i].reason, strlen(c[i].reason));
		printf("\",\"unproven\":\"");
		escape_json(stdout, c[i].unproven, strlen(c[i].unproven));
		printf("\"}\n");
	}
}

static int status_of(const struct attach *attach, const struct coverage *c, size_t n)
{
	if (attach_blind(attach))
		return attach_blind(attach)->status;
	for (size_t i = 0; i < n; i++)
		if (doctor_is_blind(c[i].state))
			return STATUS_FOUND;
	return 0;
}

int doctor_run(const struct attach_options *options, bool json)
{
	CLEANUP(attach_free) struct attach *attach = NULL;
	const struct coverage *coverage;
	struct attach_error error;
	size_t n;

	if (attach_load(options, &attach, &error) || attach_start(attach, &error)) {
		log_error("%s", error.text);
		return error.status;
	}
	if (!attach_blind(attach) && prove(attach)) {
		log_error("the canary cannot be run; is there room below /tmp?");
		return 1;
	}
	coverage = attach_coverage(attach, &n);
	if (json)
		print_json(coverage, n);
	else
		doctor_table(attach, coverage, n);
	return status_of(attach, coverage, n);
}
