/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/libexec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"

static int own_directory(char dir[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	char *slash;

	if (length < 0)
		return -errno;
	dir[length] = '\0';
	slash = strrchr(dir, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

int libexec_find(const char *program, char path[PATH_MAX])
{
	static const char *const places[] = {"../libexec/hinomi", "libexec"};
	const char *named = secure_getenv("HINOMI_LIBEXEC");
	char dir[PATH_MAX];
	int err;

	if (named) {
		if (snprintf(path, PATH_MAX, "%s/%s", named, program) >= PATH_MAX)
			return -ENAMETOOLONG;
		return access(path, X_OK) ? -errno : 0;
	}
	err = own_directory(dir);
	for (size_t i = 0; !err && i < ARRAY_SIZE(places); i++) {
		if (snprintf(path, PATH_MAX, "%s/%s/%s", dir, places[i], program) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (!access(path, X_OK))
			return 0;
	}
	return err ? err : -ENOENT;
}

int libexec_become(const char *program, int argc, char **argv)
{
	CLEANUP(free) char **args = calloc((size_t)argc + 1, sizeof(*args));
	char path[PATH_MAX];
	int err;

	if (!args)
		return STATUS_FAILED;
	err = libexec_find(program, path);
	if (err) {
		log_error("%s is not installed: looked in ../libexec/hinomi and libexec beside "
			  "this program (HINOMI_LIBEXEC names another place)",
			  program);
		return STATUS_FAILED;
	}
	memcpy(args, argv, (size_t)argc * sizeof(*args));
	args[0] = (char *)program;
	execv(path, args);
	log_error("cannot start %s: %s", path, strerror(errno));
	return STATUS_FAILED;
}
