/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi run: sensor and forwarder as children, their events on stdout, the ledger at the end. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/child.h"
#include "cli/delivery.h"
#include "cli/interrupt.h"
#include "cli/readiness.h"
#include "cli/stream.h"
#include "cli/tally.h"
#include "cli/view.h"
#include "config/config.h"

#define LOOK_MS	    50
#define IDLE_NS	    NS_PER_SEC
#define STOP_NS	    (60 * NS_PER_SEC) /* a sensor that needs longer to end is killed */
#define SECONDS_MAX 1000000000ul

enum { DURATION = VIEW_OPTIONS_END };

struct run {
	const char *spool, *cgroup, *config_path;
	struct config *config;
	uint64_t duration_ns;
	struct view view;
	struct child sensor;
	struct delivery delivery;
	struct stream_position from;
	struct stream *stream;
	struct tally *tally;
	uint64_t printed_ns;
};

static const char help[] =
	"Usage: hinomi run [OPTION]...\n"
	"Runs sensor and forwarder in the foreground and prints events until Ctrl-C,\n"
	"then the ledger: what became of every event, and the hook that each class ran\n"
	"on. The events stay in the spool, for hinomi cat and hinomi verify.\n"
	"\n"
	"      --spool DIR         where events are kept (" SPOOL_DEFAULT ")\n"
	"      --cgroup PATH       observe only this cgroup v2 directory and below\n"
	"      --duration SECONDS  stop by itself; counted from when all is attached\n"
	"      --config FILE       this configuration alone, see hinomi.conf(5)\n" VIEW_HELP
	"                          run also takes -o none: only the ledger\n"
	"  -h, --help              this text\n"
	"\n"
	"Exit status: 0 ok, 1 failed, 2 usage, 69 kernel not supported, 77 permission,\n"
	"78 configuration.\n";

static int parse_duration(struct run *run, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds > 0) || seconds > (double)SECONDS_MAX)
		return usage_error("--duration takes seconds, not '%s'", text);
	run->duration_ns = (uint64_t)(seconds * (double)NS_PER_SEC);
	return STATUS_OK;
}

static int run_option(struct run *run, int option)
{
	switch (option) {
	case 's':
		run->spool = optarg;
		return STATUS_OK;
	case 'g':
		run->cgroup = optarg;
		return STATUS_OK;
	case 'f':
		run->config_path = optarg;
		return STATUS_OK;
	case DURATION:
		return parse_duration(run, optarg);
	default:
		return view_option(&run->view, option, optarg);
	}
}

/* -1: go on; else an exit status. */
static int run_options(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {{"spool", required_argument, NULL, 's'},
						{"cgroup", required_argument, NULL, 'g'},
						{"duration", required_argument, NULL, DURATION},
						{"config", required_argument, NULL, 'f'},
						{"help", no_argument, NULL, 'h'},
						VIEW_LONG,
						{0}};
	int option, status;

	while ((option = getopt_long(argc, argv, "hs:" VIEW_SHORT, options, NULL)) != -1) {
		if (option == 'h')
			return usage_help(help);
		status = run_option(run, option);
		if (status)
			return status;
	}
	if (optind < argc)
		return usage_error("'%s' is too much", argv[optind]);
	return -1;
}

static int run_prepare(struct run *run)
{
	char error[CONFIG_ERROR_MAX];
	int err;

	if (config_load(run->config_path, &run->config, error)) {
		log_error("%s", error);
		return STATUS_CONFIG;
	}
	if (!run->spool)
		run->spool = run->config->spool;
	err = delivery_prepare(&run->delivery, run->spool, run->config_path,
			       run->config->nsinks > 0);
	if (err == -EACCES || err == -EPERM || err == -EROFS) {
		log_error("cannot make %s: %s; be root, or name another place with --spool",
			  run->spool, strerror(-err));
		return STATUS_PERMISSION;
	}
	if (err) {
		log_error("cannot make %s: %s", run->spool, strerror(-err));
		return STATUS_FAILED;
	}
	/* only what comes from now on is of this run; where there is no spool yet, that is all */
	err = stream_end(run->spool, &run->from);
	if (err && err != -ENOENT)
		return spool_failed(run->spool, err);
	return tally_new(&run->tally) ? STATUS_FAILED : STATUS_OK;
}

/* The exit status for a sensor that ended without being told to. */
static int sensor_ended(const struct run *run, bool was_ready)
{
	char how[64];

	child_describe(&run->sensor, how, sizeof(how));
	if (was_ready)
		log_error("hinomi-sensor ended by itself, %s", how);
	else if (WIFSIGNALED(run->sensor.status))
		log_error("hinomi-sensor could not start: %s", how);
	if (!was_ready && WIFEXITED(run->sensor.status) && WEXITSTATUS(run->sensor.status))
		return WEXITSTATUS(run->sensor.status); /* it has said why */
	return STATUS_FAILED;
}

