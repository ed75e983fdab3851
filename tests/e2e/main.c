// SPDX-License-Identifier: Apache-2.0
/*
 * e2e: real system calls in, one event each out.  Starts the sensor once, lets
 * every test act, stops it, and judges by what the spool holds.
 */
#include <errno.h>
#include <getopt.h>
#include <hinomi/kinds.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"
#include "event/event.h"

#define TESTS_MAX 256
#define SKIPPED	  77
#define UNWATCHED 12	  /* tests */
#define HASHED_US 1000000 /* digests that are being worked out go with the sensor */

static const struct test *const groups[] = {
	process_tests, exec_tests,	 args_tests,	fork_tests,	  exit_tests,
	creds_tests,   create_tests,	 open_tests,	names_tests,	  attr_tests,
	inet_tests,    unix_tests,	 place_tests,	compat_tests,	  uring_tests,
	flows_tests,   special_tests,	 inject_tests,	mount_tests,	  change_tests,
	login_tests,   origin_tests,	 opening_tests, net_change_tests, watch_tests,
	program_tests, system_tests,	 launch_tests,	restrict_tests,	  memory_tests,
	overlay_tests, mount_api_tests,	 refused_tests, lane_tests,	  activity_tests,
	module_tests,  compat_old_tests, family_tests,	dns_tests,	  crowd_tests,
};

struct run {
	const struct test *tests[TESTS_MAX];
	struct facts *facts[TESTS_MAX];
	size_t n;
	bool all; /* tests were not chosen by name */
	char root[200], cgroup[PATH_MAX], spool[300];
	struct story story;
};

static const char usage[] =
	"usage: e2e [--list] [--hinomi PROGRAM] [--dir DIR] [--keep] [TEST...] [-- "
	"SENSOR-ARGUMENT...]\n"
	"  --hinomi PROGRAM  hinomi, or hinomi-sensor (default: beside this program's build)\n"
	"  --dir DIR         for files and the spool (default: /tmp)\n"
	"  --keep            leave them there\n"
	"  --losses          instead of the tests: losses before, during and after a crash are "
	"declared\n"
	"  --judge SPOOL     only check the ledger of a spool that is there\n"
	"  --as-service      run the sensor with the rights of its unit, and SENSOR-ARGUMENTs\n"
	"A TEST is a name as --list has it, or the first part of one.\n";

/* The program that tests execute: this one. */
static int child(const char *what, char **argv)
{
	char *again[] = {CHILD_ENV "=1", NULL};

	if (!strcmp(what, "login"))
		return login_child();
	if (strcmp(what, "again") != 0)
		return 0;
	execve("/proc/self/exe", argv, again);
	return 1;
}

static bool is_chosen(const struct test *test, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strncmp(test->name, *names, strlen(*names)))
			return true;
	return false;
}

static void choose(struct run *run, char **names)
{
	run->all = !*names;
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct test *test = groups[g]; test->name && run->n < TESTS_MAX; test++)
			if (is_chosen(test, names))
				run->tests[run->n++] = test;
}

