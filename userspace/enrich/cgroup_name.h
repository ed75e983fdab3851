/* SPDX-License-Identifier: Apache-2.0 */
/* What the path of a cgroup says about who lives in it. */
#pragma once

#include <stddef.h>

/* A part of a path; len 0: none. */
struct path_part {
	size_t off, len;
};

#define CONTAINER_ID_LEN 64

/* The 64 hex digits of the innermost container, however its runtime writes them:
 * docker-ID.scope, cri-containerd-ID.scope, crio-ID, libpod-ID.scope, /docker/ID,
 * SLICE:cri-containerd:ID. */
struct path_part cgroup_container(const char *path, size_t size);
/* The innermost component that is a systemd service or scope. */
struct path_part cgroup_unit(const char *path, size_t size);
