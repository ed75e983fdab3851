/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi-forward: carries the spool's frames to the configured sinks.  Needs no privilege. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/sandbox.h"
#include "config/config.h"
#include "frame/crypto.h"
#include "forward/cloud.h"
#include "forward/crew.h"
#include "forward/worker.h"

#define EXIT_USAGE 2 /* as hinomi(1) has it */
#define TICK_NS	   (5 * NS_PER_SEC)
#define ALIVE_NS   (20 * NS_PER_SEC) /* a thread that was silent for longer hangs */

static const char usage[] =
	"usage: hinomi-forward [--config FILE] [--spool DIR] [--state DIR] [--once]\n"
	"Carries what hinomi-sensor keeps in the spool to the sinks of the configuration.\n"
	"  --config FILE  this configuration alone (default: hinomi.conf(5)'s search)\n"
	"  --spool DIR    instead of the configuration's\n"
	"  --state DIR    for cursors and refused events (default: $STATE_DIRECTORY, or\n"
	"                 `forward` beside the spool)\n"
	"  --once         deliver what is there and end: 0 when all sinks have all of it\n"
	"Exit status: 0 done or stopped by SIGTERM, 1 failed, 2 usage, 78 configuration.\n";

struct options {
	const char *config, *spool, *state;
	bool once;
};

/* 0, or the exit status + 1. */
static int parse(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"spool", required_argument, NULL, 's'},
					      {"state", required_argument, NULL, 'd'},
					      {"once", no_argument, NULL, '1'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'V'},
					      {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->config = optarg;
			break;
		case 's':
			ret->spool = optarg;
			break;
		case 'd':
			ret->state = optarg;
			break;
		case '1':
			ret->once = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EX_OK + 1;
		case 'V':
			puts("hinomi-forward " HINOMI_VERSION);
			return EX_OK + 1;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE + 1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "hinomi-forward: what is %s?\n%s", argv[optind], usage);
	return EXIT_USAGE + 1;
}

/* Reads the configuration, and its credentials once, to complain of them in time. */
static int read_config(const char *path, struct config **ret)
{
	CLEANUP(config_free) struct config *config = NULL, *trial = NULL;
	char error[CONFIG_ERROR_MAX];
	int err = config_load(path, &config, error);

	if (!err)
		err = config_load(path, &trial, error);
	if (!err)
		err = config_read_credentials(trial, error);
	if (err) {
		log_error("%s", error);
		return err;
	}
	*ret = TAKE(config);
	return 0;
}

static char *state_path(const struct options *options, const char *spool)
{
	const char *given = options->state ? options->state : getenv("STATE_DIRECTORY");
	const char *slash;
	char *path = NULL;
	size_t size = strlen(spool);

	if (given && *given)
		return strndup(given, options->state ? strlen(given) : strcspn(given, ":"));
	/* not SPOOL/../forward: the spool need not be there yet */
	while (size > 1 && spool[size - 1] == '/')
		size--;
	slash = memrchr(spool, '/', size);
	size = slash ? (size_t)(slash + 1 - spool) : 0;
	return asprintf(&path, "%.*sforward", (int)size, spool) < 0 ? NULL : path;
}

/* Opened, made where needed, and nobody else's: two forwarders would fight over the cursors. */
static int open_state(const struct options *options, const char *spool, int *ret)
{
	CLEANUP(free) char *path = state_path(options, spool);
	CLEANUP(close_fd) int fd = -1;

	if (!path)
		return -ENOMEM;
	if (mkdir(path, 0700) && errno != EEXIST && errno != ENOENT) {
		log_error("cannot make the state directory %s: %m", path);
		return -errno;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		log_error("cannot open the state directory %s: %m; name another with --state",
			  path);
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		log_error("another hinomi-forward works with %s; stop it, or use another --state",
			  path);
		return -EBUSY;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

/* Before anything is said to the network; a kernel without seccomp(2) must not keep events back. */
static void confine(void)
{
	int err = sandbox_enter(SANDBOX_CONNECTS);

	if (err)
		log_warning("system calls that are not needed cannot be given up: %s",
			    strerror(-err));
}

static sigset_t block_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(how, &set, NULL);
	return set;
}

/* Blocked in all threads, read from here. */
static int open_signals(void)
{
	sigset_t set = block_signals(SIG_BLOCK);

	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void tell_manager(struct crew *crew, uint64_t watchdog_ns)
{
	CLEANUP(free) char *status = crew ? crew_status(crew) : NULL;
	uint64_t now_ns = clock_boot_ns();

	if (status)
		notify_send(status);
	if (watchdog_ns &&
	    (!crew || crew_is_alive(crew, now_ns > ALIVE_NS ? now_ns - ALIVE_NS : 0)))
		notify_send("WATCHDOG=1");
}

/* Until a signal, or until the crew has ended by itself. */
static void supervise(int signals, struct crew *crew)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = crew ? crew_done_fd(crew) : -1, .events = POLLIN}};
	struct signalfd_siginfo info;
	uint64_t watchdog_ns = notify_watchdog_ns();
	uint64_t tick_ns = watchdog_ns && watchdog_ns < TICK_NS ? watchdog_ns : TICK_NS;

	do
		tell_manager(crew, watchdog_ns);
	while (poll(fds, 2, (int)(tick_ns / NS_PER_MS)) == 0);
	notify_send("STOPPING=1");
	if (fds[0].revents && read(signals, &info, sizeof(info)) == sizeof(info))
		block_signals(SIG_UNBLOCK); /* a second one need not wait for a request to end */
}

static int deliver(struct forward *forward, int signals)
{
	CLEANUP(crew_free) struct crew *crew = NULL;
	bool all;

	if (crew_new(forward, &crew))
		return EXIT_FAILURE;
	notify_send("READY=1");
	supervise(signals, crew);
	crew_stop(crew);
	all = crew_delivered_all(crew);
	crew_log(crew);
	return forward->once && !all ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int idle(const struct forward *forward, int signals)
{
	log_info("no [sink] is configured: nothing to deliver to; add one and restart");
	if (forward->once)
		return EXIT_SUCCESS;
	notify_send("READY=1\nSTATUS=no sink is configured");
	supervise(signals, NULL);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	CLEANUP(config_free) struct config *config = NULL;
	CLEANUP(close_fd) int state = -1, signals = -1;
	struct forward forward = {0};
	int status;

	log_init("hinomi-forward");
	log_never_hang();
	if (crypto_start()) {
		log_error("there is not enough memory to start");
		return EXIT_FAILURE;
	}
	status = parse(argc, argv, &options);
	if (status)
		return status - 1;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* credentials are in memory */
	if (read_config(options.config, &config))
		return EX_CONFIG;
	forward.config = config;
	forward.spool = options.spool ? options.spool : config->spool;
	forward.once = options.once;
	signals = open_signals();
	if (signals < 0 || stop_init(&forward.stop))
		return EXIT_FAILURE;
	if (!config->nsinks) {
		status = idle(&forward, signals);
	} else if (open_state(&options, forward.spool, &state)) {
		status = EXIT_FAILURE;
	} else {
		forward.state_dir = state;
		curl_global_init(CURL_GLOBAL_DEFAULT);
		confine();
		if (cloud_label(config))
			return EXIT_FAILURE;
		status = deliver(&forward, signals);
		curl_global_cleanup();
	}
	stop_done(&forward.stop);
	return status;
}