static int places_make(struct run *run, const char *dir)
{
	const char *root = cgroup_root();
	char *resolved = realpath(dir, NULL);

	if (!root) {
		printf("there is no cgroup v2 hierarchy\n");
		return SKIPPED;
	}
	snprintf(run->root, sizeof(run->root), "%.180s/e2e.XXXXXX", resolved ? resolved : dir);
	free(resolved);
	snprintf(run->cgroup, sizeof(run->cgroup), "%s/hinomi-e2e-%d", root, getpid());
	if (!mkdtemp(run->root) || chmod(run->root, 0755)) {
		perror(run->root);
		return 1;
	}
	snprintf(run->spool, sizeof(run->spool), "%s/spool", run->root);
	if (cgroup_make(run->cgroup)) {
		perror(run->cgroup);
		return 1;
	}
	for (size_t i = 0; i < run->n; i++) {
		run->facts[i] = mmap(NULL, sizeof(struct facts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (run->facts[i] == MAP_FAILED)
			return 1;
		run->facts[i]->cgroup = run->cgroup;
	}
	return 0;
}

static int act_some(struct run *run, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (!run->tests[i]->early)
			test_begin(run->tests[i], run->facts[i], run->root);
		test_go(run->tests[i], run->facts[i]);
	}
	return 0;
}

static int started(struct sensor *sensor)
{
	int r = sensor_start(sensor);

	if (r)
		printf("not ok e2e/sensor # it did not start: %s\n", strerror(-r));
	return r;
}

static bool is_watched(const struct run *run, size_t from)
{
	for (size_t i = from; i < from + UNWATCHED && i < run->n; i++)
		if (run->tests[i]->watched)
			return true;
	return false;
}

/* In the middle the sensor is killed; for some tests nobody is there, and the next one finds what
 * they did. */
static int act_all(struct run *run, struct sensor *sensor)
{
	size_t killed = run->all ? run->n / 2 : run->n;
	size_t again;
	int r;

	while (is_watched(run, killed))
		killed++;
	again = killed + UNWATCHED < run->n ? killed + UNWATCHED : run->n;
	for (size_t i = 0; i < run->n; i++)
		if (run->tests[i]->early)
			test_begin(run->tests[i], run->facts[i], run->root);
	if (started(sensor))
		return 1;
	act_some(run, 0, killed);
	if (run->all) {
		usleep(HASHED_US);
		sensor_kill(sensor);
		act_some(run, killed, again);
		if (started(sensor))
			return 1;
		act_some(run, again, run->n);
	}
	r = sensor_stop(sensor);
	if (!r)
		r = story_read(run->spool, &run->story);
	if (r)
		printf("not ok e2e/sensor # it ended with wait status %#x, or its spool cannot be "
		       "read\n",
		       (unsigned)r);
	return r;
}

/* A test makes itself a world before it does what it is about. */
static bool is_scenery(unsigned kind, const struct test *test)
{
	static const unsigned scenery[] = {KIND_mount,	    KIND_chroot,       KIND_namespace,
					   KIND_image_load, KIND_process_name, KIND_sandbox,
					   KIND_prctl,	    KIND_memory_exec,  KIND_file_make,
					   KIND_bpf,	    KIND_file_close};
	bool is = false;

	if (kind == KIND_io_uring) /* other tests need one as well */
		return strcmp(test->name, "io_uring/create") != 0;
	for (size_t i = 0; i < ARRAY_SIZE(scenery); i++)
		is |= kind == scenery[i];
	if (!is)
		return false;
	return strncmp(test->name, kind_name(kind), strlen(kind_name(kind))) != 0;
}

/* The actor's own end, unless the test has looked at it, and then nothing more. */
static void want_no_more(struct check *check)
{
	char text[600];

	if (there_is_of(check, KIND_exit, check->facts->actor))
		take_of(check, KIND_exit, check->facts->actor);
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		while (kind_is_kernel(kind) && !is_scenery(kind, check->test) &&
		       there_is(check, kind))
			check_fail(check, "expected no more, got %s",
				   seen_text(take(check, kind), text, sizeof(text)));
}

static void judge(struct run *run, size_t i, uint64_t cgroup_id)
{
	const struct test *test = run->tests[i];
	struct check check = {
		.test = test,
		.facts = run->facts[i],
		.story = &run->story,
		.cgroup_id = cgroup_id,
		.cgroup_path = strrchr(run->cgroup, '/'),
	};

	if (check.facts->skipped[0]) {
		verdict_skip(test->name, check.facts->skipped);
		return;
	}
	if (check.facts->failed[0]) {
		check_fail(&check, "the actor: %s", check.facts->failed);
	} else {
		test->check(&check);
		check.cgroup_id = 0;
		check.cgroup_path = NULL;
		want_no_more(&check);
	}
	verdict(test->name, &check);
}

enum { WHEN_ANY, WHEN_RUN, WHEN_ALL };

/* What holds for a spool of any run, of a run of ours, of one with every test. */
static void judge_run(struct run *run, int when)
{
	static const struct {
		const char *name;
		void (*check)(struct check *check);
		int when;
	} checks[] = {
		{"ledger/sums", check_ledger, WHEN_ANY},
		{"ledger/sequences", check_sequences, WHEN_ANY},
		{"ledger/chain", check_chain, WHEN_ANY},
		{"sensor/start", check_start, WHEN_RUN},
		{"sensor/stop", check_stop, WHEN_RUN},
		{"sensor/heartbeat", check_heartbeat, WHEN_RUN},
		{"sensor/coverage", check_coverage, WHEN_ALL},
		{"sensor/tiers", check_tiers, WHEN_RUN},
		{"sensor/resumed", check_resumed, WHEN_ALL},
		{"fields/all-set", check_fields, WHEN_ALL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct check check = {.story = &run->story};

		if (checks[i].when > when)
			continue;
		checks[i].check(&check);
		verdict(checks[i].name, &check);
	}
}

/* A spool that somebody else made. */
static int judge_spool(struct run *run, const char *spool)
{
	int r = story_read(spool, &run->story);

	if (r) {
		fprintf(stderr, "e2e: %s: %s\n", spool, strerror(-r));
		return 1;
	}
	judge_run(run, WHEN_ANY);
	return verdicts_failed() ? 1 : 0;
}

static int all(struct run *run, struct sensor *sensor)
{
	struct stat st;
	int r = act_all(run, sensor);

	if (r || stat(run->cgroup, &st))
		return 1;
	for (size_t i = 0; i < run->n; i++)
		judge(run, i, st.st_ino);
	judge_run(run, run->all ? WHEN_ALL : WHEN_RUN);
	return verdicts_failed() ? 1 : 0;
}

static int all_losses(struct run *run, struct sensor *sensor)
{
	struct check check = {.story = &run->story};
	int r = started(sensor) ? 1 : losses_act(sensor);

	if (sensor_stop(sensor) || r || story_read(run->spool, &run->story)) {
		printf("not ok e2e/losses # the sensor, or the storm, failed\n");
		return 1;
	}
	judge_run(run, WHEN_ANY);
	check_losses(&check);
	verdict("losses/declared", &check);
	return verdicts_failed() ? 1 : 0;
}

static const char *beside(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[n < 0 ? 0 : n] = 0;
	for (int i = 0; i < 3 && (slash = strrchr(path, '/')); i++)
		*slash = 0;
	strncat(path, "/libexec/hinomi-sensor", PATH_MAX - strlen(path) - 1);
	return path;
}

static void places_remove(const struct run *run, bool keep)
{
	pid_t pid;

	cgroup_remove(run->cgroup);
	if (keep) {
		printf("# %s\n", run->root);
		return;
	}
	pid = fork();
	if (pid == 0)
		execlp("rm", "rm", "-rf", run->root, NULL);
	waitpid(pid, NULL, 0);
}

static int list(void)
{
	static struct run run;

	choose(&run, (char *[]){NULL});
	for (size_t i = 0; i < run.n; i++)
		puts(run.tests[i]->name);
	return 0;
}

/* What the unit's CapabilityBoundingSet= leaves; root alone would have more. */
static int as_service(const char *program, char *const *arguments)
{
	static const int kept[] = {CAP_BPF, CAP_PERFMON, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE};
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}; /* its LimitMEMLOCK= */
	char *argv[16] = {(char *)program};

	setrlimit(RLIMIT_MEMLOCK, &all);
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		bool keeps = false;

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			keeps |= kept[i] == cap;
		if (!keeps && prctl(PR_CAPBSET_DROP, cap) && errno != EINVAL)
			return 1;
	}
	for (int i = 0; arguments && arguments[i] && i < 14; i++)
		argv[i + 1] = arguments[i];
	execv(program, argv);
	perror(program);
	return 1;
}

