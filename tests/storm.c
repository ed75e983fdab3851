// SPDX-License-Identifier: Apache-2.0
/*
 * storm: makes a known number of events as fast as it can, each with a mark of
 * its own that a judge can look for at the other end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MARK_MAX      64
#define PATH_SIZE     4096
#define PROCESSES_MAX 64
#define NOBODY	      65534
#define NS_PER_SEC    1000000000ull
#define PACE_NS	      500000 /* it sleeps no shorter */

static const char usage[] =
	"usage: storm [-p PROCESSES] [--cgroup DIR] [--nobody] [--rate PER_SECOND] KIND N "
	"[MARK|DIR]\n"
	"  exec N MARK [BYTES]\n"
	"                 fork and exec of a short program, with the argument MARK-i and one of so "
	"many bytes\n"
	"  fork N         fork alone\n"
	"  create N DIR   files DIR/i made\n"
	"  open N DIR     the file DIR/i opened for writing\n"
	"  unlink N DIR   DIR/i taken away\n"
	"  again N FILE   one file opened for writing each time\n"
	"  getppid N      a system call that nobody watches\n"
	"  chroot N       asked for by who may not (--nobody)\n"
	"  sandbox N      processes that give up their right to more rights\n"
	"  tcp N          connections over the loopback device, number i to 127.1.x.y\n"
	"i counts from 0. Ends with what it did, KIND and number, and 1 if something failed.\n";

struct storm {
	const char *what; /* MARK or DIR */
	const char *padding;
	int listener;
	struct sockaddr_in address;
	unsigned long every_ns; /* of one process; 0: no pace */
};

