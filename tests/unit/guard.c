// SPDX-License-Identifier: Apache-2.0
#include "guard_tools.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_signal(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	struct world w;

	(void)state;
	world_make(&w, KIND_signal, ATTACKER);
	w.target_key.pid = ATTACKER + 1;
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 0);
	w.target_key.pid = KEEPER;
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_SIGNAL);
	assert_string_equal(heard.object, "canary keeper");
	assert_ptr_equal(heard.by, &w.event);
	w.key.pid = SENSOR; /* what it does to its own children is no attempt */
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 1);
}

static void test_files(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	char path[PATH_MAX];
	struct world w;

	(void)state;
	world_make(&w, KIND_file_unlink, ATTACKER);
	path_set(&w, "/tmp/guardian");
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 0);
	snprintf(path, sizeof(path), "%s/keep/1", spool);
	path_set(&w, path);
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 1);
	assert_string_equal(heard.object, path);
	path_set(&w, spool); /* the directory itself */
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 2);
	w.namespaces.mnt++; /* somebody else's directory of that name */
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 2);

	world_make(&w, KIND_summary, ATTACKER); /* counted, in a flood */
	path_set(&w, path);
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 3);
	w.summary.file = NULL;
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 3);
}

/* A tree of cgroups in which the processes are the forwarder's. */
static void place_forwarders(struct guard *guard, const char *program, const pid_t *pids,
			     unsigned n)
{
	char dir[PATH_MAX], path[PATH_MAX + 16];
	FILE *file;

	snprintf(guard->cgroup_root, sizeof(guard->cgroup_root), "%s", spool);
	snprintf(guard->forwarder, sizeof(guard->forwarder), "%s", program);
	snprintf(dir, sizeof(dir), "%s/system.slice", spool);
	mkdir(dir, 0700);
	snprintf(dir, sizeof(dir), "%s/system.slice/hinomi-forward.service", spool);
	mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	file = fopen(path, "we");
	assert_non_null(file);
	for (unsigned i = 0; i < n; i++)
		fprintf(file, "%d\n", pids[i]);
	fclose(file);
	forwarder_look(guard);
}

static void remove_places(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/system.slice/hinomi-forward.service/cgroup.procs", spool);
	unlink(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
}

static pid_t child_make(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Our program in its place, and neither alone; until it ends, and not who has its number then. */
static void test_forwarder(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	pid_t pid = child_make(), others[GUARD_FORWARDERS + 1];
	uint32_t known[GUARD_FORWARDERS];
	struct world w;

	(void)state;
	guard->nforwarders = 0; /* of this machine */
	world_make(&w, KIND_signal, ATTACKER);
	w.target_key.pid = (uint32_t)pid;
	place_forwarders(guard, "/bin/false", &pid, 1);
	assert_int_equal(tells(guard, &heard, &w), 0);
	place_forwarders(guard, "/proc/self/exe", &pid, 0);
	assert_int_equal(tells(guard, &heard, &w), 0);
	place_forwarders(guard, "/proc/self/exe", &pid, 1);
	assert_int_equal(tells(guard, &heard, &w), 1);
	assert_string_equal(heard.object, "hinomi-forward");
	guard_forwarders(guard, known);
	assert_int_equal(known[0], pid);
	assert_int_equal(known[1], 0);
	w.target_key.start_ns = 5;
	assert_int_equal(tells(guard, &heard, &w), 0);

	/* its place is another one than it should be: told once, and it stays protected */
	heard.n = 0;
	place_forwarders(guard, "/proc/self/exe", &pid, 0);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_CGROUP);
	forwarder_look(guard);
	assert_int_equal(heard.n, 1);
	w.target_key.start_ns = 0;
	assert_int_equal(tells(guard, &heard, &w), 1);

	/* more than there can be push nobody out */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = child_make();
	place_forwarders(guard, "/proc/self/exe", others, ARRAY_SIZE(others));
	assert_int_equal(tells(guard, &heard, &w), 1);
	child_end(pid);
	forwarder_look(guard);
	assert_int_equal(tells(guard, &heard, &w), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		child_end(others[i]);
	remove_places();
}

/* Attempts that failed do not use up what those that did not may tell. */
static void test_limit(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	struct world w;

	(void)state;
	world_make(&w, KIND_file_unlink, ATTACKER);
	path_set(&w, spool);
	w.body.result = -13;
	for (int i = 0; i < 100; i++)
		guard_see(guard, &w.event);
	assert_in_range(heard.n, 1, 99);
	heard.n = 0;
	w.body.result = 0;
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.more, 0);
}

static void test_compare(void **state)
{
	struct heard heard;
	char path[PATH_MAX];
	struct guard *guard;

	(void)state;
	snprintf(path, sizeof(path), "%s/sensor_id", spool);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	guard = guard_make(&heard);
	guard_watch(guard);
	assert_int_equal(heard.n, 0);
	assert_int_equal(unlink(path), 0);
	guard_watch(guard);
	guard_watch(guard); /* told once */
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_FILE);
	assert_string_equal(heard.object, path);
	assert_string_equal(heard.is, "No such file or directory");
	assert_null(heard.by);
	guard_free(guard);
}