/* What stands behind "--". */
static char *const *take_rest(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], "--")) {
			argv[i] = NULL;
			*argc = i;
			return argv + i + 1;
		}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"list", 0, NULL, 'l'},	  {"hinomi", 1, NULL, 'p'},	{"dir", 1, NULL, 'd'},
		{"keep", 0, NULL, 'k'},	  {"help", 0, NULL, 'h'},	{"judge", 1, NULL, 'j'},
		{"losses", 0, NULL, 'L'}, {"as-service", 0, NULL, 's'}, {},
	};
	char path[PATH_MAX], config[2 * PATH_MAX];
	const char *dir = "/tmp";
	static struct run run;
	struct sensor sensor = {.program = NULL};
	bool keep = false, losses = false, service = false;
	int c, status;

	if (getenv(CHILD_ENV))
		return child(getenv(CHILD_ENV), argv);
	sensor.arguments = take_rest(&argc, argv);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			return list();
		case 'j':
			return judge_spool(&run, optarg);
		case 'L':
			losses = true;
			break;
		case 's':
			service = true;
			break;
		case 'p':
			sensor.program = optarg;
			break;
		case 'd':
			dir = optarg;
			break;
		case 'k':
			keep = true;
			break;
		default:
			return fputs(usage, c == 'h' ? stdout : stderr), c == 'h' ? 0 : 2;
		}
	}
	if (!sensor.program)
		sensor.program = beside(path);
	if (service)
		return as_service(sensor.program, sensor.arguments);
	choose(&run, argv + optind);
	if ((status = places_make(&run, dir)))
		return status;
	sensor.spool = run.spool;
	sensor.cgroup = run.cgroup;
	sensor.dir = run.root;
	watch_places(run.root, config, sizeof(config));
	sensor.config = losses ? losses_config : config;
	if (manager_open(&sensor.manager, run.root))
		return 1;
	status = losses ? all_losses(&run, &sensor) : all(&run, &sensor);
	places_remove(&run, keep);
	return status;
}
