/* SPDX-License-Identifier: Apache-2.0 */
/* A 32-bit system call of a 64-bit program. */
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

/* Four arguments are enough here; addresses must lie below 4 GiB. */
static inline long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static inline int int80_works(void)
{
	return int80(20 /* getpid */, 0, 0, 0) == getpid();
}

/* What fork() gave: the child makes one, and ends with 0 when it was answered. */
static inline int int80_try(pid_t pid)
{
	int status = -1;

	if (pid == 0)
		_exit(!int80_works());
	waitpid(pid, &status, 0);
	return status;
}

static inline void int80_probe(struct facts *facts)
{
	pid_t pid = must(fork()); /* not into facts, which the child has as well */
	int status = int80_try(pid);

	facts->pid[0] = pid;
	facts->number[7] = (uint64_t)status;
	if (status)
		act_skip(facts, "this kernel has no 32-bit system calls");
}
