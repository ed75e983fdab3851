/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi spool check, hinomi spool export: the bytes on disk, and the frames in them. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/row.h"
#include "spool/spool.h"

static const char help[] =
	"Usage: hinomi spool check [--repair] [--spool DIR]\n"
	"       hinomi spool export [--spool DIR] > FILE\n"
	"check reads every record of a spool and compares it with its checksum. What the\n"
	"records say is checked by hinomi verify. Readers skip what is damaged, and the\n"
	"sensor cuts off a torn end when it starts; with --repair that is done first, while\n"
	"no sensor runs. Nothing else is changed: what is damaged stays, for who looks into it.\n"
	"export writes every frame that can be read in a row, each a 32-bit little-endian\n"
	"length and its bytes, both lanes: for hinomi verify --frames, for another machine,\n"
	"out of a spool that is damaged.\n"
	"\n"
	"      --repair      cut off torn ends first; needs the right to write\n"
	"      --spool DIR   the spool; without it " SPOOL_DEFAULT "\n"
	"  -h, --help        this text\n"
	"\n"
	"Exit status: 0 sound, 1 cannot be read or written, 2 usage, 3 damaged, 77 permission.\n";

static int check(const char *dir, bool repair)
{
	int damaged = repair ? spool_repair(dir) : 0;

	if (damaged == -EBUSY) {
		log_error("a sensor writes to %s, and repairs what it finds when it starts", dir);
		return STATUS_FAILED;
	}
	if (damaged < 0)
		return spool_failed(dir, damaged);
	damaged = spool_check(dir, stdout);
	if (damaged < 0)
		return spool_failed(dir, damaged);
	return damaged ? STATUS_FINDINGS : STATUS_OK;
}

static int export_lane(const char *dir, enum lane lane, uint64_t *damages)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	const void *frame;
	size_t size;
	int n = spool_reader_open(dir, lane, (struct spool_position){0}, &reader);

	if (n)
		return n;
	while ((n = spool_read(reader, &frame, &size)) == 1 || n == -EBADMSG) {
		int err = n == 1 ? row_write(stdout, frame, size) : 0;

		*damages += n == -EBADMSG && !spool_reader_damage(reader).evicted;
		if (err) {
			log_error("cannot write: %s", strerror(-err));
			return err;
		}
	}
	return n;
}

/* Bulk first: what declares its holes comes behind it. */
static int export_frames(const char *dir)
{
	uint64_t damages = 0;
	int err;

	if (isatty(STDOUT_FILENO))
		return usage_error("frames are bytes, not text: hinomi spool export > FILE");
	err = export_lane(dir, LANE_BULK, &damages);
	if (!err)
		err = export_lane(dir, LANE_KEEP, &damages);
	if (err)
		return spool_failed(dir, err);
	if (damages)
		log_warning("%" PRIu64 " stretches are damaged and were left out", damages);
	return damages ? STATUS_FINDINGS : STATUS_OK;
}

int command_spool(int argc, char **argv)
{
	static const struct option options[] = {{"repair", no_argument, NULL, 'r'},
						{"spool", required_argument, NULL, 's'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	const char *dir = SPOOL_DEFAULT;
	bool repair = false;
	int option;

	while ((option = getopt_long(argc, argv, "hs:", options, NULL)) != -1) {
		if (option == 'h')
			return usage_help(help);
		if (option != 's' && option != 'r')
			return usage_refused();
		if (option == 'r')
			repair = true;
		else
			dir = optarg;
	}
	if (argc - optind == 1 && !strcmp(argv[optind], "check"))
		return finish(check(dir, repair));
	if (argc - optind == 1 && !repair && !strcmp(argv[optind], "export"))
		return finish(export_frames(dir));
	return usage_error("what to do with the spool? It can be told: check, export");
}
