/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi spool check: the bytes on disk, whatever they say. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "spool/spool.h"

static const char help[] =
	"Usage: hinomi spool check [--spool DIR]\n"
	"Reads every record of a spool and checks it against its checksum. What the\n"
	"records say is checked by hinomi verify. Repairs nothing: readers skip what is\n"
	"damaged, and the sensor cuts off a torn end when it starts.\n"
	"\n"
	"      --spool DIR   the spool; without it " SPOOL_DEFAULT "\n"
	"  -h, --help        this text\n"
	"\n"
	"Exit status: 0 sound, 1 cannot be read, 2 usage, 3 damaged, 77 permission.\n";

static int check(const char *dir)
{
	int damaged = spool_check(dir, stdout);

	if (damaged < 0)
		return spool_failed(dir, damaged);
	return damaged ? STATUS_FINDINGS : STATUS_OK;
}

int command_spool(int argc, char **argv)
{
	static const struct option options[] = {
		{"spool", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *dir = SPOOL_DEFAULT;
	int option;

	while ((option = getopt_long(argc, argv, "hs:", options, NULL)) != -1) {
		if (option == 'h')
			return usage_help(help);
		if (option != 's')
			return usage_refused();
		dir = optarg;
	}
	if (argc - optind != 1 || strcmp(argv[optind], "check"))
		return usage_error("what to do with the spool? It can be told: check");
	return finish(check(dir));
}
