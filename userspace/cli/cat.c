/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi cat: all that a spool holds, then the end. */
#include "cli/cli.h"

#include <getopt.h>
#include <inttypes.h>

#include "base/log.h"
#include "cli/stream.h"
#include "cli/view.h"

static const char help[] =
	"Usage: hinomi cat [OPTION]...\n"
	"Prints the events of a spool in the order of time.\n"
	"\n"
	"      --spool DIR         the spool; without it " SPOOL_DEFAULT
	"\n" VIEW_HELP_LANE VIEW_HELP "  -h, --help              this text\n"
	"\n"
	"Exit status: 0 ok, 1 failed or something was damaged, 2 usage, 77 permission.\n";

static int print_all(const char *dir, struct stream *stream, struct view *view)
{
	const struct frame *frame;
	const Hinomi__Event *event;
	int got = 0;

	while (!ferror(stdout) && (got = stream_next(stream, false, &frame, &event)) == 1)
		view_event(view, frame, event);
	view_close(view);
	if (!ferror(stdout) && got < 0)
		return spool_failed(dir, got);
	return stream_damaged(stream) ? STATUS_FAILED : STATUS_OK;
}

int command_cat(int argc, char **argv)
{
	static const struct option options[] = {{"spool", required_argument, NULL, 's'},
						{"help", no_argument, NULL, 'h'},
						VIEW_LONG_LANE,
						VIEW_LONG,
						{0}};
	const struct stream_position start = {0};
	CLEANUP(stream_free) struct stream *stream = NULL;
	struct view view = {.fold = -1};
	const char *dir = SPOOL_DEFAULT;
	int option, status;

	while ((option = getopt_long(argc, argv, "hs:" VIEW_SHORT, options, NULL)) != -1) {
		if (option == 'h')
			return usage_help(help);
		if (option == 's') {
			dir = optarg;
			continue;
		}
		status = view_option(&view, option, optarg);
		if (status)
			return status;
	}
	if (optind < argc)
		return usage_error("'%s' is too much: the spool is named with --spool",
				   argv[optind]);
	status = stream_open(dir, &start, &stream);
	if (status)
		return spool_failed(dir, status);
	if (view.lane)
		stream_only(stream, *view.lane);
	status = view_open(&view);
	if (status)
		return status;
	return finish(print_all(dir, stream, &view));
}
