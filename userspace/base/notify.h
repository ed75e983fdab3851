/* SPDX-License-Identifier: Apache-2.0 */
/* What a service tells its manager: sd_notify(3)'s datagrams, without libsystemd. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* message: "READY=1", "STATUS=...", lines joined with \n.  1: sent; 0: nobody asked for it
 * ($NOTIFY_SOCKET is not set); -errno. */
int notify_send(const char *message);
/* Also hands over descriptors, at most 16 (FDSTORE=1). */
int notify_send_fds(const char *message, const int *fds, size_t nfds);
/* How often the manager wants WATCHDOG=1, halved as it advises; 0: it does not. */
uint64_t notify_watchdog_ns(void);
