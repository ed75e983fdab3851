/* SPDX-License-Identifier: Apache-2.0 */
/* What the path of a cgroup says about who lives in it. */
#pragma once

#include <stddef.h>

#include "event.pb-c.h"

/* A part of a path; len 0: none. */
struct path_part {
	size_t off, len;
};

#define CONTAINER_ID_LEN 64
#define POD_UID_LEN	 36

/*
 * The innermost container, however its runtime writes it: 64 hex digits in
 * docker-ID.scope, cri-containerd-ID.scope, crio-ID, libpod-ID.scope, /docker/ID,
 * SLICE:cri-containerd:ID; a name in lxc.payload.NAME, machine-NAME.scope,
 * systemd-nspawn@NAME.service.
 */
struct path_part cgroup_container(const char *path, size_t size, Hinomi__Runtime *runtime);
/* The innermost component that is a systemd service or scope. */
struct path_part cgroup_unit(const char *path, size_t size);
/* The innermost pod, as Kubernetes writes its uid elsewhere; how many bytes of ret were set: 0 for
 * none. */
size_t cgroup_pod(const char *path, size_t size, char ret[POD_UID_LEN]);
