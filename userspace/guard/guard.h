/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells attempts on the sensor: what somebody did to a process, a file or the
 * cgroup of ours, and what shows only afterwards.  One thread.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "event/event.h"

struct guard;

/* by: the event that tells who did it, or NULL; both are the guard's only until it returns. */
typedef void guard_tell_fn(void *ctx, const Hinomi__SensorTamper *tamper, const struct event *by);

int guard_new(const char *spool, guard_tell_fn *tell, void *ctx, struct guard **ret);
void guard_free(struct guard *guard);
/* A process of ours, by its id in the first pid namespace. */
void guard_process(struct guard *guard, uint32_t tgid, const char *name);
/* The forwarder's processes, as many as there are, the rest 0. */
#define GUARD_FORWARDERS 4
void guard_forwarders(const struct guard *guard, uint32_t ret[GUARD_FORWARDERS]);
/* Every event, with what enrichment knows. */
void guard_see(struct guard *guard, const struct event *event);
/* Compares what should have stayed as it was; costs a few system calls. */
void guard_watch(struct guard *guard);
/* Once in every turn of the main loop; waited_ns: what it ever spent waiting for the disk. */
void guard_turn(struct guard *guard, uint64_t waited_ns);
/* Who let us go on (SIGCONT), as it is known to the process itself. */
void guard_continued(struct guard *guard, uint32_t pid);
/* What others noticed; counted and limited like the rest. */
void guard_tell(struct guard *guard, Hinomi__SensorTamper *tamper, const struct event *by);

DEFINE_CLEANUP(struct guard *, guard_free);
