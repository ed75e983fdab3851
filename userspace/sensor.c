// SPDX-License-Identifier: Apache-2.0
/*
 * hinomi-sensor: the privileged half.  Sees, seals, spools; speaks to nobody but
 * the service manager.  Signals, timing and messages are here, the work is in
 * pipeline.c.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/attach.h"
#include "base/log.h"
#include "base/notify.h"
#include "config/config.h"
#include "enrich/enrich.h"
#include "doctor.h"
#include "frame/crypto.h"
#include "guard/guard.h"
#include "pipeline.h"
#include "prove.h"
#include "ring/ring.h"

#define BUSY_MS	      16		/* between batches while events come */
#define IDLE_AFTER_NS (200 * NS_PER_MS) /* without events: sleep until woken */
#define IDLE_MS	      1000
#define STUCK_MS      200 /* the disk takes nothing: until it is tried again */
#define DRAIN_BATCHES 64
#define FLOWS_NS      (5 * NS_PER_SEC)	/* between two looks at what UDP flows counted */
#define LOOK_NS	      (5 * NS_PER_SEC)	/* at the sensor itself */
#define WATCH_NS      (30 * NS_PER_SEC) /* between two looks at what the watch list stands for */
#define WATCH_SOON_NS (NS_PER_SEC)	/* when a new directory may be in it */

struct sensor {
	struct config *config;
	struct attach *attach;
	struct pipeline pipeline;
	int signals;
	bool stop, json, doctor, resume, blind;
	int tier_min;
	char *spool, *cgroup, *reader_group;
	const char *config_path;
	struct prover prover;
	bool ready;
	unsigned processes;
	uint64_t flows_ns, look_ns, watch_ns;
	bool watch_over_said;
	const char *broken; /* what is not to be repaired from here */
	uint64_t beat_ns, watchdog_ns, watchdog_every_ns, last_event_ns;
};

static const char usage[] =
	"usage: hinomi sensor [--config FILE] [--spool DIR] [--cgroup PATH] [--reader-group "
	"GROUP]\n"
	"                     [--tier-min N] [--resume] [--blind]\n"
	"       hinomi doctor [--config FILE] [--cgroup PATH] [--tier-min N] [-o text|json]\n"
	"\n"
	"Sees, seals and spools events; `hinomi forward` delivers them.  See hinomi-sensor(8).\n"
	"  --config FILE         this file alone, not those below /etc/hinomi\n"
	"  --spool DIR           where frames go (default: /var/lib/hinomi/spool)\n"
	"  --cgroup PATH         observe only this cgroup v2 directory and what is below it\n"
	"  --reader-group GROUP  name or number of the group that may read the spool\n"
	"  --tier-min N          leave out hooks better than this tier, to try the others\n"
	"  --resume              keep rings and links in the service manager's descriptor store\n"
	"  --blind               where nothing can be observed go on, and say so to those who "
	"collect\n";

