/* SPDX-License-Identifier: Apache-2.0 */
/* What hinomi run does with its children and with the ledger that it reads. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"
#include "cli/child.h"
#include "cli/readiness.h"
#include "cli/tally.h"
#include "frame/frame.h"
#include "hinomi/record.h"

/* ---- readiness */

static void test_ready(void **state)
{
	char name[READINESS_NAME_MAX];
	int fd = readiness_open(name);

	(void)state;
	assert_true(fd >= 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_false(readiness_heard(fd, getpid(), 0));
	assert_int_equal(notify_send("STATUS=coming up"), 1);
	assert_int_equal(notify_send("READY=10"), 1);
	assert_false(readiness_heard(fd, getpid(), 0));
	assert_int_equal(notify_send("STATUS=there\nREADY=1"), 1);
	assert_true(readiness_heard(fd, getpid(), 1000));
	close(fd);
}

/* anybody on the machine can send to the socket */
static void test_ready_is_from_the_child(void **state)
{
	char name[READINESS_NAME_MAX];
	int fd = readiness_open(name), status;
	pid_t pid;

	(void)state;
	setenv("NOTIFY_SOCKET", name, 1);
	pid = fork();
	if (!pid)
		_exit(notify_send("READY=1") != 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(readiness_heard(fd, getpid(), 100));
	close(fd);
}

/* ---- children: copies of sleep and false in a libexec of our own */

static char dir[] = "/tmp/hinomi-run-XXXXXX";

static void install(const char *from, const char *name)
{
	char path[128];
	struct stat st;
	int in = open(from, O_RDONLY), out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = open(path, O_WRONLY | O_CREAT, 0755);
	assert_true(in >= 0 && out >= 0 && !fstat(in, &st));
	assert_int_equal(sendfile(out, in, NULL, (size_t)st.st_size), st.st_size);
	close(in);
	close(out);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("HINOMI_LIBEXEC", dir, 1);
	install("/bin/sleep", "hinomi-sleep");
	install("/bin/false", "hinomi-false");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void test_child(void **state)
{
	char *fails[] = {"hinomi-false", NULL}, *sleeps[] = {"hinomi-sleep", "1000", NULL};
	char *missing[] = {"hinomi-missing", NULL};
	struct child child;
	char how[64];

	(void)state;
	assert_int_equal(child_start(&child, missing, NULL, NULL), -ENOENT);
	assert_int_equal(child_start(&child, fails, NULL, NULL), 0);
	assert_true(child_wait(&child, 10000));
	child_describe(&child, how, sizeof(how));
	assert_string_equal(how, "exit status 1");

	assert_int_equal(child_start(&child, sleeps, NULL, NULL), 0);
	assert_false(child_check(&child));
	assert_false(child_wait(&child, 50));
	child_signal(&child, SIGTERM);
	assert_true(child_wait(&child, 10000));
	child_describe(&child, how, sizeof(how));
	assert_string_equal(how, "killed by SIGTERM");
}

/* The user is given up for good, and a directory that is closed to it does not matter. */
static void test_child_of_other_user(void **state)
{
	const struct child_user user = {.uid = 65534, .gid = 65534};
	char *sleeps[] = {"hinomi-sleep", "1000", NULL};
	struct child child;
	char path[64], line[256];
	bool uid = false, privileges = false;
	FILE *status;

	(void)state;
	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(child_start(&child, sleeps, NULL, &user), 0);
	child_wait(&child, 200);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)child.pid);
	status = fopen(path, "r");
	assert_non_null(status);
	while (fgets(line, sizeof(line), status)) {
		uid |= !strcmp(line, "Uid:\t65534\t65534\t65534\t65534\n");
		privileges |= !strcmp(line, "NoNewPrivs:\t1\n");
		if (!strncmp(line, "Groups:", 7))
			assert_null(strpbrk(line, "0123456789"));
	}
	fclose(status);
	child_signal(&child, SIGKILL);
	assert_true(child_wait(&child, 10000));
	assert_true(uid && privileges);
}

/* ---- the table at the end */

static void tell(struct tally *tally, const char *rings, Hinomi__LedgerRow *row,
		 Hinomi__Event *event)
{
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	Hinomi__Payload payload = HINOMI__PAYLOAD__INIT;
	struct frame frame = {.header = &header, .payload = &payload};
	uint8_t id[16] = {0};

	memcpy(id, rings, strlen(rings));
	header.rings_id = (ProtobufCBinaryData){.data = id, .len = sizeof(id)};
	if (row) {
		header.ledger = &row;
		header.n_ledger = 1;
	}
	if (event) {
		payload.events = &event;
		payload.n_events = 1;
	}
	tally_frame(tally, &frame);
}

static Hinomi__LedgerRow row_of(unsigned kind, unsigned cpu, uint64_t delivered, uint64_t lost)
{
	Hinomi__LedgerRow row = HINOMI__LEDGER_ROW__INIT;

	row.kind = kind;
	row.cpu = cpu;
	row.delivered = delivered;
	row.lost = lost;
	row.seen = delivered + lost;
	return row;
}

static char *print(const struct tally *tally)
{
	static char *text;
	static size_t size;
	FILE *out = open_memstream(&text, &size);

	tally_print(tally, out);
	fclose(out);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void test_tally(void **state)
{
	Hinomi__LedgerRow old = row_of(KIND_exec, 0, 99, 0), first = row_of(KIND_exec, 0, 5, 0);
	Hinomi__LedgerRow later = row_of(KIND_exec, 0, 7, 0), other = row_of(KIND_exec, 1, 10, 3);
	Hinomi__Coverage coverage = HINOMI__COVERAGE__INIT, *list[] = {&coverage};
	Hinomi__SensorStop stop = HINOMI__SENSOR_STOP__INIT;
	Hinomi__Event event = HINOMI__EVENT__INIT;
	struct tally *tally;
	char *text;

	(void)state;
	coverage.class_ = "exec";
	coverage.hook = "tp_btf/\033[31mx";
	coverage.tier = 2;
	coverage.state = HINOMI__COVERAGE__STATE__STATE_LOWER_TIER;
	stop.coverage = list;
	stop.n_coverage = 1;
	event.cpu = CPU_SENSOR;
	event.body_case = HINOMI__EVENT__BODY_SENSOR_STOP;
	event.sensor_stop = &stop;
	assert_int_equal(tally_new(&tally), 0);
	tell(tally, "rings before", &old, NULL);
	tell(tally, "rings", &first, NULL);
	tell(tally, "rings", &other, NULL);
	tell(tally, "rings", &later, &event);
	text = print(tally);
	assert_line(text, "exec                  20         17          0          0          3"
			  "  tp_btf/\\e[31mx (tier 2)\n");
	assert_line(text, "total                 20         17          0          0          3"
			  "  seen = delivered");
	free(text);
	later.seen++;
	tell(tally, "rings", &later, NULL);
	text = print(tally);
	assert_line(text, "the sums do NOT hold");
	free(text);
	tally_free(tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready), cmocka_unit_test(test_ready_is_from_the_child),
		cmocka_unit_test(test_child), cmocka_unit_test(test_child_of_other_user),
		cmocka_unit_test(test_tally),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
