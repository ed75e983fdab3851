/* SPDX-License-Identifier: Apache-2.0 */
/* Hears a child say that it is ready, as a service manager would: sd_notify(3). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define READINESS_NAME_MAX 32

/* A socket that only this machine's processes reach; name: what NOTIFY_SOCKET is to be.  -errno. */
int readiness_open(char name[READINESS_NAME_MAX]);
/* Whether that very process has said READY=1 since; waits up to timeout_ms. */
bool readiness_heard(int fd, pid_t pid, int timeout_ms);
