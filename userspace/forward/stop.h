/* SPDX-License-Identifier: Apache-2.0 */
/* The wish to end, as every thread of the forwarder sees it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define STOP_GRACE_NS (5 * 1000000000ULL) /* a request under way may end within this */

struct stop {
	int fd; /* eventfd, readable from the wish on */
	_Atomic uint64_t at_ns;
};

int stop_init(struct stop *stop);
void stop_done(struct stop *stop);
void stop_ask(struct stop *stop);
bool stop_asked(const struct stop *stop);
bool stop_overdue(const struct stop *stop); /* the grace is over */
/* Until the wish, until fd (-1: none) is readable, or for so long. */
void stop_wait(const struct stop *stop, int fd, uint64_t wait_ns);
