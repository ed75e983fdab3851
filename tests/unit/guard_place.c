// SPDX-License-Identifier: Apache-2.0
/* Files of ours by inode and directory, under whatever name. */
#include "guard_tools.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void file_make(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", spool, name);
	close(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

/* The file as a program sees it that came to it by another name in a mount namespace of its own. */
static void file_elsewhere(struct world *w, const char *path, const char *dir)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	long generation = 0;

	world_make(w, KIND_file_unlink, ATTACKER);
	w->namespaces.mnt++;
	path_set(w, "/mnt/else");
	assert_int_equal(stat(dir, &st), 0);
	w->file.directory_inode = st.st_ino;
	w->file.device_major = major(st.st_dev);
	w->file.device_minor = minor(st.st_dev);
	assert_int_equal(fstat(fd, &st), 0);
	w->file.inode = st.st_ino;
	if (!ioctl(fd, FS_IOC_GETVERSION, &generation))
		w->file.generation = (uint32_t)generation;
}

/* By inode wherever its name is, by directory whatever the name, and not what another file is now.
 */
static void test_identity(void **state)
{
	char path[PATH_MAX], other[PATH_MAX];
	struct heard heard;
	struct guard *guard;
	struct world w;

	(void)state;
	file_make(path, "first");
	guard = guard_make(&heard);
	file_elsewhere(&w, path, "/");
	assert_int_equal(tells(guard, &heard, &w), 1);
	assert_int_equal(heard.what, HINOMI__SENSOR_TAMPER__WHAT__WHAT_FILE);
	w.file.device_minor++;
	assert_int_equal(tells(guard, &heard, &w), 0);
	w.file.device_minor--;
	if (w.file.generation) {
		w.file.generation++;
		assert_int_equal(tells(guard, &heard, &w), 0);
	}
	file_elsewhere(&w, spool, "/");
	assert_int_equal(tells(guard, &heard, &w), 1);

	file_make(other, "second");
	file_elsewhere(&w, other, spool);
	assert_int_equal(tells(guard, &heard, &w), 1);
	file_elsewhere(&w, other, "/");
	assert_int_equal(tells(guard, &heard, &w), 0);
	assert_int_equal(rename(other, path), 0);
	guard_watch(guard);
	assert_int_equal(tells(guard, &heard, &w), 1);
	assert_int_equal(unlink(path), 0);
	guard_watch(guard);
	assert_int_equal(tells(guard, &heard, &w), 0);
	guard_free(guard);
}

/* In a directory that is not ours, only names that begin as ours do. */
static void test_prefix(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	struct stat st;
	struct world w;

	(void)state;
	if (stat("/etc/systemd/system", &st))
		skip();
	file_elsewhere(&w, "/etc/systemd/system", "/etc/systemd/system");
	w.file.inode = ~0ull;
	path_set(&w, "/mnt/hinomi-sensor.service");
	assert_int_equal(tells(guard, &heard, &w), 1);
	path_set(&w, "/mnt/cron.service");
	assert_int_equal(tells(guard, &heard, &w), 0);
}

/* A hard link: of the file, and where only the name tells. */
static void test_link(void **state)
{
	struct heard heard;
	CLEANUP(guard_free) struct guard *guard = guard_make(&heard);
	Hinomi__FileLink link = HINOMI__FILE_LINK__INIT;
	char target[PATH_MAX];
	struct world w;

	(void)state;
	world_make(&w, KIND_file_link, ATTACKER);
	link.file = &w.file;
	w.body.file_link = &link;
	path_set(&w, "/tmp/link");
	snprintf(target, sizeof(target), "%s/keep/1.seg", spool);
	link.target = (ProtobufCBinaryData){strlen(target), (uint8_t *)target};
	assert_int_equal(tells(guard, &heard, &w), 1);
	assert_string_equal(heard.object, target);
	link.symbolic = true;
	assert_int_equal(tells(guard, &heard, &w), 0);
	path_set(&w, target);
	assert_int_equal(tells(guard, &heard, &w), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_link),
	};

	return cmocka_run_group_tests(tests, spool_make, spool_remove);
}
