/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich_world.h"

#include "enrich/cgroup.h"
#include "enrich/mountinfo.h"
#include "enrich/names.h"

static void names_are_reread(void **state)
{
	struct names *names;

	(void)state;
	write_file("ids", "root:x:0:0:root:/root:/bin/sh\n"
			  "toor:x:0:0::/:\n"
			  "+nis:x:5:5::/:\n"
			  "#c:x:6:6::/:\n"
			  ":x:7:\n"
			  "big:x:99999999999:\n"
			  "nobody:x:4294967295:\n"
			  "word:x:1a:\n"
			  "short:x\n"
			  "empty:x::\n"
			  "last:x:4294967294");
	assert_int_equal(names_new(dir, "ids", &names), 0);
	assert_int_equal(names_find(names, 0).len, 0);
	names_refresh(names, 0);
	assert_bytes(names_find(names, 0), "root");
	assert_bytes(names_find(names, 4294967294), "last");
	for (uint32_t id = 1; id < 10; id++)
		assert_int_equal(names_find(names, id).len, 0);
	assert_int_equal(names_find(names, UINT32_MAX).len, 0);
	write_file("ids", "admin:x:0:0:root:/root:/bin/sh\n");
	names_refresh(names, 900);
	assert_bytes(names_find(names, 0), "root");
	names_refresh(names, 1001);
	assert_bytes(names_find(names, 0), "admin");
	assert_int_equal(names_find(names, 4294967294).len, 0);
	write_file("ids", "");
	names_refresh(names, 3000);
	assert_int_equal(names_find(names, 0).len, 0);
	names_free(names);
}

#define ID64	      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define POD	      "0a1b2c3d-1111-2222-3333-0123456789ab"
#define POD_	      "0a1b2c3d_1111_2222_3333_0123456789ab"
#define RUNTIME(name) HINOMI__RUNTIME__RUNTIME_##name

