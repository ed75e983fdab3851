/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of cgroups by id (the inode number of the directory in cgroup v2).  A
 * cgroup cannot be renamed and its id is not used again, so what was once found
 * stays true.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrich/cgroup_name.h"

#define CGROUPS_MAX 16384 /* when it is full it begins anew */

struct cgroups;

struct cgroup {
	uint64_t id;
	char *path; /* below the root of cgroup v2, "/" for itself; NULL: gone, for good */
	size_t path_len;
	struct path_part container, unit;
	Hinomi__Runtime runtime;
	char pod_uid[POD_UID_LEN];
	size_t pod_uid_len; /* 0: no pod */
};

/* root: directory of cgroup v2, NULL to find it in mountinfo.  Without one, every id is unknown. */
int cgroups_new(const char *root, struct cgroups **ret);
void cgroups_free(struct cgroups *cgroups);
/* The kernel made this cgroup; known from then on, also when it is gone. */
void cgroups_learn(struct cgroups *cgroups, uint64_t id, const char *path, size_t size);
/* NULL: not known yet, ask again later.  Valid until the next call. */
const struct cgroup *cgroups_find(struct cgroups *cgroups, uint64_t id, uint64_t now_ms);