/* STATUS_OK when it is ready, or when we were told to stop before. */
static int start_sensor(struct run *run)
{
	char *argv[12] = {"hinomi-sensor", "--spool", (char *)run->spool};
	char name[READINESS_NAME_MAX];
	CLEANUP(close_fd) int notify = readiness_open(name);
	int count = 3, err;

	if (notify < 0) {
		log_error("cannot make a socket: %s", strerror(-notify));
		return STATUS_FAILED;
	}
	if (run->config_path) {
		argv[count++] = "--config";
		argv[count++] = (char *)run->config_path;
	}
	if (run->cgroup) {
		argv[count++] = "--cgroup";
		argv[count++] = (char *)run->cgroup;
	}
	if (run->delivery.group[0]) {
		argv[count++] = "--reader-group";
		argv[count++] = run->delivery.group;
	}
	err = child_start(&run->sensor, argv, name, NULL);
	if (err) {
		log_error("cannot start hinomi-sensor: %s", strerror(-err));
		return STATUS_FAILED;
	}
	while (!readiness_heard(notify, run->sensor.pid, LOOK_MS)) {
		if (interrupt_count())
			return STATUS_OK;
		if (child_check(&run->sensor))
			return sensor_ended(run, false);
	}
	return STATUS_OK;
}

static int print_news(struct run *run, bool patient)
{
	const struct frame *frame;
	const Hinomi__Event *event;
	int got = 0;

	while (!ferror(stdout) && (got = stream_next(run->stream, patient, &frame, &event)) == 1) {
		view_event(&run->view, frame, event);
		run->printed_ns = clock_boot_ns();
	}
	if (clock_boot_ns() > run->printed_ns + IDLE_NS)
		view_idle(&run->view);
	fflush(stdout);
	return got < 0 ? got : 0;
}

static int open_stream(struct run *run)
{
	int err = stream_open(run->spool, &run->from, &run->stream);

	if (err)
		return spool_failed(run->spool, err);
	stream_on_frame(run->stream, tally_frame, run->tally);
	return STATUS_OK;
}

/* Until we are told to stop, the time is over, or nobody reads any more. */
static int follow(struct run *run)
{
	uint64_t start_ns = clock_boot_ns();

	while (!interrupt_count() && !output_gone()) {
		int err = print_news(run, true);

		if (err)
			return spool_failed(run->spool, err);
		if (child_check(&run->sensor))
			return sensor_ended(run, true);
		if (run->duration_ns && clock_boot_ns() - start_ns >= run->duration_ns)
			break;
		delivery_check(&run->delivery);
		stream_wait(run->stream, LOOK_MS);
	}
	return STATUS_OK;
}

/* Asks it to end in good order, and goes on printing meanwhile; told twice, it is killed. */
static int stop_sensor(struct run *run)
{
	uint64_t until_ns = clock_boot_ns() + STOP_NS;
	unsigned told = interrupt_count();
	int err = 0;

	if (!run->sensor.pid || run->sensor.ended)
		return STATUS_OK;
	child_signal(&run->sensor, SIGTERM);
	while (!child_wait(&run->sensor, LOOK_MS)) {
		if (!err && run->stream)
			err = print_news(run, true);
		if (interrupt_count() > told + 1 || clock_boot_ns() > until_ns) {
			log_error("hinomi-sensor does not end: killing it; what was under way is "
				  "not in the ledger");
			child_signal(&run->sensor, SIGKILL);
			child_wait(&run->sensor, 1000);
			return STATUS_FAILED;
		}
	}
	if (!WIFEXITED(run->sensor.status) || WEXITSTATUS(run->sensor.status))
		return sensor_ended(run, true);
	return STATUS_OK;
}

static void print_end(struct run *run)
{
	FILE *out = run->view.form == VIEW_JSON ? stderr : stdout;

	view_close(&run->view);
	fflush(stdout);
	if (!run->stream)
		return;
	putc('\n', out);
	tally_print(run->tally, out);
	fprintf(out, "\nThe events are in %s: hinomi cat --spool %s\n", run->spool, run->spool);
}

static int run_all(struct run *run)
{
	int status = start_sensor(run), stopped, err;

	if (status)
		return status;
	if (!interrupt_count()) {
		log_info("ready; events are kept in %s; Ctrl-C stops", run->spool);
		delivery_start(&run->delivery);
		status = open_stream(run);
		if (!status)
			status = follow(run);
	}
	stopped = stop_sensor(run);
	err = run->stream ? print_news(run, false) : 0;
	if (err && !status)
		status = spool_failed(run->spool, err);
	delivery_stop(&run->delivery);
	print_end(run);
	return status ? status : stopped;
}

int command_run(int argc, char **argv)
{
	struct run run = {.view = {.fold = -1}};
	int status = run_options(&run, argc, argv);

	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN); /* the sensor is to be stopped in good order first */
	status = run_prepare(&run);
	if (!status)
		status = view_open(&run.view);
	if (!status) {
		interrupt_init();
		status = run_all(&run);
	}
	view_close(&run.view);
	stream_free(run.stream);
	tally_free(run.tally);
	config_free(run.config);
	return finish(status);
}
