/* SPDX-License-Identifier: Apache-2.0 */
/* A program of ours that runs beside us and ends when we do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
	const char *name;
	pid_t pid; /* 0: not started */
	bool ended;
	int status; /* as wait(2) has it */
};

struct child_user {
	uid_t uid;
	gid_t gid;
};

/* argv[0] is the name of a program in libexec.  notify: for NOTIFY_SOCKET, or NULL.  user: become
 * that user, with no way back; NULL: stay.  -errno. */
int child_start(struct child *child, char *const argv[], const char *notify,
		const struct child_user *user);
/* Whether it has ended. */
bool child_check(struct child *child);
/* Waits for its end. */
bool child_wait(struct child *child, unsigned timeout_ms);
void child_signal(const struct child *child, int signal);
/* "exit status 77", "killed by SIGSEGV" */
void child_describe(const struct child *child, char *text, size_t size);
