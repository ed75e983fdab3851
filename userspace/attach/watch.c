// SPDX-License-Identifier: Apache-2.0
/*
 * Tells the kernel side what is watched: says so in `control` and opens it with
 * O_PATH, where bpf/watch.h takes down the kernel's own object.  That needs no
 * right to BPF, so it goes on for as long as the sensor runs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/internal.h"

#define FILES_MAX                                                                       \
	6144 /* below watched directories, in one round; bpf/watch.h has room for 8,192 \
	      */
#define LEVELS_MAX 16
#define INIT_ROOT  "/proc/1/root"

struct round {
	struct attach *attach;
	struct attach_watched *told;
	uint32_t line;
};

/* Descriptor of what was opened and told, -errno. */
static int tell(struct round *round, enum watch_want want, int at, const char *path, int flags)
{
	struct watch_control *watch = &round->attach->control->watch;
	uint32_t done = __atomic_load_n(&watch->done, __ATOMIC_SEQ_CST);
	int fd;

	watch->line = round->line;
	__atomic_store_n(&watch->want, want, __ATOMIC_SEQ_CST);
	fd = openat(at, path, O_PATH | O_CLOEXEC | flags);
	__atomic_store_n(&watch->want, WATCH_NOTHING, __ATOMIC_SEQ_CST);
	if (fd < 0)
		return -errno;
	if (__atomic_load_n(&watch->done, __ATOMIC_SEQ_CST) == done)
		round->told->unseen++;
	else if (want == WATCH_OBJECT)
		round->told->objects++;
	return fd;
}

static void tell_below(struct round *round, int dir, unsigned level);

static void tell_entry(struct round *round, int dir, const struct dirent *entry, unsigned level)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || entry->d_type == DT_LNK)
		return;
	if (round->told->objects >= FILES_MAX || level == LEVELS_MAX) {
		round->told->over++;
		return;
	}
	fd = tell(round, WATCH_OBJECT, dir, entry->d_name, O_NOFOLLOW);
	if (fd >= 0 && entry->d_type != DT_REG && !fstat(fd, &st) && S_ISDIR(st.st_mode))
		tell_below(round, fd, level + 1);
}

/* What is in a watched directory is watched for its own sake, too: it may have other names. */
static void tell_below(struct round *round, int dir, unsigned level)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(entries)))
		tell_entry(round, fd, entry, level);
}

static void tell_object(struct round *round, const char *path)
{
	CLEANUP(close_fd) int fd = tell(round, WATCH_OBJECT, AT_FDCWD, path, 0);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode))
		tell_below(round, fd, 0);
}

/* The name in its directory, whatever file has it, or will. */
static void tell_name(struct round *round, const char *dir, const char *name)
{
	struct watch_control *watch = &round->attach->control->watch;
	int fd;

	if (strlen(name) >= sizeof(watch->name))
		return;
	memset(watch->name, 0, sizeof(watch->name));
	memcpy(watch->name, name, strlen(name));
	fd = tell(round, WATCH_NAME, AT_FDCWD, dir, O_DIRECTORY);
	if (fd >= 0)
		close(fd);
}

static void tell_match(struct round *round, char *path)
{
	char *slash = strrchr(path, '/');

	tell_object(round, path);
	*slash = 0;
	tell_name(round, *path ? path : "/", slash + 1);
}

/* A last part without wildcards is watched even where there is nothing of that name yet. */
static void tell_missing(struct round *round, char *pattern)
{
	char *slash = strrchr(pattern, '/');
	glob_t dirs;

	if (strpbrk(slash, "*?["))
		return;
	*slash = 0;
	if (!glob(*pattern ? pattern : "/", GLOB_NOSORT | GLOB_ONLYDIR, NULL, &dirs)) {
		for (size_t i = 0; i < dirs.gl_pathc; i++)
			tell_name(round, dirs.gl_pathv[i], slash + 1);
		globfree(&dirs);
	}
}

static void tell_line(struct round *round, const char *root, const char *line)
{
	char pattern[PATH_MAX + sizeof(INIT_ROOT)];
	glob_t matches;

	snprintf(pattern, sizeof(pattern), "%s%s", root, line);
	if (!glob(pattern, GLOB_NOSORT, NULL, &matches)) {
		for (size_t i = 0; i < matches.gl_pathc; i++)
			tell_match(round, matches.gl_pathv[i]);
		globfree(&matches);
	}
	tell_missing(round, pattern);
}

static bool same_mounts(void)
{
	struct stat init, self;

	return !stat("/proc/1/ns/mnt", &init) && !stat("/proc/self/ns/mnt", &self) &&
	       init.st_ino == self.st_ino;
}

/* As the machine's first process sees it: the sensor's service has a /dev and a /tmp of its own. */
void attach_watch(struct attach *attach, char *const *lines, size_t n, struct attach_watched *ret)
{
	bool init = !access(INIT_ROOT "/", X_OK), own = !init || !same_mounts();
	struct round round = {.attach = attach, .told = ret};

	*ret = (struct attach_watched){0};
	attach->control->watch.tgid = attach->own[OWN_SENSOR].key.tgid;
	for (size_t i = 0; i < n; i++) {
		round.line = (uint32_t)i + 1;
		if (init)
			tell_line(&round, INIT_ROOT, lines[i]);
		if (own)
			tell_line(&round, "", lines[i]);
	}
}

void watch_canary(struct attach *attach, const char *dir)
{
	struct attach_watched told = {0};
	struct round round = {.attach = attach, .told = &told, .line = WATCH_CANARY};
	int fd;

	attach->control->watch.tgid = attach->own[OWN_SENSOR].key.tgid;
	fd = tell(&round, WATCH_OBJECT, AT_FDCWD, dir, O_DIRECTORY);
	if (fd >= 0)
		close(fd);
}