static char self[PATH_SIZE];

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static bool do_exec(struct storm *storm, unsigned i)
{
	char mark[MARK_MAX];
	int status;
	pid_t pid;

	snprintf(mark, sizeof(mark), "%s-%u", storm->what, i);
	pid = fork();
	if (pid == 0) {
		execl(self, "storm", "nothing", mark, storm->padding, NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool do_fork(struct storm *storm, unsigned i)
{
	int status;
	pid_t pid = fork();

	(void)storm;
	(void)i;
	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool opened(struct storm *storm, unsigned i, int flags)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%s/%u", storm->what, i);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd >= 0 && !close(fd);
}

static bool do_create(struct storm *storm, unsigned i)
{
	return opened(storm, i, O_WRONLY | O_CREAT | O_EXCL);
}

static bool do_open(struct storm *storm, unsigned i)
{
	return opened(storm, i, O_WRONLY);
}

/* The same file each time: nothing is left of it but the events. */
static bool do_again(struct storm *storm, unsigned i)
{
	int fd = open(storm->what, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)i;
	return fd >= 0 && !close(fd);
}

/* What nobody watches. */
static bool do_getppid(struct storm *storm, unsigned i)
{
	(void)storm, (void)i;
	return syscall(SYS_getppid) >= 0;
}

static bool do_chroot(struct storm *storm, unsigned i)
{
	(void)storm, (void)i;
	return chroot("/") && errno == EPERM;
}

static bool do_sandbox(struct storm *storm, unsigned i)
{
	int status;
	pid_t pid = fork();

	(void)storm, (void)i;
	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? 1 : 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool do_unlink(struct storm *storm, unsigned i)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%u", storm->what, i);
	return !unlink(path);
}

static bool do_tcp(struct storm *storm, unsigned i)
{
	struct sockaddr_in to = storm->address;
	struct linger now = {.l_onoff = 1, .l_linger = 0}; /* leaves no TIME_WAIT behind */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer = -1;
	bool done;

	to.sin_addr.s_addr = htonl(0x7f010000 + i);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	done = fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (done)
		peer = accept4(storm->listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer >= 0)
		close(peer);
	close(fd);
	return done && peer >= 0;
}

static const struct {
	const char *name;
	bool (*act)(struct storm *storm, unsigned i);
} kinds[] = {
	{"exec", do_exec},	 {"fork", do_fork},	  {"create", do_create},
	{"open", do_open},	 {"tcp", do_tcp},	  {"unlink", do_unlink},
	{"again", do_again},	 {"getppid", do_getppid}, {"chroot", do_chroot},
	{"sandbox", do_sandbox},
};

/* One listener a process, or one would take the connection that another one waits for. */
static bool listen_up(struct storm *storm)
{
	socklen_t len = sizeof(storm->address);

	storm->address.sin_family = AF_INET;
	storm->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return !bind(storm->listener, (struct sockaddr *)&storm->address, len) &&
	       !listen(storm->listener, 16) &&
	       !getsockname(storm->listener, (struct sockaddr *)&storm->address, &len);
}

/* Waits until it is the turn of the next one; as fast as it can without a rate. */
static void keep_pace(const struct storm *storm, uint64_t began_ns, unsigned done)
{
	uint64_t due_ns = began_ns + done * (uint64_t)storm->every_ns;
	struct timespec at = {.tv_sec = (time_t)(due_ns / NS_PER_SEC),
			      .tv_nsec = (long)(due_ns % NS_PER_SEC)};

	if (storm->every_ns && due_ns > now_ns() + PACE_NS)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static int work(size_t kind, struct storm *storm, unsigned from, unsigned to)
{
	uint64_t began_ns = now_ns();

	if (!strcmp(kinds[kind].name, "tcp") && !listen_up(storm)) {
		perror("storm: listen");
		return 1;
	}
	for (unsigned i = from; i < to; i++) {
		keep_pace(storm, began_ns, i - from);
		if (!kinds[kind].act(storm, i)) {
			fprintf(stderr, "storm: %s %u: %s\n", kinds[kind].name, i, strerror(errno));
			return 1;
		}
	}
	return 0;
}

static int share(size_t kind, struct storm *storm, unsigned n, unsigned processes)
{
	int failed = 0, status;

	for (unsigned p = 0; p < processes; p++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(work(kind, storm, n * p / processes, n * (p + 1) / processes));
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

static const char *padding(size_t bytes)
{
	char *text = calloc(bytes + 1, 1);

	if (text)
		memset(text, 'x', bytes);
	return text;
}

static int enter(const char *cgroup)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1) {
		perror(path);
		return 1;
	}
	return close(fd);
}

/* Who may not go where this program lies can execute it all the same. */
static int become_nobody(void)
{
	strcpy(self, "/proc/self/exe");
	return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"cgroup", 1, NULL, 'g'}, {"nobody", 0, NULL, 'n'}, {"rate", 1, NULL, 'r'}, {}};
	struct storm storm = {.listener = -1};
	const char *cgroup = NULL;
	bool nobody = false;
	unsigned processes = 1, rate = 0, n;
	int c, status;

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	while ((c = getopt_long(argc, argv, "p:", options, NULL)) != -1) {
		if (c == 'p')
			processes = (unsigned)atoi(optarg);
		else if (c == 'g')
			cgroup = optarg;
		else if (c == 'n')
			nobody = true;
		else if (c == 'r')
			rate = (unsigned)atoi(optarg);
		else
			return fputs(usage, stderr), 2;
	}
	argv += optind;
	if (argc - optind < 2 || processes < 1 || processes > PROCESSES_MAX)
		return fputs(usage, stderr), 2;
	n = (unsigned)atoi(argv[1]);
	storm.every_ns = rate ? NS_PER_SEC * processes / rate : 0;
	storm.what = argv[2] ? argv[2] : "mark";
	if (argv[2] && argv[3])
		storm.padding = padding((size_t)atoi(argv[3]));
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || (cgroup && enter(cgroup)) ||
	    (nobody && become_nobody()))
		return 1;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		if (!strcmp(kinds[k].name, argv[0])) {
			status = share(k, &storm, n, processes);
			printf("%s %u\n", argv[0], n);
			return status;
		}
	return fputs(usage, stderr), 2;
}