static void runtimes_and_pods(void **state)
{
	static const struct {
		const char *path;
		Hinomi__Runtime runtime;
		const char *container, *pod;
	} cases[] = {
		{"/system.slice/docker-" ID64 ".scope", RUNTIME(DOCKER), ID64, ""},
		{"/docker/" ID64 "/init", RUNTIME(DOCKER), ID64, ""},
		{"/user.slice/user-1.slice/user@1.service/user.slice/docker-" ID64 ".scope",
		 RUNTIME(DOCKER), ID64, ""},
		{"/user.slice/user-1.slice/user@1.service/user.slice/libpod-" ID64
		 ".scope/container",
		 RUNTIME(PODMAN), ID64, ""},
		{"/libpod_parent/" ID64, RUNTIME(PODMAN), ID64, ""},
		{"/system.slice/nerdctl-" ID64 ".scope", RUNTIME(CONTAINERD), ID64, ""},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_
		 ".slice/cri-containerd-" ID64 ".scope",
		 RUNTIME(CONTAINERD), ID64, POD},
		{"/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" ID64 ".scope/x", RUNTIME(CRIO),
		 ID64, POD},
		{"/kubepods/besteffort/pod" POD "/" ID64, RUNTIME(UNSPECIFIED), ID64, POD},
		{"/system.slice/containerd.service/kubepods-besteffort-pod" POD_
		 ".slice:cri-containerd:" ID64,
		 RUNTIME(CONTAINERD), ID64, POD},
		{"/kubepods/pod0123456789abcdef0123456789abcdef/" ID64, RUNTIME(UNSPECIFIED), ID64,
		 "0123456789abcdef0123456789abcdef"},
		{"/lxc.payload.web/init.scope", RUNTIME(LXC), "web", ""},
		{"/lxc.monitor.web", RUNTIME(UNSPECIFIED), "", ""},
		{"/machine.slice/machine-deb\\x2d13.scope/payload", RUNTIME(NSPAWN), "deb\\x2d13",
		 ""},
		{"/machine.slice/systemd-nspawn@deb.service/payload", RUNTIME(NSPAWN), "deb", ""},
		{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", RUNTIME(UNSPECIFIED), "", ""},
		{"/machine-.scope", RUNTIME(UNSPECIFIED), "", ""},
		{"/kubepods-pod" POD_ "0.slice", RUNTIME(UNSPECIFIED), "", ""},
		{"/xpod" POD, RUNTIME(UNSPECIFIED), "", ""},
		{"pod", RUNTIME(UNSPECIFIED), "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *path = cases[i].path;
		Hinomi__Runtime runtime;
		char pod[POD_UID_LEN];
		struct path_part part = cgroup_container(path, strlen(path), &runtime);
		size_t n = cgroup_pod(path, strlen(path), pod);

		assert_int_equal(runtime, cases[i].runtime);
		assert_int_equal(part.len, strlen(cases[i].container));
		assert_memory_equal(path + part.off, cases[i].container, part.len);
		assert_int_equal(n, strlen(cases[i].pod));
		assert_memory_equal(pod, cases[i].pod, n);
	}
}

static void containers_and_units(void **state)
{
	static const struct {
		const char *path, *container, *unit;
	} cases[] = {
		{"/", "", ""},
		{"/system.slice/ssh.service", "", "ssh.service"},
		{"/user.slice/user-1.slice/session-3.scope", "", "session-3.scope"},
		{"/user.slice/user@1.service/app.slice/a.scope/x", "", "a.scope"},
		{"/system.slice/docker-" ID64 ".scope", ID64, "docker-" ID64 ".scope"},
		{"/docker/" ID64, ID64, ""},
		{"/docker/" ID64 "/system.slice/nginx.service", ID64, "nginx.service"},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID64 ".scope", ID64,
		 "cri-containerd-" ID64 ".scope"},
		{"/kubepods/burstable/pod1/" ID64, ID64, ""},
		{"/kubepods-pod1.slice:cri-containerd:" ID64, ID64, ""},
		{"/crio-" ID64, ID64, ""},
		{"/machine.slice/libpod-" ID64 ".scope/container", ID64, "libpod-" ID64 ".scope"},
		{"/machine.slice/libpod-conmon-" ID64 ".scope", "", "libpod-conmon-" ID64 ".scope"},
		{"/crio-conmon-" ID64 ".scope", "", "crio-conmon-" ID64 ".scope"},
		{"/x" ID64, "", ""},
		{"/docker-" ID64 "0", "", ""},
		{"/docker/0123", "", ""},
		{"/.service", "", ""},
		{"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *path = cases[i].path;
		Hinomi__Runtime runtime;
		struct path_part part = cgroup_container(path, strlen(path), &runtime);

		assert_int_equal(part.len, strlen(cases[i].container));
		assert_memory_equal(path + part.off, cases[i].container, part.len);
		part = cgroup_unit(path, strlen(path));
		assert_int_equal(part.len, strlen(cases[i].unit));
		assert_memory_equal(path + part.off, cases[i].unit, part.len);
	}
}

/* Any directory will do for the walk, which is what is left without the capability. */
static void cgroups_by_walking(void **state)
{
	struct cgroups *cgroups;
	const struct cgroup *cgroup;
	uint64_t outer, inner;
	char root[64];

	(void)state;
	make_dir(dir, "cg");
	snprintf(root, sizeof(root), "%s/cg", dir);
	outer = make_dir(root, "a.slice");
	assert_int_equal(cgroups_new(root, &cgroups), 0);
	cgroup = cgroups_find(cgroups, outer, 0);
	assert_string_equal(cgroup->path, "/a.slice");
	inner = make_dir(root, "a.slice/docker-" ID64 ".scope");
	cgroup = cgroups_find(cgroups, inner, 100);
	assert_string_equal(cgroup->path, "/a.slice/docker-" ID64 ".scope");
	assert_memory_equal(cgroup->path + cgroup->container.off, ID64, cgroup->container.len);
	inner = make_dir(root, "b");
	assert_null(cgroups_find(cgroups, inner, 200)); /* walked a moment ago */
	assert_string_equal(cgroups_find(cgroups, inner, 1200)->path, "/b");
	assert_null(cgroups_find(cgroups, 1, 2500)->path); /* gone */
	assert_null(cgroups_find(cgroups, 1, 2500)->path);
	cgroups_free(cgroups);
	assert_int_equal(cgroups_new("/nowhere", &cgroups), 0);
	assert_null(cgroups_find(cgroups, 1, 0)->path);
	cgroups_free(cgroups);
}

static void cgroups_by_handle(void **state)
{
	struct cgroups *cgroups;
	char root[4096];
	struct stat st;
	uint64_t id;

	(void)state;
	if (mountinfo_find("cgroup2", root, sizeof(root)) || access(root, W_OK)) {
		print_message("skipped: no cgroup v2 that may be written to\n");
		skip();
	}
	assert_int_equal(cgroups_new(NULL, &cgroups), 0);
	id = make_dir(root, "hinomi-unit (deleted)"); /* the kernel's own mark of what is gone */
	assert_string_equal(cgroups_find(cgroups, id, 0)->path, "/hinomi-unit (deleted)");
	strcat(root, "/hinomi-unit (deleted)");
	assert_int_equal(rmdir(root), 0);
	cgroups_free(cgroups);
	assert_int_equal(cgroups_new(NULL, &cgroups), 0);
	assert_null(cgroups_find(cgroups, id, 0)->path);
	/* gone before anybody asked, but told when it was made; then only where / is the root of
	 * all */
	cgroups_learn(cgroups, id, "/a.slice/b.scope", 16);
	*strrchr(root, '/') = 0;
	assert_int_equal(stat(root, &st), 0);
	if (st.st_ino == 1)
		assert_string_equal(cgroups_find(cgroups, id, 0)->path, "/a.slice/b.scope");
	cgroups_free(cgroups);
}

static void mountinfo_lines(void **state)
{
	char path[32];

	(void)state;
	assert_int_equal(mountinfo_line("41 31 0:38 / /a\\040b\\134 rw shared:1 - cgroup2 c rw",
					"cgroup2", path, sizeof(path)),
			 0);
	assert_string_equal(path, "/a b\\");
	assert_int_equal(mountinfo_line("1 1 0:1 / /x rw - cgroup c rw", "cgroup2", path, 32),
			 -ENOENT);
	assert_int_equal(mountinfo_line("1 1 0:1 / /x rw - cgroup2x c rw", "cgroup2", path, 32),
			 -ENOENT);
	assert_int_equal(mountinfo_line("", "cgroup2", path, 32), -EBADMSG);
	assert_int_equal(mountinfo_line("1 2 - cgroup2 c", "cgroup2", path, 32), -EBADMSG);
	assert_int_equal(mountinfo_line("1 1 0:1 / /long rw - cgroup2 c rw", "cgroup2", path, 4),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_reread),  cmocka_unit_test(containers_and_units),
		cmocka_unit_test(runtimes_and_pods), cmocka_unit_test(cgroups_by_walking),
		cmocka_unit_test(cgroups_by_handle), cmocka_unit_test(mountinfo_lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
