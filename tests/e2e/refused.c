// SPDX-License-Identifier: Apache-2.0
/* What a security module refuses before the file system is asked: by Landlock, which needs no
 * policy. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

/* the same everywhere; not in every libc's headers */
#define NR_CREATE_RULESET 444
#define NR_RESTRICT_SELF  446
#define REMOVING_MAKING	  0x1ff0ull /* LANDLOCK_ACCESS_FS_REMOVE_DIR to _MAKE_SYM */

static void prepare_one(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
	must(mkdir("directory", 0755));
}

/* Nothing may be made or removed any more. */
static void hold_refusing(struct facts *facts)
{
	uint64_t handled = REMOVING_MAKING;
	int rules = (int)syscall(NR_CREATE_RULESET, &handled, sizeof(handled), 0);

	if (rules < 0)
		act_skip(facts, "Landlock: %s", strerror(errno));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(syscall(NR_RESTRICT_SELF, rules, 0));
	close(rules);
}

#define refused(call)                                              \
	({                                                         \
		if ((call) != -1 || errno != EACCES)               \
			act_fail(facts, #call " was not refused"); \
	})

static void act_refused(struct facts *facts)
{
	refused(unlink("marker"));
	refused(rmdir("directory"));
	refused(rename("marker", "renamed"));
	refused(link("marker", "linked"));
	refused(symlink("text", "symbolic"));
	refused(mkdir("made", 0700));
	refused(mknod("pipe", S_IFIFO | 0600, 0));
	refused(mknod("regular", S_IFREG | 0600, 0));
	refused(open("created", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void want_refused(struct check *check, const char *name, const struct seen *seen,
			 const Hinomi__File *file)
{
	char path[LONG_PATH + 64];

	snprintf(path, sizeof(path), "%s/%s", check->facts->dir, name);
	want_result(check, EACCES, seen);
	want_text(check, name, path, &file->path);
	want_number(check, "file.path_truncated", 0, file->path_truncated);
}

static void check_refused(struct check *check)
{
	static const char *const unlinked[] = {"marker", "directory"},
				 *const linked[] = {"linked", "symbolic"},
				 *const made[] = {"made", "pipe", "regular"};
	const struct seen *seen;

	for (size_t i = 0; i < 2; i++)
		if ((seen = take(check, KIND_file_unlink)))
			want_refused(check, unlinked[i], seen, seen->event->file_unlink->file);
	seen = take(check, KIND_file_rename);
	if (seen)
		want_refused(check, "renamed", seen, seen->event->file_rename->file);
	for (size_t i = 0; i < 2; i++)
		if ((seen = take(check, KIND_file_link)))
			want_refused(check, linked[i], seen, seen->event->file_link->file);
	for (size_t i = 0; i < 3; i++)
		if ((seen = take(check, KIND_file_make)))
			want_refused(check, made[i], seen, seen->event->file_make->file);
	seen = take(check, KIND_file_open);
	if (seen)
		want_refused(check, "created", seen, seen->event->file_open->file);
}

const struct test refused_tests[] = {
	{"file_unlink/refused", prepare_one, act_refused, check_refused, hold_refusing},
	{},
};