/* Whatever else changes a file of ours, the settings that hooks depend on, our BPF objects. */
static void test_more(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	Hinomi__FileTruncate truncate = HINOMI__FILE_TRUNCATE__INIT;
	Hinomi__FileFlags flags = HINOMI__FILE_FLAGS__INIT;
	Hinomi__FileXattr xattr = HINOMI__FILE_XATTR__INIT;
	Hinomi__FileTimes times = HINOMI__FILE_TIMES__INIT;
	Hinomi__FileMap map = HINOMI__FILE_MAP__INIT;
	Hinomi__FileMake make = HINOMI__FILE_MAKE__INIT;
	Hinomi__Sysctl sysctl = HINOMI__SYSCTL__INIT;
	Hinomi__Bpf bpf = HINOMI__BPF__INIT;
	static const unsigned kinds[] = {KIND_file_truncate, KIND_file_flags, KIND_file_xattr,
					 KIND_file_times,    KIND_file_map,   KIND_file_make};
	void *const bodies[] = {&truncate, &flags, &xattr, &times, &map, &make};
	char name[] = "kernel.ftrace_enabled", path[PATH_MAX];
	struct world w;

	(void)state;
	snprintf(path, sizeof(path), "%s/keep/1.seg", spool);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		world_make(&w, kinds[i], ATTACKER);
		path_set(&w, path);
		truncate.file = flags.file = xattr.file = times.file = map.file = make.file =
			&w.file;
		w.body.file_truncate = bodies[i]; /* a union */
		guard_see(guard, &w.event);
		assert_int_equal(heard.n, i + 1);
		assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_FILE);
	}
	heard.n = 0;
	world_make(&w, KIND_sysctl, ATTACKER);
	sysctl.name = (ProtobufCBinaryData){strlen(name), (uint8_t *)name};
	w.body.sysctl = &sysctl;
	guard_see(guard, &w.event);
	assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_SWITCH);
	sysctl.name.len -= 1;
	guard_see(guard, &w.event);
	world_make(&w, KIND_bpf, ATTACKER);
	bpf.operation = HINOMI__BPF__OPERATION__OPERATION_OPEN_MAP;
	w.body.bpf = &bpf;
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 1);
	bpf.ours = 1;
	guard_see(guard, &w.event);
	assert_int_equal(heard.n, 2);
	assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_BPF);
}

/* Noise about our objects does not hide that one of them has changed. */
static void test_found_apart(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	Hinomi__SensorTamper found = HINOMI__SENSOR_TAMPER__INIT;
	Hinomi__Bpf bpf = HINOMI__BPF__INIT;
	struct world w;

	(void)state;
	world_make(&w, KIND_bpf, ATTACKER);
	bpf.operation = HINOMI__BPF__OPERATION__OPERATION_OPEN_MAP;
	bpf.ours = 1;
	w.body.bpf = &bpf;
	for (unsigned i = 0; i < 100; i++)
		guard_see(guard, &w.event);
	assert_true(heard.n < 100);
	heard.n = 0;
	found.what = HINOMI__SENSOR_TAMPER__WHAT__WHAT_BPF;
	guard_tell(guard, &found, NULL);
	assert_int_equal(heard.n, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal),	    cmocka_unit_test(test_files),
		cmocka_unit_test(test_found_apart), cmocka_unit_test(test_more),
		cmocka_unit_test(test_limit),	    cmocka_unit_test(test_compare),
		cmocka_unit_test(test_forwarder),
	};

	return cmocka_run_group_tests(tests, spool_make, spool_remove);
}
