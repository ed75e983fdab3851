/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi tail: events of a spool as they come. */
#include "cli/cli.h"

#include <getopt.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/stream.h"
#include "cli/view.h"

#define LOOK_MS 50	   /* how often for new frames */
#define IDLE_NS NS_PER_SEC /* counts are shown when nothing came for so long */

enum { FROM_START = VIEW_OPTIONS_END };

static const char help[] =
	"Usage: hinomi tail [OPTION]...\n"
	"Prints the events of a spool as they come, until it is interrupted.\n"
	"\n"
	"      --spool DIR         the spool; without it " SPOOL_DEFAULT "\n"
	"      --from-start        first all that is there\n" VIEW_HELP_LANE VIEW_HELP
	"  -h, --help              this text\n"
	"\n"
	"Exit status: 0 interrupted, 1 failed, 2 usage, 77 permission.\n";

/* All that is there now; whether there was any. */
static int print_news(struct stream *stream, struct view *view, bool *news)
{
	const struct frame *frame;
	const Hinomi__Event *event;
	int got = 0;

	while (!interrupt_count() && !ferror(stdout) &&
	       (got = stream_next(stream, true, &frame, &event)) == 1) {
		view_event(view, frame, event);
		*news = true;
	}
	fflush(stdout);
	return got < 0 ? got : 0;
}

static int follow(const char *dir, struct stream *stream, struct view *view)
{
	uint64_t last_ns = clock_boot_ns();

	while (!interrupt_count() && !output_gone()) {
		bool news = false;
		int err = print_news(stream, view, &news);

		if (err)
			return spool_failed(dir, err);
		if (news)
			last_ns = clock_boot_ns();
		else if (clock_boot_ns() > last_ns + IDLE_NS)
			view_idle(view);
		stream_wait(stream, LOOK_MS);
	}
	return STATUS_OK;
}

int command_tail(int argc, char **argv)
{
	static const struct option options[] = {{"spool", required_argument, NULL, 's'},
						{"from-start", no_argument, NULL, FROM_START},
						{"help", no_argument, NULL, 'h'},
						VIEW_LONG_LANE,
						VIEW_LONG,
						{0}};
	CLEANUP(stream_free) struct stream *stream = NULL;
	struct stream_position from = {0};
	struct view view = {.fold = -1};
	const char *dir = SPOOL_DEFAULT;
	bool from_start = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "hs:" VIEW_SHORT, options, NULL)) != -1) {
		status = STATUS_OK;
		if (option == 'h')
			return usage_help(help);
		if (option == 's')
			dir = optarg;
		else if (option == FROM_START)
			from_start = true;
		else
			status = view_option(&view, option, optarg);
		if (status)
			return status;
	}
	if (optind < argc)
		return usage_error("'%s' is too much: the spool is named with --spool",
				   argv[optind]);
	status = from_start ? 0 : stream_end(dir, &from);
	if (!status)
		status = stream_open(dir, &from, &stream);
	if (status)
		return spool_failed(dir, status);
	if (view.lane)
		stream_only(stream, *view.lane);
	status = view_open(&view);
	if (status)
		return status;
	interrupt_init();
	status = follow(dir, stream, &view);
	view_close(&view);
	return finish(status);
}
