// SPDX-License-Identifier: Apache-2.0
/* hinomi doctor: what this kernel offers, the hook of each class, and whether a canary saw it work.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/attach.h"
#include "base/escape.h"
#include "base/log.h"
#include "config/config.h"
#include "pipeline.h"
#include "ring/ring.h"

#define ROUNDS 100 /* of 100 ms that a canary may take */

static const char *state_name(Hinomi__Coverage__State state)
{
	switch (state) {
	case HINOMI__COVERAGE__STATE__STATE_VERIFIED:
		return "verified";
	case HINOMI__COVERAGE__STATE__STATE_SILENT:
		return "silent";
	case HINOMI__COVERAGE__STATE__STATE_LOWER_TIER:
		return "lower tier";
	case HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE:
		return "unavailable";
	case HINOMI__COVERAGE__STATE__STATE_UNPROVEN:
		return "unproven";
	case HINOMI__COVERAGE__STATE__STATE_OFF:
		return "off";
	default:
		return "unproven";
	}
}

static void read_ring(struct attach *attach, struct ring *ring)
{
	const struct record *rec;
	size_t size;

	while ((rec = ring_next(ring, &size)))
		if (size >= sizeof(*rec) && attach_is_canary(attach, rec))
			attach_canary_seen(attach, rec->kind, rec->hook);
	ring_release(ring);
}

static int prove(struct attach *attach)
{
	CLEANUP(ring_free) struct ring *keep = NULL, *bulk = NULL;
	char dir[] = "/tmp/hinomi-doctor.XXXXXX";
	pid_t pid;

	if (ring_open(attach_ring_fd(attach, LANE_KEEP), &keep) ||
	    ring_open(attach_ring_fd(attach, LANE_BULK), &bulk) || !mkdtemp(dir))
		return -1;
	do {
		int over = 0;

		pid = attach_canary(attach, dir);
		for (int i = 0; i < ROUNDS && pid > 0 && over < 2; i++) {
			read_ring(attach, keep);
			read_ring(attach, bulk);
			if (over || waitpid(pid, NULL, WNOHANG) == pid)
				over++;
			else
				usleep(100000);
		}
	} while (!attach_canary_done(attach));
	rmdir(dir);
	return 0;
}

static void print_text(const struct coverage *c, size_t n)
{
	struct utsname host;

	uname(&host);
	printf("kernel %s on %s, hinomi %s\n\n", host.release, host.machine, HINOMI_VERSION);
	printf("%-12s %-11s %-4s %s\n", "class", "state", "tier", "hook");
	for (size_t i = 0; i < n; i++) {
		printf("%-12s %-11s %-4.0u %s\n", c[i].name, state_name(c[i].state), c[i].tier,
		       c[i].hook);
		if (c[i].reason[0])
			printf("%29s(%s)\n", "", c[i].reason);
	}
}

static void print_json(const struct coverage *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("{\"class\":\"%s\",\"state\":\"%s\",\"tier\":%u,\"hook\":\"", c[i].name,
		       state_name(c[i].state), c[i].tier);
		escape_json(stdout, c[i].hook, strlen(c[i].hook));
		printf("\",\"reason\":\"");
		escape_json(stdout, c[i].reason, strlen(c[i].reason));
		printf("\"}\n");
	}
}

int doctor_run(const struct config *config, const char *cgroup, int tier_min, bool json)
{
	CLEANUP(attach_free) struct attach *attach = NULL;
	struct attach_options options = {
		.cgroup = cgroup,
		.ring_bytes = {config->ring_keep_bytes, config->ring_bulk_bytes},
		.tier_min = tier_min,
	};
	const struct coverage *coverage;
	struct attach_error error;
	size_t n;

	if (attach_load(&options, &attach, &error) || attach_start(attach, &error)) {
		log_error("%s", error.text);
		return error.status;
	}
	if (prove(attach)) {
		log_error("the canary cannot be run; is there room below /tmp?");
		return 1;
	}
	coverage = attach_coverage(attach, &n);
	if (json)
		print_json(coverage, n);
	else
		print_text(coverage, n);
	return 0;
}
