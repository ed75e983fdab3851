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

#define OBJECTS_MAX 6144 /* in one round; bpf/watch.h has room for 8,192 */
#define OWNER_MAX   256	 /* of them where somebody else than root decides what there is */
#define OWNERS_MAX  64
#define ENTRIES_MAX 32768 /* of one such owner looked at in one round */
#define LEVELS_MAX  16
#define INIT_ROOT   "/proc/1/root"

/*
 * Whoever may fill a watched directory must not use up what all share: a round
 * goes through what is root's first, then through the rest with a budget for each
 * owner; and through directories before files, since what is in a directory that
 * is watched is found when it is opened by that name.
 */
struct owner {
	uid_t uid;
	unsigned objects, entries;
};

enum pass { ROOTS_DIRECTORIES, ROOTS_FILES, OTHERS_DIRECTORIES, OTHERS_FILES, PASSES };

struct round {
	struct attach *attach;
	struct attach_watched *told;
	uint32_t line;
	enum pass pass;
	struct owner owners[OWNERS_MAX];
	unsigned nowners;
};

/* NULL for root.  When there are more than fit, the last ones share. */
static struct owner *owner_of(struct round *round, uid_t uid)
{
	struct owner *owner = round->owners;

	if (!uid)
		return NULL;
	while (owner < round->owners + round->nowners && owner->uid != uid)
		owner++;
	if (owner == round->owners + OWNERS_MAX)
		return owner - 1;
	if (owner == round->owners + round->nowners) {
		*owner = (struct owner){.uid = uid};
		round->nowners++;
	}
	return owner;
}

static bool is_turn(const struct round *round, const struct owner *owner, bool directory)
{
	return (round->pass >= OTHERS_DIRECTORIES) == !!owner &&
	       (round->pass == ROOTS_DIRECTORIES || round->pass == OTHERS_DIRECTORIES) == directory;
}

/* One more, if the budget has room for it. */
static bool spend(struct round *round, struct owner *owner)
{
	if (round->told->objects >= OBJECTS_MAX || (owner && owner->objects >= OWNER_MAX)) {
		round->told->over++;
		return false;
	}
	if (owner)
		owner->objects++;
	return true;
}

/* Who decides what is at the end of this path: the first on the way to it who is not root. */
static struct owner *owner_of_path(struct round *round, const char *path)
{
	char part[PATH_MAX + sizeof(INIT_ROOT)];
	size_t len = strlen(path);
	struct stat st;

	for (size_t at = strncmp(path, INIT_ROOT "/", sizeof(INIT_ROOT)) ? 1 : sizeof(INIT_ROOT);
	     at <= len && at < sizeof(part); at++) {
		if (at < len && path[at] != '/')
			continue;
		memcpy(part, path, at);
		part[at] = 0;
		if (!lstat(part, &st) && st.st_uid)
			return owner_of(round, st.st_uid);
	}
	return NULL;
}

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

static void tell_below(struct round *round, int dir, unsigned level, struct owner *above);

/* above: whose the directory is; of what is in root's own, each entry's owner counts. */
static void tell_entry(struct round *round, int dir, const char *name, unsigned level,
		       struct owner *above)
{
	CLEANUP(close_fd) int fd = -1;
	struct owner *owner = above;
	bool directory;
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || S_ISLNK(st.st_mode))
		return;
	directory = S_ISDIR(st.st_mode);
	if (!owner)
		owner = owner_of(round, st.st_uid);
	if (owner && round->pass < OTHERS_DIRECTORIES)
		return;
	if (is_turn(round, owner, directory)) {
		if (!spend(round, owner))
			return;
		fd = tell(round, WATCH_OBJECT, dir, name, O_NOFOLLOW);
	} else if (directory) {
		fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 || !directory)
		return;
	if (level + 1 == LEVELS_MAX)
		round->told->over++;
	else
		tell_below(round, fd, level + 1, owner);
}

/* What is in a watched directory is watched for its own sake, too: it may have other names. */
static void tell_below(struct round *round, int dir, unsigned level, struct owner *above)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(entries))) {
		if (above && above->entries++ >= ENTRIES_MAX) {
			round->told->over++;
			return;
		}
		tell_entry(round, fd, entry->d_name, level, above);
	}
}

static void tell_object(struct round *round, const char *path, struct owner *owner)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if ((owner && round->pass < OTHERS_DIRECTORIES) || stat(path, &st))
		return;
	if (is_turn(round, owner, S_ISDIR(st.st_mode))) {
		if (spend(round, owner))
			fd = tell(round, WATCH_OBJECT, AT_FDCWD, path, 0);
	} else {
		fd = open(path, O_PATH | O_CLOEXEC);
	}
	if (fd >= 0 && S_ISDIR(st.st_mode))
		tell_below(round, fd, 0, owner);
}

/* The name in its directory, whatever file has it, or will. */
static void tell_name(struct round *round, const char *dir, const char *name, struct owner *owner)
{
	struct watch_control *watch = &round->attach->control->watch;
	int fd;

	if (strlen(name) >= sizeof(watch->name) || !is_turn(round, owner, true) ||
	    !spend(round, owner))
		return;
	memset(watch->name, 0, sizeof(watch->name));
	memcpy(watch->name, name, strlen(name));
	fd = tell(round, WATCH_NAME, AT_FDCWD, dir, O_DIRECTORY);
	if (fd >= 0)
		close(fd);
}

static void tell_match(struct round *round, char *path)
{
	struct owner *owner = owner_of_path(round, path);
	char *slash = strrchr(path, '/');

	tell_object(round, path, owner);
	*slash = 0;
	tell_name(round, *path ? path : "/", slash + 1, owner);
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
			tell_name(round, dirs.gl_pathv[i], slash + 1,
				  owner_of_path(round, dirs.gl_pathv[i]));
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
	for (; round.pass < PASSES; round.pass++) {
		for (unsigned i = 0; i < round.nowners; i++)
			round.owners[i].entries = 0;
		for (size_t i = 0; i < n; i++) {
			round.line = (uint32_t)i + 1;
			if (init)
				tell_line(&round, INIT_ROOT, lines[i]);
			if (own)
				tell_line(&round, "", lines[i]);
		}
	}
	attach->watch_over = ret->over;
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
