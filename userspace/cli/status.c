/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi status: does the sensor run, what does it cost, what became of its events. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"
#include "cli/vitals.h"
#include "cli/vitals_show.h"

#define SILENT_NS (75 * NS_PER_SEC) /* the longest heartbeat, and time to write it */

static const char help[] =
	"Usage: hinomi status [OPTION]...\n"
	"Says whether the sensor runs, what it costs this machine, and what became of its\n"
	"events, as its spool has it: CPU, memory, disk, the ledger of each class, and, while\n"
	"the kernel counts it (sysctl kernel.bpf_stats_enabled=1), the time in its programs.\n"
	"\n"
	"      --spool DIR         the spool; without it " SPOOL_DEFAULT "\n"
	"  -o, --output text|json  for people, or one JSON object\n"
	"      --json              the same as -o json\n"
	"  -h, --help              this text\n"
	"\n"
	"Exit status: 0 it runs, 1 failed, 2 usage, 3 it is stopped or silent, 77 permission.\n";

/* The boot id of this machine, as frames have it; false where it cannot be told. */
static bool boot_id_here(uint8_t ret[16])
{
	CLEANUP(fclose) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	char text[64];
	size_t n = 0;

	if (!file || !fgets(text, sizeof(text), file))
		return false;
	for (const char *at = text; n < 16 && *at; at++) {
		unsigned byte;

		if (*at == '-')
			continue;
		if (sscanf(at++, "%2x", &byte) != 1)
			return false;
		ret[n++] = (uint8_t)byte;
	}
	return n == 16;
}

/* How long ago the sensor was heard; UINT64_MAX: in another boot, or on another machine. */
static uint64_t silence_ns(const struct vitals *vitals)
{
	uint64_t now = clock_boot_ns();
	uint8_t here[16];

	if (!boot_id_here(here) || memcmp(here, vitals->boot_id, 16))
		return UINT64_MAX;
	return now > vitals->beat_ns ? now - vitals->beat_ns : 0;
}

static enum vitals_state state_of(const struct vitals *vitals, uint64_t silent_ns)
{
	if (!vitals->beat && !vitals->start)
		return VITALS_NONE;
	if (vitals->stopped)
		return VITALS_STOPPED;
	return silent_ns > SILENT_NS ? VITALS_SILENT : VITALS_RUNNING;
}

static int show(const char *dir, bool json)
{
	CLEANUP(vitals_free) struct vitals *vitals = NULL;
	struct vitals_moment moment;
	int err = vitals_read(dir, &vitals);

	if (err)
		return spool_failed(dir, err);
	moment.silent_ns = silence_ns(vitals);
	moment.state = state_of(vitals, moment.silent_ns);
	if (json)
		vitals_json(stdout, vitals, &moment);
	else
		vitals_text(stdout, vitals, &moment);
	return moment.state == VITALS_RUNNING ? STATUS_OK : STATUS_FINDINGS;
}

int command_status(int argc, char **argv)
{
	static const struct option options[] = {{"spool", required_argument, NULL, 's'},
						{"output", required_argument, NULL, 'o'},
						{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	const char *dir = SPOOL_DEFAULT;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "hs:o:", options, NULL)) != -1)
		switch (option) {
		case 'h':
			return usage_help(help);
		case 's':
			dir = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'o':
			json = !strcmp(optarg, "json");
			if (!json && strcmp(optarg, "text") != 0)
				return usage_error("--output takes text or json, not '%s'", optarg);
			break;
		default:
			return usage_refused();
		}
	if (optind < argc)
		return usage_error("'%s' is too much: the spool is named with --spool",
				   argv[optind]);
	return finish(show(dir, json));
}
