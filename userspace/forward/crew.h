/* SPDX-License-Identifier: Apache-2.0 */
/* All sinks and their threads: two for each sink, one for each lane. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct crew;
struct forward;

/* Starts the threads; forward: borrowed until crew_free. */
int crew_new(struct forward *forward, struct crew **ret);
/* Asks them to stop and waits until they have. */
void crew_stop(struct crew *crew);
void crew_free(struct crew *crew);
int crew_done_fd(const struct crew *crew); /* readable when all have ended by themselves */
/* Whether each thread has shown a sign of life since that boot time. */
bool crew_is_alive(const struct crew *crew, uint64_t since_ns);
/* One line for systemctl status; the caller's. */
char *crew_status(struct crew *crew);
void crew_log(struct crew *crew);		  /* what was counted, a line for each sink */
bool crew_delivered_all(const struct crew *crew); /* after they ended by themselves */

DEFINE_CLEANUP(struct crew *, crew_free);