static int options(struct sensor *s, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", 1, NULL, 'c'},   {"spool", 1, NULL, 's'},
		{"cgroup", 1, NULL, 'g'},   {"reader-group", 1, NULL, 'r'},
		{"tier-min", 1, NULL, 't'}, {"resume", 0, NULL, 'R'},
		{"blind", 0, NULL, 'b'},    {"doctor", 0, NULL, 'd'},
		{"output", 1, NULL, 'o'},   {"help", 0, NULL, 'h'},
		{"version", 0, NULL, 'V'},  {},
	};
	int c;

	s->tier_min = 1;
	while ((c = getopt_long(argc, argv, "o:hV", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			s->config_path = optarg;
			break;
		case 's':
			s->spool = optarg;
			break;
		case 'g':
			s->cgroup = optarg;
			break;
		case 'r':
			s->reader_group = optarg;
			break;
		case 't':
			s->tier_min = atoi(optarg);
			break;
		case 'R':
			s->resume = true;
			break;
		case 'b':
			s->blind = true;
			break;
		case 'd':
			s->doctor = true;
			break;
		case 'o':
			s->json = !strcmp(optarg, "json");
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("hinomi-sensor " HINOMI_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (optind < argc) {
		fprintf(stderr, "hinomi sensor: unexpected argument\n%s", usage);
		return 2;
	}
	return 0;
}

static int replace(char **to, const char *with)
{
	char *copy;

	if (!with)
		return 0;
	copy = strdup(with);
	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static int config_take(struct sensor *s)
{
	char error[CONFIG_ERROR_MAX];

	if (config_load(s->config_path, &s->config, error)) {
		log_error("%s", error);
		return 78;
	}
	if (replace(&s->config->spool, s->spool) || replace(&s->config->cgroup, s->cgroup) ||
	    replace(&s->config->reader_group, s->reader_group) || config_hash(s->config))
		return 1;
	return 0;
}

static void options_fill(const struct sensor *s, struct attach_options *options)
{
	const struct config *config = s->config;

	*options = (struct attach_options){
		.cgroup = config->cgroup,
		.ring_bytes = {config->ring_keep_bytes, config->ring_bulk_bytes},
		.summaries = config->summaries,
		.tier_min = s->tier_min,
		.resume = s->resume,
		.blind = s->blind,
	};
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		if (kind_is_kernel(kind) && config_class_is_off(config, kind_name(kind)))
			options->kinds_off[kind / 64] |= 1ULL << kind % 64;
}

static void canary_open(struct sensor *s)
{
	static char dir[4096];
	int err;

	snprintf(dir, sizeof(dir), "%s/canary", s->config->spool);
	err = attach_canary_open(s->attach, dir);
	if (err)
		log_error("canary: %s; no class can be proven to work", strerror(-err));
}

static int load(struct sensor *s)
{
	struct attach_options options;
	struct attach_error error;
	struct pipeline_error why;
	int err;

	options_fill(s, &options);
	if (attach_load(&options, &s->attach, &error)) {
		log_error("%s", error.text);
		return error.status;
	}
	if (attach_start(s->attach, &error)) {
		log_error("%s", error.text);
		return error.status;
	}
	if (attach_blind(s->attach))
		log_error(
			"nothing is observed: %s; saying so, and nothing else, until it is stopped",
			attach_blind(s->attach)->text);
	err = confine_start(s->config->spool);
	if (err)
		log_warning("capabilities that are not needed cannot be given up: %s",
			    strerror(-err));
	canary_open(s);
	if (pipeline_open(&s->pipeline, s->config, s->attach, &why)) {
		log_error("%s", why.text);
		return why.status;
	}
	return 0;
}

static void on_task(void *ctx, const void *record, size_t size)
{
	struct sensor *s = ctx;

	if (!pipeline_seed(&s->pipeline, record, size))
		s->processes++;
}

static void say_coverage(const struct sensor *s)
{
	size_t n;
	const struct coverage *c = attach_coverage(s->attach, &n);

	for (size_t i = 0; i < n && !attach_blind(s->attach); i++)
		if (c[i].state == HINOMI__COVERAGE__STATE__STATE_UNAVAILABLE ||
		    c[i].state == HINOMI__COVERAGE__STATE__STATE_SILENT)
			log_warning("%s is %s: %s", c[i].name,
				    c[i].state == HINOMI__COVERAGE__STATE__STATE_SILENT
					    ? "attached, but its canary was not seen"
					    : "not observed",
				    c[i].reason);
}

/* Files are replaced, homes and logs come and go: what the kernel side cannot follow is told again.
 */
static void watch(struct sensor *s, uint64_t now)
{
	struct attach_watched told;

	if (s->watch_ns > now + WATCH_SOON_NS && enrich_watch_grows(s->pipeline.enrich))
		s->watch_ns = now + WATCH_SOON_NS;
	if (now < s->watch_ns)
		return;
	s->watch_ns = now + WATCH_NS;
	attach_watch(s->attach, s->config->watch, s->config->nwatch, &told);
	if (told.over && !s->watch_over_said)
		log_warning("%llu files are watched, and %llu more are not: too many or too deep",
			    (unsigned long long)told.objects, (unsigned long long)told.over);
	s->watch_over_said = told.over;
}

/* The first rounds of canaries are over: now we know what works. */
static void ready(struct sensor *s)
{
	int err;

	announce_start(&s->pipeline, s->processes);
	announce_config(&s->pipeline);
	s->pipeline.whole_due[LANE_KEEP] = s->pipeline.whole_due[LANE_BULK] = true;
	s->pipeline.frame_due[LANE_BULK] = true;
	pipeline_seal(&s->pipeline);
	say_coverage(s);
	err = confine_running(s->config->spool);
	if (err)
		log_warning("system calls that are not needed cannot be given up: %s",
			    strerror(-err));
	watch(s, clock_boot_ns());
	attach_forget(s->attach);
	notify_send("READY=1");
	s->ready = true;
}

static void child_gone(struct sensor *s, const char *what)
{
	announce_found(&s->pipeline, HINOMI__SENSOR_TAMPER__WHAT__WHAT_CHILD, what, NULL, NULL);
	log_error("the %s, a child of the sensor, is gone: stopping, to be started anew", what);
	s->broken = "a child of it is gone";
}

static void prove(struct sensor *s, uint64_t now)
{
	int r = prover_turn(&s->prover, now);

	if (r > 0)
		ready(s);
	if (r < 0)
		child_gone(s, "canary keeper");
}

/* Is the sensor itself as it should be? */
static void look(struct sensor *s, uint64_t now)
{
	char was[ATTACH_LINK_TEXT], is[ATTACH_LINK_TEXT];
	uint32_t forwarders[ATTACH_PROTECT];
	const char *what;

	guard_turn(s->pipeline.guard, s->pipeline.disk_ns);
	guard_forwarders(s->pipeline.guard, forwarders);
	attach_protect(s->attach, forwarders);
	if (!s->ready || now < s->look_ns)
		return;
	s->look_ns = now + LOOK_NS;
	guard_watch(s->pipeline.guard);
	if (output_place_lost(&s->pipeline))
		s->broken = "its spool is gone";
	while ((what = attach_check(s->attach)))
		announce_found(&s->pipeline, HINOMI__SENSOR_TAMPER__WHAT__WHAT_MAP, what, NULL,
			       NULL);
	while ((what = attach_check_link(s->attach, was, is)))
		announce_found(&s->pipeline, HINOMI__SENSOR_TAMPER__WHAT__WHAT_BPF, what, was, is);
}

static void beat(struct sensor *s, uint64_t now)
{
	char status[128];

	if (s->ready && now >= s->beat_ns) {
		s->beat_ns = now + s->config->heartbeat_ms * NS_PER_MS;
		announce_heartbeat(&s->pipeline);
		release_covered(&s->pipeline);
		s->pipeline.whole_due[LANE_KEEP] = true;
		if (s->pipeline.since_whole_bytes[LANE_BULK])
			s->pipeline.whole_due[LANE_BULK] = s->pipeline.frame_due[LANE_BULK] = true;
		pipeline_seal(&s->pipeline);
	}
	/* Fed while the loop turns, whatever the disk does: a start would change nothing about it.
	 * Not before it is ready: the first feeding arms it, and attaching the next tier may take a
	 * slow machine longer. */
	if (s->ready && s->watchdog_every_ns && now >= s->watchdog_ns) {
		s->watchdog_ns = now + s->watchdog_every_ns;
		snprintf(status, sizeof(status),
			 "WATCHDOG=1\nSTATUS=%u processes at start, %llu MiB spooled", s->processes,
			 (unsigned long long)(pipeline_spool_bytes(&s->pipeline) >> 20));
		notify_send(status);
	}
}

static void flows(struct sensor *s, uint64_t now)
{
	if (!s->ready || now < s->flows_ns)
		return;
	s->flows_ns = now + FLOWS_NS;
	if (attach_flows(s->attach, false) == -EPIPE)
		child_gone(s, "flow teller");
}

static void take_signal(struct sensor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGCONT)
			guard_continued(s->pipeline.guard, info.ssi_pid);
		else if (info.ssi_signo != SIGCHLD)
			s->stop = true;
}

static void wait_for_events(struct sensor *s, uint64_t now, bool busy)
{
	struct pollfd fds[] = {
		{.fd = s->signals, .events = POLLIN},
		{.fd = attach_wake_fd(s->attach), .events = POLLIN},
		{.fd = pipeline_hash_fd(&s->pipeline), .events = POLLIN},
		{.fd = prover_fd(&s->prover), .events = POLLIN},
	};
	int timeout = BUSY_MS, idle_ms = output_stuck(&s->pipeline) ? STUCK_MS : IDLE_MS;

	if (busy)
		s->last_event_ns = now;
	if (now - s->last_event_ns > IDLE_AFTER_NS && s->ready) {
		attach_will_sleep(s->attach);
		if (pipeline_waiting(&s->pipeline)) /* came before we said so */
			return;
		timeout = s->beat_ns > now ? (s->beat_ns - now) / NS_PER_MS + 1 : 0;
		if (timeout > idle_ms)
			timeout = idle_ms;
	}
	if (timeout ==
	    BUSY_MS) /* the timer is the wakeup; the ring's would come once per watermark */
		fds[1].events = 0;
	poll(fds, ARRAY_SIZE(fds), timeout);
	if (fds[1].revents)
		attach_wake_clear(s->attach);
}

static int run(struct sensor *s)
{
	const char *name;
	char dir[4096];

	s->processes = 0;
	if (attach_tasks(s->attach, on_task, s) && !attach_blind(s->attach))
		log_warning("what runs already cannot be listed: its ancestry is not known");
	pipeline_seeded(&s->pipeline);
	/* what waited in full rings would leave no room for what the canary does */
	for (int i = 0; i < DRAIN_BATCHES && pipeline_run(&s->pipeline); i++)
		;
	for (unsigned i = 0; i < ATTACH_PROCESSES; i++) {
		uint32_t tgid = attach_process(s->attach, i, &name);

		guard_process(s->pipeline.guard, tgid, name);
	}
	snprintf(dir, sizeof(dir), "%s/canary", s->config->spool);
	mkdir(dir, 0700);
	prover_init(&s->prover, &s->pipeline);
	s->watchdog_every_ns = notify_watchdog_ns();
	while (!s->stop && !s->broken) {
		size_t n = pipeline_run(&s->pipeline);
		uint64_t now = clock_boot_ns();

		take_signal(s); /* whoever let it go on after a stop is known before the pause is */
		look(s, now);
		prove(s, now);
		beat(s, now);
		flows(s, now);
		if (s->ready)
			watch(s, now);
		if (!pipeline_behind(&s->pipeline))
			wait_for_events(s, now, n > 0);
	}
	notify_send("STOPPING=1");
	attach_stop(s->attach);
	pipeline_drain(&s->pipeline);
	announce_stop(&s->pipeline, s->broken ? s->broken : "asked to");
	pipeline_end(&s->pipeline);
	return s->broken != NULL;
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGCONT); /* goes on all the same, but says who sent it */
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int doctor(struct sensor *s)
{
	struct attach_options options;

	s->resume = false;
	s->blind = true;
	options_fill(s, &options);
	return doctor_run(&options, s->json);
}

int main(int argc, char **argv)
{
	struct sensor s = {};
	int status;

	if (argc > 1 && !strcmp(argv[1], ATTACH_CANARY_ARG))
		return 0;
	log_init("hinomi sensor");
	log_never_hang();
	if (crypto_start()) {
		log_error("there is not enough memory to start");
		return 1;
	}
	status = options(&s, argc, argv);
	if (!status)
		status = config_take(&s);
	if (status)
		return status;
	umask(0027);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	if (s.doctor)
		return doctor(&s);
	s.signals = signals_open();
	status = load(&s);
	if (!status)
		status = run(&s);
	pipeline_close(&s.pipeline);
	attach_free(s.attach);
	config_free(s.config);
	return status;
}
