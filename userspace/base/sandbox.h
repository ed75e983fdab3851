/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a program that talks to the network: what is not on a list does
 * not happen, in all threads and for good.
 */
#pragma once

enum sandbox {
	SANDBOX_CONNECTS, /* makes connections: hinomi-forward */
	SANDBOX_ACCEPTS,  /* takes them at sockets that listen already: hinomi-collect */
};

/*
 * A call that is not listed fails with ENOSYS, as on an older kernel, so that a library that
 * is newer than the list takes its older way.  One of base/telltale.h, or through the table of
 * another architecture, ends the process (SIGSYS), which the kernel's audit tells.  Without effect
 * under sanitizers, which make calls of their own.  No new privileges must be set.  -errno.
 */
int sandbox_enter(enum sandbox kind);
