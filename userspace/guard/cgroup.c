// SPDX-License-Identifier: Apache-2.0
/* Where we are in the tree of cgroup v2. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guard/internal.h"

int cgroup_name(const char *file, char name[PATH_SIZE])
{
	CLEANUP(fclose) FILE *stream = fopen(file, "re");
	char line[PATH_SIZE + 8];

	while (stream && fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::", 3) && strlen(line) - 3 < PATH_SIZE) {
			memcpy(name, line + 3, strlen(line + 3) + 1);
			return 0;
		}
	}
	return -ENOENT;
}

/* Mount point of the tree; root: the directory of it that is mounted there. */
static int mounted(char point[PATH_SIZE], char root[PATH_SIZE])
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4 * PATH_SIZE];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %511s %511s", root, point) == 2)
			return 0;
	return -ENOENT;
}

int cgroup_find(char name[PATH_SIZE], char dir[PATH_SIZE])
{
	char point[PATH_SIZE], root[PATH_SIZE];
	const char *below = name;
	int err = cgroup_name("/proc/self/cgroup", name);

	err = err ?: mounted(point, root);
	if (err)
		return err;
	if (root[1] && !strncmp(name, root, strlen(root)))
		below += strlen(root);
	return snprintf(dir, PATH_SIZE, "%s%s", point, below) < PATH_SIZE ? 0 : -ENAMETOOLONG;
}
